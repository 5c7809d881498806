"""Lint: what each rule finds and what it leaves alone, how it is silenced, and what it costs."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from olm.checking import lint
from olm.checking.check import Options, check, check_file
from olm.checking.lint._subject import EVENLY, MOST_MARKS, Subject
from olm.checking.lint._walk import nodes
from olm.checking.lint.rates import unusable_rate
from olm.checking.lint.text.other_readers import is_read_otherwise
from olm.checking.pages import page
from olm.fields.types import MAX_STEPS
from olm.schedule.clock import Clock
from olm.schedule.schedule import KINDS
from olm.spec.digest import digest
from olm.spec.spec import Spec, parse
from olm.text.document import read
from olm.text.scalars import ScalarError, for_every_reader, plain
from strategies import schedules

SPECS = Path(__file__).resolve().parents[1] / "specs"
PEERS = sorted((SPECS.parent / "tests" / "peers").glob("*.json"))
LINT = Options(lint=True)


def found(text, options=LINT, name="a.yaml"):
    """What is found in a text, each with its code and its line."""
    checked = check(read(text, name), options)
    assert checked.spec is not None, checked.problems
    return [(problem.code, problem.place.line) for problem in checked.problems]


def codes(text, options=LINT):
    """The codes of what is found in a text."""
    return [code for code, _ in found(text, options)]


def warmed(steps, then, at):
    """A warm-up, and a schedule after it from a step on."""
    first = f"{{kind: WarmupLR, warmup_steps: {steps}}}"
    return f"{{kind: SequentialLR, schedulers: [{first}, {then}], milestones: [{at}]}}"


def phases(*schedules, lengths):
    """Phases of some lengths."""
    return f"{{kind: PhasesLR, schedulers: [{', '.join(schedules)}], lengths: {lengths}}}"


def combined(kind, *schedules):
    """Schedules that apply together."""
    return f"{{kind: {kind}, schedulers: [{', '.join(schedules)}]}}"


COSINE = "{{kind: CosineAnnealingLR, T_max: {}, eta_min: {}}}".format
UP = "{{kind: RampLR, total_steps: {}, start_factor: 0.0, end_factor: 1.0, offset: 1}}".format
STEPS = "{{kind: MultiStepLR, milestones: {}}}".format
FALL = "schedule: {kind: LinearDecayLR, total_steps: 9}"


def target(text, *groups):
    """A constant rate, with a target and the param groups `body`, `head` and others."""
    others = "".join(f", {group}" for group in groups)
    head = "" if any("head," in group for group in groups) else ", head"
    return f"kind: HoldLR\nalso: [{{{text}}}]\nparam_groups: [body{head}{others}]"


KNOWN = "\nexpect: {base_lr: 0.1, rates: [{step: 0, lr: 0.1}]}"

BORDERS = [
    # code, a spec in which it is found, a spec in which it is just not found
    (
        "less-than-a-step",
        *(
            "{kind: TimeLR, axis: tokens, clock: {tokens_per_step: 2000}, "
            f"scheduler: {{kind: StepLR, step_size: {size}, gamma: 0.5}}}}"
            for size in (1999, 2000)
        ),
    ),
    (
        "unused-field",
        *(
            f"{{kind: RampLR, total_steps: 9, power: 3.0, ease: {ease}}}"
            for ease in ("cosine", "polynomial")
        ),
    ),
    (
        "unused-field",
        *(
            "{kind: WarmupStableDecayLR, warmup_steps: 0, total_steps: 9, decay_steps: 2, "
            f"decay_ratio: 0.8, decay: {decay}}}"
            for decay in ("linear", "exponential")
        ),
    ),
    (
        "unused-field",
        *(
            f"{{kind: CyclicLR, base_lr: 0.1, max_lr: 0.2, gamma: 0.9, mode: {mode}}}"
            for mode in ("triangular2", "exp_range")
        ),
    ),
    (
        "jump",
        *(
            warmed(9, f"{{kind: RampLR, total_steps: 9, start_factor: {f}}}", 9)
            for f in (0.0499, 0.0501)
        ),
    ),
    (
        "jump",
        *(
            warmed(9, f"{{kind: RampLR, total_steps: 9, start_factor: {f}}}", 9)
            for f in (20.1, 19.9)
        ),
    ),
    # Whatever the base rate is; at one base rate, a rate of its own is none.
    (
        "jump",
        phases(
            "{kind: HoldLR, fixed_lr: 0.01}", "{kind: HoldLR, fixed_lr: 1.0e-5}", lengths=[5, 5]
        ),
        phases("{kind: HoldLR}", "{kind: HoldLR, fixed_lr: 1.0e-5}", lengths=[5, 5]),
    ),
    (
        "jump",
        phases("{kind: HoldLR}", "{kind: HoldLR, factor: 1.0e-5}", lengths=[5, 5]),
        f"{{kind: RepeatLR, scheduler: {COSINE(9, 0)}, period: 9}}",
    ),
    (
        "jump",
        phases("{kind: HoldLR}", "{kind: HoldLR, factor: 1.0e-5}", lengths=[5, 5]),
        STEPS([3]).replace("]", "], gamma: 1.0e-3"),
    ),
    ("never-reached", *(phases("{kind: HoldLR}", STEPS([2, m]), lengths=[5, 9]) for m in (10, 8))),
    ("never-reached", *(phases(f"{{kind: StepLR, step_size: {s}}}", lengths=[9]) for s in (10, 8))),
    ("never-reached", *(phases(warmed(2, "{kind: HoldLR}", m), lengths=[9]) for m in (9, 8))),
    (
        "never-reached",
        *(
            f"{{kind: TimeLR, scheduler: {warmed(2, '{kind: HoldLR}', m)}, last: 9}}"
            for m in (10, 9)
        ),
    ),
    (
        "never-reached",
        *(
            f"{{kind: TimeLR, scheduler: {warmed(2, '{kind: HoldLR}', m)}, first: 3}}"
            for m in (3, 4)
        ),
    ),
    (
        "never-reached",
        *(f"{{kind: RepeatLR, scheduler: {STEPS([m])}, period: 9}}" for m in (10, 8)),
    ),
    (
        "never-reached",
        *(
            phases(
                f"{{kind: TableLR, milestones: [{m}, 12], factors: [1.0, 0.5], between: {how}}}",
                lengths=[9],
            )
            for m, how in ((0, "hold"), (11, "linear"))
        ),
    ),
    ("unused-final-rate", *(phases("{kind: HoldLR}", STEPS([m]), lengths=[5, 9]) for m in (9, 8))),
    (
        "unused-final-rate",
        *(phases(f"{{kind: StepLR, step_size: {s}}}", lengths=[9]) for s in (9, 3)),
    ),
    (
        "unused-final-rate",
        *(
            phases("{kind: HoldLR}", "{kind: LinearLR, total_steps: 1}", lengths=[5, n])
            for n in (1, 2)
        ),
    ),
    (
        "warmup-too-long",
        *(
            f"{{kind: WarmupCosineScheduler, warmup_steps: {w}, total_steps: 100}}"
            for w in (51, 50)
        ),
    ),
    ("warmup-too-long", *(warmed(w, COSINE(50, 0), w) for w in (51, 50))),
    # Step 0 of this ramp is one step up: the rise takes a step less.
    ("warmup-too-long", *(phases(UP(w), COSINE(50, 0), lengths=[w, 50]) for w in (53, 52))),
    (
        "warmup-too-long",
        *(
            combined("ChainedScheduler", "{kind: WarmupLR, warmup_steps: 51}", other)
            for other in (COSINE(100, 0), STEPS([60]))
        ),
    ),
    (
        "warmup-too-long",
        *(
            f"{{kind: OneCycleLR, max_lr: 0.1, total_steps: 100, pct_start: {share}}}"
            for share in (0.51, 0.5)
        ),
    ),
    (
        "warmup-too-long",
        *(
            f"{{kind: TriStageLR, warmup_steps: {w}, hold_steps: 25, decay_steps: 25}}"
            for w in (51, 50)
        ),
    ),
    (
        "floor-above-base",
        *(
            f"kind: CosineAnnealingLR\nT_max: 9\neta_min: {floor}" + KNOWN
            for floor in (0.1001, 0.1)
        ),
    ),
    (
        "floor-above-base",
        *(
            f"kind: MaximumLR\nschedulers: [{COSINE(9, 0)}, {{kind: HoldLR, fixed_lr: {floor}}}]\n"
            f"expect: {{base_lr: 0.1, rates: [{{step: 9, lr: {floor}}}]}}"
            for floor in (0.2, 0.1)
        ),
    ),
    ("floor-not-reached", *(phases(UP(5), COSINE(n, 0.001), lengths=[5, 90]) for n in (100, 95))),
    (
        "floor-not-reached",
        *(phases(f"{{kind: LinearDecayLR, total_steps: {n}}}", lengths=[990]) for n in (1001, 999)),
    ),
    ("floor-not-reached", *(f"{{kind: TanhLR, total_steps: 100, ub: {ub}}}" for ub in (2.2, 2.4))),
    (
        "floor-not-reached",
        *(
            phases(
                combined(
                    "MaximumLR",
                    "{kind: ExponentialLR, gamma: 0.9}",
                    f"{{kind: HoldLR, factor: {f}}}",
                ),
                lengths=[10],
            )
            for f in (0.9**10 - 1e-9, 0.9**10)
        ),
    ),
    (
        "floor-not-reached",
        *(
            combined(
                "MaximumLR",
                f"{{kind: RampLR, total_steps: 9, end_factor: {f}}}",
                "{kind: HoldLR, factor: 0.1}",
            )
            for f in (0.101, 0.1)
        ),
    ),
    (
        "late-rise",
        *(
            combined(
                "ChainedScheduler",
                COSINE(60, 0.001),
                f"{{kind: TableLR, milestones: [0, {m}], factors: [0.5, 1.0]}}",
            )
            for m in (61, 60)
        ),
    ),
    (
        "late-rise",
        *(
            combined(
                "MaximumLR",
                f"{{kind: LinearDecayLR, total_steps: {n}}}",
                "{kind: RampLR, total_steps: 100, start_factor: 0.1, end_factor: 0.9}",
            )
            for n in (99, 100)
        ),
    ),
    (
        "zero-first-step",
        *(
            f"{{kind: WarmupDecayLR, warmup_steps: 5, total_steps: 99, start_factor: {f}}}"
            for f in (0.0, 5e-324)
        ),
    ),
    (
        "zero-first-step",
        *(
            f"{{kind: RampLR, total_steps: 9, start_lr: 0, end_factor: 1.0, offset: {n}}}"
            for n in (0, 1)
        ),
    ),
    (
        "zero-rate",
        *(
            phases(UP(5), f"{{kind: LinearDecayLR, total_steps: {n}}}", lengths=[5, 90])
            for n in (89, 90)
        ),
    ),
    ("zero-rate", *(f"{{kind: RepeatLR, scheduler: {COSINE(n, 0)}, period: 9}}" for n in (8, 9))),
    (
        "zero-rate",
        *(
            combined("MinimumLR", f"{{kind: LinearDecayLR, total_steps: {n}}}", COSINE(100, 0))
            for n in (99, 100)
        ),
    ),
    (
        "zero-rate",
        phases(UP(5), COSINE(50, 0), lengths=[5, 90]),
        phases(
            UP(5),
            combined("MaximumLR", COSINE(50, 0), "{kind: HoldLR, factor: 0.1}"),
            lengths=[5, 90],
        ),
    ),
    (
        "zero-rate",
        phases(UP(5), "{kind: ConstantLR, factor: 0, total_iters: 5}", lengths=[5, 5]),
        phases(UP(5), "{kind: HoldLR, factor: 0}", lengths=[5, 5]),
    ),
    (
        "ends-elsewhere",
        *(
            f"{COSINE(n, 0.001)[:-1]}, clock: {{total_steps: 100, steps_per_epoch: 10}}}}"
            for n in ("9ep", "10ep")
        ),
    ),
    (
        "ends-elsewhere",
        *(
            phases(UP("3%"), COSINE("rest", 0.001), lengths=["3%", length])[:-1].replace("'", "")
            + ", clock: {total_steps: 1000}}"
            for length in ("98%", "rest")
        ),
    ),
    (
        "ends-elsewhere",
        "{kind: WarmupCosineScheduler, warmup_steps: 9, total_steps: 99, min_lr: 0.001, "
        "clock: {total_steps: 100}}",
        "{kind: WarmupLR, warmup_steps: 9, clock: {total_steps: 100}}",
    ),
    # Its last step already trains with the lowest rate, and is a step of the run.
    (
        "ends-elsewhere",
        *(
            f"{{kind: OneCycleLR, max_lr: 0.1, total_steps: {n}, clock: {{total_steps: 100}}}}"
            for n in (99, 100)
        ),
    ),
    (
        "never-reached",
        *(STEPS([30, m])[:-1] + ", clock: {total_steps: 100}}" for m in (101, 100)),
    ),
    (
        "zero-rate",
        *(
            f"{{kind: LinearDecayLR, total_steps: {n}, clock: {{total_steps: 100}}}}"
            for n in (99, 100)
        ),
    ),
    # Step 101 has a negative rate, and step 1,024 one that is not finite.
    (
        "unusable-rate",
        *(
            f"{{kind: RampLR, total_steps: 100, past: extrapolate, clock: {{total_steps: {n}}}}}"
            for n in (11, 10)
        ),
    ),
    (
        "unusable-rate",
        *(f"{{kind: ExponentialLR, gamma: 2, clock: {{total_steps: {n}}}}}" for n in (103, 102)),
    ),
    ("unusable-rate", *(f"{{kind: StepLR, step_size: {n}, gamma: 2}}" for n in (9, 10))),
    (
        "unusable-rate",
        *(
            combined(
                "MaximumLR",
                "{kind: RampLR, total_steps: 100, past: extrapolate}",
                f"{{kind: HoldLR, factor: {factor}}}",
            )
            if factor is not None
            else "{kind: RampLR, total_steps: 100, past: extrapolate}"
            for factor in (None, 0.1)
        ),
    ),
    ("warmup-cut-off", *(warmed(100, COSINE(900, 0.001), n) for n in (50, 100))),
    # 1 % of the rise may be left.
    ("warmup-cut-off", *(warmed(1000, "{kind: HoldLR}", n) for n in (989, 990))),
    # A hold at the rate that was reached goes on.
    (
        "warmup-cut-off",
        *(phases(UP(101), f"{{kind: HoldLR, factor: {f}}}", lengths=[49, 50]) for f in (0.51, 0.5)),
    ),
    (
        "warmup-cut-off",
        *(
            phases(
                combined(
                    "ChainedScheduler",
                    f"{{kind: LinearFactorLR, total_iters: {n}}}",
                    "{kind: HoldLR, factor: 0.5}",
                ),
                "{kind: HoldLR}",
                lengths=[50, 50],
            )
            for n in (100, 50)
        ),
    ),
    (
        "decays-what-does-not",
        *(target(f"set: weight_decay, {more}") for more in (f"base: 0.1, {FALL}", FALL)),
    ),
    (
        "decays-what-does-not",
        *(
            target(f"set: weight_decay, schedule: {{kind: HoldLR, fixed_lr: {rate}}}")
            for rate in (5e-324, 0.0)
        ),
    ),
    # Every group is known to decay.
    (
        "decays-what-does-not",
        *(
            target(f"set: weight_decay, base: 1, {FALL}", f"{{name: head, weight_decay: {n}}}")
            + "\noptimizer: {weight_decay: 0.1}"
            for n in (0, 0.1)
        ),
    ),
    (
        "same-as-rest",
        *(
            target(f"set: lr, groups: head, schedule: {{kind: HoldLR, factor: {f}}}")
            for f in (1, 2)
        ),
    ),
    (
        "same-as-rest",
        *(
            target(f"set: lr, groups: head, scaled_by: {{kind: HoldLR, factor: {f}}}")
            for f in (1, 2)
        ),
    ),
    (
        "same-as-rest",
        *(
            target(f"set: eps, groups: head, base: {base}, {FALL}").replace(
                "also: [", f"also: [{{set: eps, base: 0.1, {FALL}}}, "
            )
            for base in (0.1, 0.2)
        ),
    ),
    (
        "ambiguous-glob",
        *(target(f"set: eps, groups: {glob}, {FALL}", "no_head") for glob in ("'*head'", "head")),
    ),
    (
        "ambiguous-glob",
        *(
            target(f"set: eps, groups: '{glob}', {FALL}", "1/wd", "1/no_wd")
            for glob in ("1/*wd", "1/*")
        ),
    ),
    (
        "ambiguous-glob",
        *(
            target(f"set: eps, groups: '{glob}', {FALL}", "layer_1/wd", "layer_1/no_wd")
            for glob in ("*wd", "layer*")
        ),
    ),
    (
        "sets-nothing",
        *(target(f"set: lr, groups: ['head', {g}], {FALL}") for g in ("body", "head")),
    ),
    (
        "sets-nothing",
        *(
            target(f"set: eps, groups: [head, {g}], {FALL}").replace(
                "also: [", f"also: [{{set: eps, base: 0.1, {FALL}}}, "
            )
            for g in ("body", "head")
        ),
    ),
    (
        "frozen-step",
        *(
            target(f"set: lr, groups: head, {how}: {{kind: HoldLR, factor: {factor}}}").replace(
                "also: [", f"also: [{{set: weight_decay, {FALL}}}, "
            )
            for how, factor in (("schedule", 0), ("scaled_by", 5e-324))
        ),
    ),
    (
        "frozen-step",
        *(
            target("set: lr, groups: head, scaled_by: {kind: HoldLR, factor: 0}").replace(
                "also: [", f"also: [{{set: weight_decay, groups: {group}, {FALL}}}, "
            )
            for group in ("head", "body")
        ),
    ),
    (
        "other-readers",
        *(f"{{kind: CosineAnnealingLR, T_max: 9, eta_min: {n}}}" for n in ("1e-4", "1.0e-4")),
    ),
]


@pytest.mark.parametrize(("code", "bad", "good"), BORDERS)
def test_a_rule_just_finds_and_just_does_not(code, bad, good):
    assert codes(bad).count(code) == 1
    assert code not in codes(good)


def in_target(text, **target):
    """A spec as the schedule of a target, whose base is the base rate of the expectation."""
    schedule = copy.deepcopy(read(text, "a.yaml").value)
    root = {name: schedule.pop(name) for name in ("clock", "expect") if name in schedule}
    base = {"base": root["expect"]["base_lr"]} if "expect" in root else {}
    also = [{**target, **base, "schedule": schedule}]
    return {"kind": "HoldLR", "also": also, **root}


ABOUT_SCHEDULES = [case for case in BORDERS if lint.rule(case[0]).SCOPE != "document"]


@pytest.mark.parametrize(("code", "bad", "good"), ABOUT_SCHEDULES)
def test_a_rule_finds_the_same_in_a_target_that_sets_a_rate(code, bad, good):
    def found_in(text):
        document = in_target(text, set="lr", groups="head")
        problems = check(read(json.dumps(document), "a.json"), LINT).problems
        return [problem for problem in problems if problem.code == code]

    [problem] = found_in(bad)
    assert problem.path[:3] == ("also", 0, "schedule")
    assert found_in(good) == []


@pytest.mark.parametrize("code", lint.codes())
def test_a_rule_about_learning_rates_finds_nothing_in_a_value(code):
    rule = lint.rule(code)
    for _, bad, _ in [case for case in ABOUT_SCHEDULES if case[0] == code]:
        document = in_target(bad, value="loss_weight")
        problems = check(read(json.dumps(document), "a.json"), LINT).problems
        its_own = [problem for problem in problems if problem.code == code]
        assert all(problem.path[:2] == ("also", 0) for problem in its_own)
        assert rule.SCOPE == "numbers" or its_own == []


def test_a_warning_about_a_target_names_its_number_and_is_silenced_in_its_line():
    text = """\
kind: HoldLR
also:
  - set: weight_decay
    schedule:
      kind: PhasesLR
      lengths: [1ep, 9ep]
      schedulers:
        - {kind: HoldLR}
        - {kind: HoldLR, factor: 0.01}  # olm: ignore[jump]
clock: {total_steps: 1000, steps_per_epoch: 100}
"""
    assert codes(text) == []
    [problem] = check(read(text.replace("# olm", "#"), "a.yaml"), LINT).problems
    assert problem.place.line == 9
    assert problem.message == (
        "at step 100, where HoldLR takes over, the weight_decay falls by a factor of 100"
    )


def test_a_warning_about_a_duration_in_a_target_has_its_steps():
    text = """\
kind: HoldLR
also:
  - {value: ema, schedule: {kind: RampLR, total_steps: 20ep, start_factor: 0.9, end_factor: 1.0}}
clock: {total_steps: 1000, steps_per_epoch: 100}
"""
    [problem] = check(read(text, "a.yaml")).problems
    assert (problem.code, problem.hint) == ("ends-elsewhere", "20ep is 2,000 steps")
    # One that ends earlier keeps its last number.
    assert codes(text.replace("20ep", "5ep")) == []


def test_the_base_rates_of_groups_in_the_document_are_known():
    floor = "kind: CosineAnnealingLR\nT_max: 9\neta_min: 0.05\n"
    assert codes(floor + "optimizer: {lr: 0.01}") == ["floor-above-base"]
    assert codes(floor + "optimizer: {lr: 0.1}") == []
    groups = "optimizer: {lr: 0.1}\nparam_groups: [body, {name: head, lr: 0.01}]\n"
    assert codes(floor + groups) == ["floor-above-base"]
    of_head = "also: [{set: lr, groups: head, schedule: {kind: HoldLR}}]\n"
    assert codes(floor + groups + of_head) == []


def test_every_rule_has_a_border():
    about_comments = {"bare-ignore", "unused-ignore"}
    assert {code for code, _, _ in BORDERS} | about_comments == set(lint.codes())


@pytest.mark.parametrize("code", lint.codes())
def test_the_page_of_a_rule_has_an_example_of_it_and_one_of_nothing(code):
    shown = page(code)
    assert codes(shown.bad.text) == [code]
    assert codes(shown.good.text) == []
    assert shown.severity == "warning"


def test_what_a_rule_finds_stands_at_its_place():
    text = """\
kind: PhasesLR
schedulers:
  - kind: WarmupDecayLR
    warmup_steps: 100
    total_steps: 300
  - kind: TimeLR
    every: 2
    scheduler:
      kind: LinearDecayLR
      total_steps: 50
lengths: [200, 100]
"""
    problems = check(read(text, "a.yaml"), LINT).problems
    assert [f"{problem.place.line}: {problem.message}" for problem in problems] == [
        "3: the first step trains with a rate of 0",
        "5: WarmupDecayLR ends at step 300, but is cut off after 200 steps, "
        "with 50% of the decay left",
        "9: its own steps 50 to 98 train with a rate of 0",
    ]


DURATIONS = "kind: WarmupCosineScheduler\nwarmup_steps: 2ep{}\ntotal_steps: 30ep\n".format


def test_a_rule_that_waits_for_a_clock_finds_nothing_and_its_comment_is_not_unused():
    text = DURATIONS("  # olm: ignore[warmup-too-long, zero-rate, ends-elsewhere]")
    assert codes(text) == []
    run = Clock(total_steps=300, steps_per_epoch=10)
    options = Options(lint=True, base_lr=0.1, clock=run)
    assert codes(text, options) == ["unused-ignore"] * 3


def test_a_comment_about_the_end_is_judged_where_the_run_is_known():
    text = "kind: CosineAnnealingLR\nT_max: 90  # olm: ignore[ends-elsewhere]\neta_min: 0.1\n"
    assert codes(text) == []
    assert codes(text, Options(clock=Clock(total_steps=100))) == []
    assert codes(text, Options(clock=Clock(total_steps=90))) == ["unused-ignore"]


def test_lint_says_that_it_waits_and_only_if_it_does():
    durations = read(DURATIONS(""), "a.yaml")
    run = Clock(total_steps=300, steps_per_epoch=10)
    assert check(durations, LINT).waits
    assert not check(durations, Options()).waits
    assert not check(durations, Options(lint=True, clock=run)).waits
    assert not check(read(WARMED("", ""), "a.yaml"), LINT).waits


def test_a_warning_about_a_duration_says_how_many_steps_it_is():
    run = Clock(total_steps=300, steps_per_epoch=100)
    [elsewhere] = check(read(DURATIONS(""), "a.yaml"), Options(clock=run)).problems
    assert elsewhere.message == "the schedule ends at step 3,000, but the run at step 300"
    assert (elsewhere.hint, elsewhere.place.line) == ("30ep is 3,000 steps", 3)


@given(schedules(), st.integers(1, 10**6))
@example(KINDS["RampLR"](total_steps=1, end_factor=0.0, past="extrapolate"), 1)
@example(KINDS["RampLR"](total_steps=10_000, past="extrapolate"), 1_001)
@example(KINDS["RampLR"](total_steps=500, past="extrapolate"), 1)
@settings(deadline=None)
def test_the_same_is_found_in_steps_and_where_the_clock_says_the_steps(schedule, total):
    document = read(yaml.safe_dump(schedule.model_dump(mode="json")), "a.yaml")
    before = check(document, LINT).problems
    after = check(document, Options(lint=True, clock=Clock(total_steps=total))).problems
    of_the_run = {"ends-elsewhere", "never-reached", "zero-rate"}
    end = schedule.ends_at()
    # How far rates are looked at depends on the run length, which is a guess without a clock.
    looked_at = unusable_rate.LONGER * min(total, max(unusable_rate.UNKNOWN, end or 0))

    def is_too_late(one):
        at = re.search(r"at step ([\d,]+) is", one.message)
        late = at is not None and int(at[1].replace(",", "")) > looked_at
        return one.code == "unusable-rate" and late

    told, again = (
        [
            # Only with a clock is it known that a step is after the run.
            one._replace(message=re.sub(", after the run of [^:]+", "", one.message))
            for one in found
            if one.code not in of_the_run and not is_too_late(one)
        ]
        for found in (before, after)
    )
    assert told == again
    assert any(one.code == "ends-elsewhere" for one in after) == (end not in (None, total))


def test_rules_that_evaluate_rates_are_left_out_unless_they_are_asked_for():
    text = "{kind: WarmupDecayLR, warmup_steps: 60, total_steps: 100, end_factor: 1.0e-1}"
    assert codes(text, Options()) == ["warmup-too-long"]
    assert codes(text) == ["zero-first-step", "warmup-too-long"]


def test_a_rule_can_be_selected_or_left_out():
    text = "{kind: WarmupDecayLR, warmup_steps: 60, total_steps: 1e2}"
    assert codes(text) == ["zero-first-step", "warmup-too-long", "other-readers"]
    assert codes(text, Options(select=("other-readers",))) == ["other-readers"]
    assert codes(text, Options(lint=True, ignore=("other-readers", "zero-first-step"))) == [
        "warmup-too-long"
    ]


def test_a_code_that_there_is_not_is_told_with_the_nearest():
    assert lint.misnamed(["jump", "zero-rate"]) is None
    assert lint.misnamed(["jmup"]) == "there is no warning `jmup`: did you mean `jump`?"
    assert lint.misnamed(["x"]) == "there is no warning `x`: `olm explain` lists them"


def test_the_base_rate_is_that_which_is_given_else_expected_else_of_the_state():
    floor = "{kind: CosineAnnealingLR, T_max: 9, eta_min: 0.05}"
    assert codes(floor) == []
    assert codes(floor, Options(lint=True, base_lr=0.01)) == ["floor-above-base"]
    assert codes(floor[:-1] + ", expect: {base_lr: 0.1, rates: [{step: 0, lr: 0.1}]}}") == []
    state = Spec(schedule=check(read(floor, "a.yaml")).spec.schedule)
    for bases, expected in (((0.01, 0.02), ["floor-above-base"]), ((0.05, 0.1), [])):
        document = read("{}", "a.yaml")
        further = state.model_copy(
            update={"last_epoch": 3, "base_lrs": bases, "digest": digest(state.schedule)}
        )
        rule = lint.rule("floor-above-base")
        assert [one.code for one in rule.warnings(Subject(further, document))] == expected


@pytest.mark.parametrize(
    ("bases", "below"),
    [
        ((0.1, 0.01, 0.01), "the base rate 0.01"),
        ((0.1, 0.04, 0.0, 0.01), "the base rates 0.04, 0.01"),
        ((0.049999999,), "the base rate 0.049999999"),
        ((1e-2, 1e-3, 1e-4, 1e-5, 1e-6), "the base rates 0.01, 0.001, 0.0001, 1e-05 and 1 more"),
    ],
)
def test_a_floor_above_the_base_rate_of_any_param_group_is_a_warning(bases, below):
    schedule = parse({"kind": "CosineAnnealingLR", "T_max": 9, "eta_min": 0.05}).schedule
    state = {"last_epoch": 3, "base_lrs": list(bases), "digest": digest(schedule)}
    subject = Subject(parse(schedule.model_dump() | state), read("{}", "a.yaml"))
    [warning] = lint.rule("floor-above-base").warnings(subject)
    assert warning.message == f"eta_min is 0.05, above {below}"


def test_an_error_is_not_hidden_by_a_warning_nor_by_a_comment():
    text = "kind: LinearLR  # olm: ignore[range, unused-ignore]\ntotal_steps: 0\n"
    checked = check(read(text, "a.yaml"), LINT)
    assert checked.spec is None
    assert [problem.code for problem in checked.problems] == ["range"]


WARMED = "kind: WarmupCosineScheduler\nwarmup_steps: 60{}\ntotal_steps: 100{}\n".format


@pytest.mark.parametrize(
    "text",
    [
        WARMED("  # olm: ignore[warmup-too-long]", ""),
        WARMED("  # it goes on # olm: ignore[warmup-too-long] for long", ""),
        WARMED("  #olm:ignore[ warmup-too-long , ]", ""),
        "# olm: ignore[warmup-too-long]\n\n# Else.\n" + WARMED("", ""),
        "# yaml-language-server: $schema=x\n# olm: ignore[warmup-too-long]\r\n" + WARMED("", ""),
        WARMED("", "").replace("warmup_", "  # olm: ignore[warmup-too-long]\n# Because.\nwarmup_"),
        "{kind: WarmupCosineScheduler, total_steps: 100, # olm: ignore[warmup-too-long]\n"
        "warmup_steps: 60, # olm: ignore[warmup-too-long]\nmin_lr: 0}".replace(
            "100, # olm: ignore[warmup-too-long]", "100,"
        ),
    ],
)
def test_a_comment_silences_what_stands_in_its_line_below_it_or_in_its_file(text):
    assert codes(text) == []


def test_a_comment_elsewhere_silences_nothing_and_is_told_of():
    assert found(WARMED("", "  # olm: ignore[warmup-too-long]")) == [
        ("warmup-too-long", 2),
        ("unused-ignore", 3),
    ]
    apart = WARMED("", "").replace("warmup_", "# olm: ignore[warmup-too-long]\n\nwarmup_")
    assert found(apart) == [("unused-ignore", 2), ("warmup-too-long", 4)]


def test_a_comment_without_a_code_or_with_a_wrong_one_silences_nothing():
    text = WARMED(" # olm: ignore", " # olm: ignore[warmup-to-long, range]")
    assert found(text) == [
        ("warmup-too-long", 2),
        ("bare-ignore", 2),
        ("unused-ignore", 3),
        ("unused-ignore", 3),
    ]
    hints = [problem.hint for problem in check(read(text, "a.yaml")).problems]
    assert "did you mean `warmup-too-long`?" in hints
    assert found(WARMED(" # olm: ignore[]", "")) == [("warmup-too-long", 2), ("bare-ignore", 2)]


def test_a_comment_about_a_rule_that_was_not_applied_is_not_unused():
    text = "kind: LinearLR  # olm: ignore[zero-first-step]\ntotal_steps: 9"
    assert codes(text, Options()) == []
    assert codes(text) == []
    assert codes(text, Options(lint=True, base_lr=0.1)) == ["unused-ignore"]
    assert codes(text, Options(lint=True, base_lr=0.1, ignore=("zero-first-step",))) == []


def test_what_tells_of_a_comment_can_be_silenced_too():
    text = "# olm: ignore[unused-ignore]\nkind: LinearLR  # olm: ignore[warmup-too-long]\n"
    assert codes(text + "total_steps: 9") == []


@pytest.mark.parametrize(
    "schema",
    [
        '"# olm: ignore[jump]"',
        "'it''s # olm: ignore[jump]'",
        '"a\n  # olm: ignore[jump]"',
        "|\n  # olm: ignore[jump]\n  text",
        ">-\n  a\n\n  # olm: ignore[jump]",
        "a#olm:ignore[jump]",
    ],
)
def test_what_looks_like_a_comment_inside_a_string_is_none(schema):
    text = f"kind: LinearLR\n$schema: {schema}\ntotal_steps: 9\n"
    assert codes(text, Options(lint=True, base_lr=0.1)) == []
    after = text.replace("total", "# olm: ignore[jump]\ntotal")
    assert codes(after, Options(lint=True, base_lr=0.1)) == ["unused-ignore"]


def test_beside_the_indicator_of_a_block_is_a_comment():
    text = "kind: LinearLR\n$schema: | # olm: ignore[warmup-too-long]\n  a\ntotal_steps: 9\n"
    assert found(text) == [("unused-ignore", 2)]


def test_toml_has_comments_and_json_has_none():
    text = 'kind = "WarmupCosineScheduler"\nwarmup_steps = 60{}\ntotal_steps = 100\n'
    assert found(text.format(""), name="a.toml") == [("warmup-too-long", 2)]
    silenced = text.format("  # olm: ignore[warmup-too-long]")
    assert found(silenced, name="a.toml") == []
    in_string = '"$schema" = "# olm: ignore[warmup-too-long]"\n' + text.format("")
    assert found(in_string, name="a.toml") == [("warmup-too-long", 3)]
    json = '{"kind": "WarmupCosineScheduler", "warmup_steps": 60, "total_steps": 1e2}'
    assert found(json, name="a.json") == [("warmup-too-long", 1)]


def test_inside_a_larger_file_the_comments_are_found_as_well():
    text = "lr:  # olm: ignore[jump]\n  kind: WarmupCosineScheduler\n" + (
        "  warmup_steps: 60  # olm: ignore[warmup-too-long]\n  total_steps: 100\n"
        "note: |\n  # olm: ignore[warmup-too-long]\nmore: !!x [1e3]\n"
    )
    checked = check(read(text, "a.yaml", ("lr",)), Options(at=("lr",)))
    assert checked.problems == ()


PLAIN = st.from_regex(
    re.compile(r"[-+]?[0-9]{0,4}\.?[0-9]{0,3}([eE][-+]?[0-9]{1,2})?|0[xo][0-9a-f]{1,4}|[a-z]{1,4}"),
    fullmatch=True,
)


@given(PLAIN)
@settings(deadline=None)
@example("0o17")
@example("08")
@example("-010")
@example("1.")
@example("1.e3")
@example("true")
def test_a_number_is_told_of_exactly_if_another_reader_reads_it_otherwise(text):
    try:
        ours = plain(text)
    except ScalarError:
        return
    if isinstance(ours, bool) or not isinstance(ours, int | float):
        assert not is_read_otherwise(text)
        return
    assert is_read_otherwise(text) == (yaml.safe_load(text) != ours)
    same = for_every_reader(text)
    assert (plain(same), yaml.safe_load(same)) == (ours, ours)
    assert not is_read_otherwise(same)


@given(schedules(wide=True))
@settings(deadline=None)
def test_lint_never_raises_and_a_spec_with_warnings_is_as_good_as_any(schedule):
    text = yaml.safe_dump(schedule.model_dump(mode="json"), sort_keys=False)
    checked = check(read(text, "a.yaml"), LINT)
    assert checked.spec == Spec(schedule=schedule)
    assert {problem.severity for problem in checked.problems} <= {"warning"}
    assert all(problem.place and problem.code in lint.codes() for problem in checked.problems)


@given(schedules(wide=True), st.sampled_from([None, 1e-300, 0.1, 1e300]))
@settings(deadline=None)
def test_however_long_a_schedule_is_only_some_steps_are_looked_at(schedule, base):
    subject = Subject(Spec(schedule=schedule), read("{}", "a.yaml"), base)
    lint.warned(subject, "rates")
    asked = [steps for _, steps in subject._rates]
    assert max(map(len, asked), default=0) <= 3 * MOST_MARKS + EVENLY + 1
    assert len(asked) <= 100 * len(list(nodes(schedule)))
    assert all(0 <= step <= 2 * MAX_STEPS for steps in asked for step in steps)


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_of_a_kind_is_warned_of_only_for_a_first_step_of_0(kind):
    for fields in KINDS[kind].examples:
        text = yaml.safe_dump({"kind": kind, **fields})
        assert set(codes(text)) <= {"zero-first-step"}


# What is a fact about a recipe, and what its authors meant.
MEANT = {"olmo-2-7b": {"floor-not-reached"}}


@pytest.mark.parametrize("path", sorted(SPECS.rglob("*.olm.yaml")), ids=lambda path: path.stem)
def test_a_recipe_is_warned_of_only_for_what_is_a_fact(path):
    name = path.name.removesuffix(".olm.yaml")
    warned = {problem.code for problem in check_file(str(path), LINT).problems}
    assert warned <= {"zero-first-step"} | MEANT.get(name, set())
    assert check_file(str(path)).problems == ()


# What is a fact about a peer's configuration: torch has a gamma beside the mode that ignores it,
# fvcore's line is defined up to its end alone, and torch's LinearLR has a milestone in its middle.
FACTS = {
    "unused-field": {
        "CyclicLR(optimizer, base_lr=0.1, max_lr=0.5, step_size_up=4, gamma=0.5, "
        "cycle_momentum=False)"
    },
    "unusable-rate": {"LinearParamScheduler(start_value=lr, end_value=0.4 * lr)"},
    "warmup-cut-off": {
        "SequentialLR(optimizer, schedulers=[SequentialLR(optimizer, schedulers=[LinearLR("
        "optimizer, start_factor=0.25, total_iters=6), StepLR(optimizer, step_size=4, gamma=0.5)"
        "], milestones=[3]), ExponentialLR(optimizer, gamma=0.9)], milestones=[9])"
    },
}


@pytest.mark.parametrize("path", PEERS, ids=lambda path: path.stem)
def test_no_rate_of_a_peer_is_unusable_and_no_warm_up_of_a_peer_is_cut_off(path):
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        run = None if row["olm"].get("clock") else Clock(total_steps=max(*row["steps"], 1))
        options = Options(
            lint=True, base_lr=row["base_lr"], select=("unusable-rate", "warmup-cut-off"), clock=run
        )
        found = {
            problem.code
            for problem in check(read(json.dumps(row["olm"]), "a.json"), options).problems
        }
        assert found == {code for code in options.select if row["peer"] in FACTS[code]}, row["peer"]


@pytest.mark.parametrize("path", PEERS, ids=lambda path: path.stem)
def test_no_field_of_a_spec_with_the_curve_of_a_peer_is_without_effect(path):
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        options = Options(lint=True, select=("unused-field",))
        problems = check(read(json.dumps(row["olm"]), "a.json"), options).problems
        assert bool(problems) == (row["peer"] in FACTS["unused-field"]), row["peer"]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("{'kind': HoldLR, factor: 0o17,}", 1, 2),
        ('{"kind": "HoldLR",\n "factor": 1,}', 2, 14),
        ('{"kind": "HoldLR",\n "factor": 0o17}', 2, 13),
    ],
)
def test_a_json_file_that_no_json_reader_reads_is_reported_where_it_is_no_json(text, line, column):
    [problem] = check(read(text, "a.olm.json")).problems
    assert problem.code == "other-readers"
    assert problem.place.line == line
    assert abs(problem.place.column - column) <= 1
    assert check(read('{"kind": "HoldLR", "factor": 1e-4}', "a.olm.json")).problems == ()
