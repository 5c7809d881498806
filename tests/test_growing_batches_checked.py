"""What `olm check` and `olm diff` find in specs whose batch grows, or that have an axis."""

import json

import pytest

from olm.checking.check import Options, check
from olm.cli import main
from olm.schedule.clock import Clock
from olm.text.document import read

LINT = Options(lint=True)
RAMP = "{start: 16, end: 1536, by: 16, over: 12e9tok}"
CLOCK = f"clock: {{total_steps: 300e9tok, tokens_per_sample: 2048, batch_ramp: {RAMP}}}\n"


def found(text):
    checked = check(read(text, "a.yaml"), LINT)
    assert checked.spec is not None, checked.problems
    return [(problem.code, problem.message) for problem in checked.problems]


def along(axis, child, clock=CLOCK, fields=""):
    return f"kind: TimeLR\naxis: {axis}\n{fields}scheduler: {child}\n{clock}"


@pytest.mark.parametrize(
    ("number", "is_found"),
    [("2000", True), ("32767", True), ("32768", False), ("2000st", False), ("2000tok", False)],
)
def test_a_bare_number_below_an_axis_is_reported_if_it_is_less_than_a_step(number, is_found):
    child = f"{{kind: WarmupCosineScheduler, warmup_steps: {number}, total_steps: 300e9tok}}"
    codes = [code for code, _ in found(along("tokens", child))]
    assert ("less-than-a-step" in codes) == is_found


def test_defaults_and_numbers_above_an_axis_are_not_reported():
    child = "{kind: LinearLR, total_steps: 300e9tok}"
    assert found(along("tokens", child, fields="every: 1\nfirst: 0\n")) == []
    above = "kind: SequentialLR\nmilestones: [5]\nschedulers:\n  - {kind: HoldLR}\n"
    inner = "  - {kind: TimeLR, axis: tokens, scheduler: {kind: HoldLR}}\n"
    assert found(above + inner + CLOCK) == []


def test_a_list_below_an_axis_and_an_axis_in_a_target_are_reported_with_their_places():
    child = "{kind: MultiStepLR, milestones: [30, 60, 1000000000]}"
    target = f"also:\n  - set: weight_decay\n    base: 0.1\n    schedule: {{{'{}'}}}\n"
    inner = f"kind: TimeLR, axis: samples, scheduler: {child}"
    text = "kind: HoldLR\n" + target.replace("{}", inner) + CLOCK
    problems = check(read(text, "a.yaml"), LINT).problems
    reported = [problem.path for problem in problems if problem.code == "less-than-a-step"]
    place = ("also", 0, "schedule", "scheduler", "milestones")
    # A step takes 16 samples at the start, so 30 and 60 are more than one.
    assert reported == []
    text = text.replace("[30, 60,", "[3, 60,")
    problems = check(read(text, "a.yaml"), LINT).problems
    reported = [problem.path for problem in problems if problem.code == "less-than-a-step"]
    assert reported == [(*place, 0)]


def test_a_curve_along_tokens_to_the_end_of_the_run_ends_with_the_run():
    child = "{kind: LinearLR, total_steps: 100%}"
    for total in ("300e9tok", "300.001e9tok", "300.002e9tok"):
        clock = CLOCK.replace("300e9tok", total)
        assert found(along("tokens", child, clock)) == []


def test_warnings_below_an_axis_are_in_its_unit():
    child = "{kind: WarmupCosineScheduler, warmup_steps: 200e9tok, total_steps: 300e9tok}"
    message = (
        "the warm-up takes 200,000,000,000 of 300,000,000,000 tokens, more than half of the run"
    )
    assert found(along("tokens", child)) == [("warmup-too-long", message)]


@pytest.fixture
def diff(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(a, b, *options):
        for name, text in (("a.olm.yaml", a), ("b.olm.yaml", b)):
            (tmp_path / name).write_text(text)
        main(["diff", "a.olm.yaml", "b.olm.yaml", *options])
        return capsys.readouterr().out

    return run


def test_a_difference_of_ramps_names_the_field(diff):
    ours = along("tokens", "{kind: LinearLR, total_steps: 300e9tok}")
    theirs = ours.replace("12e9tok", "24e9tok")
    first, *_ = diff(ours, theirs).splitlines()
    assert first == "clock.batch_ramp.over: a.olm.yaml has 12e9tok, b.olm.yaml 24e9tok"
    fields = json.loads(diff(ours, theirs, "--json"))["clock"]
    changed = {"path": "clock.batch_ramp.over", "a": "12e9tok", "b": "24e9tok", "only_in": None}
    assert fields == [changed]


def test_a_difference_of_stages_names_the_stage_and_its_field(diff):
    ours = "{from: 0, samples: 8}, {from: 50, samples: 16}"
    more = "{from: 0, samples: 8}, {from: 50, samples: 32}, {from: 70, samples: 64}"
    texts = [
        f"{{kind: LinearLR, total_steps: 100, clock: {{batch_stages: [{each}]}}}}"
        for each in (ours, more)
    ]
    assert diff(*texts).splitlines()[:2] == [
        "clock.batch_stages[1].samples: a.olm.yaml has 16, b.olm.yaml 32",
        "clock.batch_stages[2]: only b.olm.yaml has it, {from: 70, samples: 64}",
    ]


def test_a_ramp_in_place_of_a_constant_batch_is_shown_in_full(diff):
    ours = "{kind: HoldLR, clock: {samples_per_step: 8}}"
    theirs = f"{{kind: HoldLR, clock: {{batch_ramp: {RAMP}}}}}"
    lines = diff(ours, theirs).splitlines()
    assert f"clock.batch_ramp: only b.olm.yaml has it, {RAMP}" in lines


def test_durations_along_an_axis_are_compared_in_its_unit(diff):
    ours = along("tokens", "{kind: LinearLR, total_steps: 200e9tok}")
    theirs = ours.replace("200e9tok", "250e9tok")
    first, *_ = diff(ours, theirs).splitlines()
    assert first == (
        "scheduler.total_steps: a.olm.yaml has 200e9tok (200,000,000,000 tokens), "
        "b.olm.yaml 250e9tok (250,000,000,000 tokens)"
    )


def test_an_axis_without_numbers_in_its_clock_is_not_compared_and_names_the_option(diff):
    ours = along("tokens", "{kind: LinearLR, total_steps: 2000000}", "")
    out = diff(ours, ours.replace("LinearLR", "LinearDecayLR"))
    assert "give --tokens-per-step" in out


def test_a_curve_that_ends_a_step_after_a_run_in_steps_is_reported():
    """Only a run length in samples or tokens is rounded, so that its curve may end a part later."""
    line = {"kind": "LinearLR", "total_steps": 110}
    along = {"kind": "TimeLR", "axis": "samples", "per_step": [[0, 10]], "scheduler": line}
    text = json.dumps(along)
    for total, expected in ((11, []), (10, ["ends-elsewhere"]), ("104sp", [])):
        clock = Clock(total_steps=total, samples_per_step=10)
        problems = check(read(text, "a.json"), Options(lint=True, clock=clock)).problems
        found = [one.code for one in problems if one.code == "ends-elsewhere"]
        assert found == expected
