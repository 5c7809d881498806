"""Expectations: a spec is compared with the rates that it states."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from olm.checking.check import Options, check
from olm.kinds.linear import Linear
from olm.problem import RateError, SpecError
from olm.schedule.clock import Clock
from olm.spec.digest import digest
from olm.spec.expectation import NEGLIGIBLE, unmet
from olm.spec.spec import Spec, parse
from olm.text.document import read
from strategies import CATALOGUE, schedules

SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "schedule.schema.json"
VALIDATOR = Draft7Validator(json.loads(SCHEMA.read_text()))
LINEAR = {"kind": "LinearLR", "total_steps": 4}
EXPECT = {"base_lr": 0.8, "rates": [{"step": 1, "lr": 0.6}]}


def problems(document):
    """The problems of a document, as paths and messages."""
    try:
        spec = parse(document)
    except SpecError as error:
        return [(problem.path, problem.message) for problem in error.problems]
    assert spec.expect
    return [(problem.path, problem.message) for problem in unmet(spec)]


def expecting(rate, **more):
    """A line from 0.8 to 0 with an expectation at step 1, where the rate is 0.6."""
    return {**LINEAR, "expect": {"base_lr": 0.8, "rates": [{"step": 1, "lr": rate}], **more}}


@given(schedules(), st.lists(st.integers(0, 300), min_size=1, max_size=5), st.floats(1e-6, 10))
@settings(deadline=None)
def test_rates_of_the_curve_meet_the_expectation_and_others_do_not(schedule, steps, base):
    try:
        rates = [schedule.lr(step, base) for step in steps]
    except RateError:
        assume(False)
    expect = {
        "base_lr": base,
        "rates": [{"step": s, "lr": r} for s, r in zip(steps, rates, strict=True)],
    }
    said = parse({**schedule.model_dump(mode="json"), "expect": expect})
    assert [*unmet(said)] == []
    # Beyond the tolerance, and beyond what counts as 0.
    for factor in (1 - 2e-6, 1 + 2e-6):
        far = [{"step": s, "lr": r * factor} for s, r in zip(steps, rates, strict=True)]
        moved = parse({**schedule.model_dump(mode="json"), "expect": {**expect, "rates": far}})
        missed = [problem.path[2] for problem in unmet(moved)]
        assert missed == [
            index for index, rate in enumerate(rates) if rate * 2e-6 > NEGLIGIBLE * base
        ]


@given(schedules(depth=2), st.floats(0, 1), st.floats(0, 0.5))
@settings(deadline=None)
def test_an_expectation_survives_a_round_trip_and_is_not_in_the_digest(schedule, rate, share):
    expect = {"base_lr": 0.1, "rates": [{"step": 3, "lr": rate}], "tolerance": share}
    document = {**schedule.model_dump(mode="json"), "expect": expect}
    spec = parse(document)
    assert spec.model_dump()["expect"] == expect
    assert parse(json.loads(json.dumps(spec.model_dump()))) == spec
    assert digest(spec.schedule) == digest(schedule)
    assert spec.model_copy(update={"expect": None}) == Spec(schedule=schedule)
    assert VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    ("rate", "more", "met"),
    [
        (0.6, {}, True),
        (0.6 * (1 + 9e-7), {}, True),
        (0.6 * (1 + 1.1e-6), {}, False),
        (0.6 * (1 - 1.1e-6), {}, False),
        (0.54, {"tolerance": 0.11}, True),
        (0.54, {"tolerance": 0.09}, False),
        (0.6000001, {"tolerance": 0.0}, False),
    ],
)
def test_a_rate_is_compared_with_the_stated_tolerance(rate, more, met):
    assert (problems(expecting(rate, **more)) == []) == met


def test_an_unmet_expectation_is_reported_at_its_rate():
    text = """\
kind: LinearLR
total_steps: 4
expect:
  base_lr: 0.8
  rates:
    - {step: 0, lr: 0.8}
    - {step: 1, lr: 0.5}
    - {lr: 0.1, step: 4}
"""
    checked = check(read(text, "a.yaml"))
    assert checked.spec is None
    assert [*map(str, checked.problems)] == [
        f"a.yaml:7:21: error[expectation]: at step 1 the rate is {0.8 * 0.75!r}, expected 0.5",
        "a.yaml:8:12: error[expectation]: at step 4 the rate is 0.0, expected 0.1",
    ]


def test_the_end_of_a_cosine_meets_an_expectation_of_0():
    decay = {"kind": "RampLR", "total_steps": 7, "ease": "cosine", "end_factor": 1e-13}
    expect = {"base_lr": 0.1, "rates": [{"step": 7, "lr": 0.0}]}
    assert problems({**decay, "expect": expect}) == []
    assert len(problems({**decay, "end_factor": 1e-11, "expect": expect})) == 1


def test_a_step_without_a_rate_is_reported():
    growth = {"kind": "ExponentialLR", "gamma": 1e200}
    expect = {"base_lr": 0.1, "rates": [{"step": 9, "lr": 0.0}, {"step": 0, "lr": 0.1}]}
    [(path, message)] = problems({**growth, "expect": expect})
    assert path == ("expect", "rates", 0, "lr")
    assert message.startswith("at step 9 there is no rate: ")


@pytest.mark.parametrize(
    ("expect", "path"),
    [
        (None, ("expect",)),
        ([], ("expect",)),
        ({}, ("expect",)),
        ({**EXPECT, "rates": []}, ("expect", "rates")),
        ({**EXPECT, "rates": {}}, ("expect", "rates")),
        ({**EXPECT, "base_lr": -0.1}, ("expect", "base_lr")),
        ({**EXPECT, "tolerance": 1}, ("expect", "tolerance")),
        ({**EXPECT, "tolerance": "1e-3"}, ("expect", "tolerance")),
        ({**EXPECT, "base": 1}, ("expect", "base")),
        ({**EXPECT, "rates": [{"step": 1.5, "lr": 1}]}, ("expect", "rates", 0, "step")),
        ({**EXPECT, "rates": [{"step": 1, "lr": 1}, {"step": 1}]}, ("expect", "rates", 1)),
        ({**EXPECT, "rates": [1]}, ("expect", "rates", 0)),
    ],
)
def test_invalid_expectations_are_rejected_by_model_and_schema(expect, path):
    document = {**LINEAR, "expect": expect}
    assert path in [where for where, _ in problems(document)]
    assert not VALIDATOR.is_valid(document)


IN_OPTIMIZER = {**LINEAR, "optimizer": {"lr": 0.8}}


@pytest.mark.parametrize(("rate", "unmet"), [(0.6, 0), (0.5, 1)])
def test_without_a_base_rate_of_their_own_rates_are_for_that_of_the_optimizer(rate, unmet):
    document = {**IN_OPTIMIZER, "expect": {"rates": [{"step": 1, "lr": rate}]}}
    assert len(problems(document)) == unmet
    assert VALIDATOR.is_valid(document)


def test_the_base_rate_of_an_expectation_must_be_that_of_the_optimizer():
    assert problems({**IN_OPTIMIZER, "expect": EXPECT}) == []
    assert problems({**IN_OPTIMIZER, "expect": {**EXPECT, "base_lr": 0.9}}) == [
        (("expect", "base_lr"), "base_lr is 0.9, and lr under `optimizer` is 0.8")
    ]


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": {"weight_decay": 0.1}}])
def test_rates_without_any_base_rate_are_refused_by_model_and_schema(optimizer):
    document = {**LINEAR, **optimizer, "expect": {"rates": EXPECT["rates"]}}
    assert problems(document) == [
        (("expect", "rates"), "rates need `base_lr`, or `lr` under `optimizer`")
    ]
    assert len([*VALIDATOR.iter_errors(document)]) == 1


@pytest.mark.parametrize("kind", ["SequentialLR", "RepeatLR"])
def test_only_the_root_has_expectations(kind):
    fields = json.loads(json.dumps(CATALOGUE[kind].examples[0]))
    child = fields["scheduler"] if "scheduler" in fields else fields["schedulers"][0]
    child["expect"] = EXPECT
    with pytest.raises(SpecError) as error:
        parse({"kind": kind, **fields})
    [problem] = error.value.problems
    assert (problem.code, problem.path[-1]) == ("unknown-field", "expect")
    assert problem.hint == "only the root of a document has it"
    assert not VALIDATOR.is_valid({"kind": kind, **fields})


def test_a_state_can_have_expectations():
    schedule = parse(LINEAR).schedule
    state = {**LINEAR, "last_epoch": 2, "base_lrs": [0.8], "digest": digest(schedule)}
    assert problems({**state, "expect": EXPECT}) == []
    assert parse({**state, "expect": EXPECT}).is_state
    assert VALIDATOR.is_valid({**state, "expect": EXPECT})
    assert len(problems({**state, "expect": {**EXPECT, "base_lr": 0.9}})) == 1


WARMED = """\
kind: WarmupCosineScheduler
warmup_steps: 10%
total_steps: 100%
min_lr: 0.1
expect:
  base_lr: 0.5
  rates:
    - {step: 5%, lr: 0.255}
    - {step: 2ep, lr: 0.5}
    - {step: 1dur, lr: 0.1}
clock: {total_steps: 1000, steps_per_epoch: 50}
"""


def test_steps_in_other_units_are_compared_once_a_clock_counts_them():
    assert check(read(WARMED, "a.yaml")).problems == ()
    wrong = check(read(WARMED.replace("0.255", "0.25"), "a.yaml"))
    assert [*map(str, wrong.problems)] == [
        "a.yaml:8:22: error[expectation]: at step 50 the rate is 0.255, expected 0.25"
    ]


def test_expectations_are_evaluated_for_the_given_run():
    run = Options(clock=Clock(total_steps=2000, steps_per_epoch=100))
    problems = check(read(WARMED, "a.yaml"), run).problems
    assert [problem.path for problem in problems] == [("expect", "rates", 0, "lr")]
    assert problems[0].message.startswith("at step 100 the rate is 0.2525, expected")


@given(st.integers(1, 9), st.integers(20, 10**6))
@settings(deadline=None)
def test_a_share_of_the_run_is_the_step_computed_by_hand(tenths, total):
    step = (tenths * total + 5) // 10
    rate = Linear(total_steps=total).lr(step, 0.8)
    text = f"""
kind: LinearLR
total_steps: 100%
expect: {{base_lr: 0.8, tolerance: 0.0, rates: [{{step: {tenths}0%, lr: {rate!r}}}]}}
clock: {{total_steps: {total}}}
"""
    assert check(read(text, "a.yaml")).problems == ()


def test_without_a_clock_an_expectation_in_other_units_names_each_step():
    text = WARMED.replace("clock: {total_steps: 1000, steps_per_epoch: 50}\n", "")
    problems = check(read(text, "a.yaml")).problems
    assert [problem.path for problem in problems if problem.path[0] != "expect"] == [
        ("warmup_steps",),
        ("total_steps",),
    ]
    assert {problem.code for problem in problems} == {"clock"}


def test_only_the_steps_of_expectations_may_wait_for_a_clock():
    text = "{kind: LinearLR, total_steps: 4, expect: {base_lr: 0.8, rates: [{step: 50%, lr: 0.4}]}"
    assert check(read(f"{text}, clock: {{total_steps: 4}}}}", "a.yaml")).problems == ()
    [problem] = check(read(f"{text}}}", "a.yaml")).problems
    assert (problem.code, problem.path) == ("clock", ("expect", "rates", 0, "step"))


DECAY = {"kind": "RampLR", "total_steps": 4, "end_factor": 10.0}
EMA = {"kind": "RampLR", "total_steps": 4, "start_factor": 0.992, "end_factor": 1.0}
FROZEN = {"kind": "TableLR", "milestones": [0, 2], "factors": [0.0, 0.5]}
TARGETS = {
    **LINEAR,
    "also": [
        {"set": "weight_decay", "schedule": DECAY},
        {"value": "ema", "schedule": EMA},
        {"set": "lr", "groups": "head", "scaled_by": FROZEN},
        {"set": "momentum", "groups": "head", "base": 0.5, "schedule": DECAY},
        {"set": "eps", "groups": "head", "schedule": {"kind": "HoldLR", "fixed_lr": 1e-8}},
    ],
}
NAMED = {**TARGETS, "param_groups": ["body", "head"]}


def of_targets(*values, document=TARGETS, **more):
    """What is not met of the values that a document with targets expects."""
    return problems({**document, "expect": {"values": [*values], **more}})


@pytest.mark.parametrize(
    "value",
    [
        {"step": 2, "of": "ema", "is": 0.996},
        {"step": 2, "of": "weight_decay", "base": 0.04, "is": 0.22},
        {"step": 4, "of": "weight_decay", "base": 0.0, "is": 0.0},
        {"step": 0, "of": "lr", "group": "head", "is": 0.0, "base": 0.8},
        {"step": 3, "of": "lr", "group": "head", "is": 0.1, "base": 0.8},
        {"step": 3, "of": "lr", "is": 0.2, "base": 0.8},
        {"step": 0, "of": "momentum", "group": "head", "is": 0.5},
        {"step": 9, "of": "eps", "group": "head", "is": 1e-8},
    ],
)
def test_the_number_of_a_target_is_compared(value):
    assert of_targets(value) == []
    assert VALIDATOR.is_valid({**TARGETS, "expect": {"values": [value]}})
    [(path, message)] = of_targets({**value, "is": value["is"] + 0.5})
    of = value["of"] + (f" of {value['group']}" if "group" in value else "")
    assert path == ("expect", "values", 0, "is")
    assert message.startswith(f"at step {value['step']} {of} is ")


@pytest.mark.parametrize(
    "document",
    [
        {**TARGETS, "optimizer": {"weight_decay": 0.04, "lr": 0.8}},
        {**NAMED, "optimizer": {"weight_decay": 0.04, "lr": 0.8}},
        {
            **TARGETS,
            "param_groups": [
                {"name": "body", "weight_decay": 0.04, "lr": 0.8},
                {"name": "head", "weight_decay": 0.04, "lr": 0.8},
            ],
        },
    ],
)
def test_a_value_finds_the_own_number_of_its_group_in_the_document(document):
    decay = {"step": 2, "of": "weight_decay", "is": 0.22}
    rate = {"step": 1, "of": "lr", "is": 0.6}
    of_head = {"step": 3, "of": "lr", "group": "head", "is": 0.1}
    assert of_targets(decay, rate, of_head, document=document) == []


def test_a_value_of_lr_is_for_the_base_rate_of_the_expectation():
    rates = [{"step": 1, "lr": 0.6}]
    value = {"step": 3, "of": "lr", "group": "head", "is": 0.1}
    assert of_targets(value, base_lr=0.8, rates=rates) == []
    assert of_targets(value, base_lr=0.8) == []


def test_without_the_own_number_of_a_group_a_value_cannot_be_compared():
    assert of_targets({"step": 2, "of": "weight_decay", "is": 0.22}) == [
        (
            ("expect", "values", 0, "of"),
            "the number that the factors of weight_decay multiply is unknown",
        )
    ]
    groups = [{"name": "body", "weight_decay": 0.1}, {"name": "head", "weight_decay": 0.2}]
    document = {**TARGETS, "param_groups": groups}
    value = {"step": 0, "of": "weight_decay", "is": 0.1}
    assert of_targets(value, document=document) == [
        (
            ("expect", "values", 0, "of"),
            "the param groups have different numbers of their own for weight_decay",
        )
    ]
    assert of_targets({**value, "group": "body"}, document=document) == []


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({"of": "weight_deacy"}, "of"),
        ({"of": "momentum"}, "of"),
        ({"of": "ema", "group": "head"}, "group"),
        ({"of": "lr", "group": "heads"}, "group"),
    ],
)
def test_a_value_that_no_target_gives_is_an_error(value, key):
    [(path, _)] = of_targets({"step": 0, "is": 1.0, **value}, document=NAMED)
    assert path == ("expect", "values", 0, key)


def test_expectations_of_values_are_written_as_they_are_read_and_counted_by_the_clock():
    values = [{"step": "50%", "of": "ema", "is": 0.996}, {"step": 0, "of": "ema", "is": 0.992}]
    expect = {"values": values, "tolerance": 1e-9}
    spec = parse({**TARGETS, "expect": expect, "clock": {"total_steps": 4}})
    assert spec.model_dump()["expect"] == expect
    assert [*unmet(spec.resolve())] == []
    assert [item.step for item in spec.resolve().expect.values] == [2, 0]


@pytest.mark.parametrize(
    "expect",
    [
        {"values": []},
        {"values": [{"step": 0, "of": "ema"}]},
        {"values": [{"step": 0, "of": "a b", "is": 1.0}]},
        {"values": [{"step": 0, "of": "ema\n", "is": 1.0}]},
        {"values": [{"step": 0, "of": 3, "is": 1.0}]},
        {"values": [{"step": 0, "of": "ema", "is": "1"}]},
        {"values": [{"step": 0, "of": "ema", "is": 1.0, "base": None}]},
        {"values": [{"step": 0, "of": "ema", "is": 1.0, "group": ""}]},
        {"values": [{"step": 0, "of": "ema", "is_": 1.0, "is": 1.0}]},
        {"values": [{"step": 0, "of": "ema", "is": 1.0}], "rates": [{"step": 0, "lr": 1.0}]},
        {"rates": [{"step": 0, "lr": 1.0}]},
        {"base_lr": 1.0},
    ],
)
def test_each_mistake_in_the_expectation_of_a_value_is_one_error(expect):
    document = {**TARGETS, "expect": expect}
    assert len(problems(document)) == 1
    assert len([*VALIDATOR.iter_errors(document)]) == 1
