"""A schedule with durations as a multiplier."""

import pickle

import pytest

import olm
from olm.spec.curve_differences import curve_difference

DURATIONS = {"kind": "WarmupCosineScheduler", "warmup_steps": "3%", "total_steps": "2ep"}
RUN = olm.Clock(total_steps=1000, steps_per_epoch=500)


def test_a_multiplier_of_durations_lists_them_and_the_missing_fields_of_the_clock():
    with pytest.raises(olm.SpecError) as error:
        olm.multiplier(DURATIONS)
    assert [(problem.code, problem.path) for problem in error.value.problems] == [
        ("clock", ("warmup_steps",)),
        ("clock", ("total_steps",)),
    ]
    assert "total_steps: 2ep needs a clock with steps_per_epoch" in str(error.value)


@pytest.mark.parametrize(
    ("spec", "clock"),
    [
        (DURATIONS, RUN),
        ({**DURATIONS, "clock": RUN.known}, None),
        ({**DURATIONS, "clock": {"total_steps": 9, "steps_per_epoch": 500}}, RUN),
        ({**DURATIONS, "clock": {"steps_per_epoch": 500}}, olm.Clock(total_steps=1000)),
    ],
)
def test_with_a_clock_it_is_the_multiplier_of_the_schedule_in_steps(spec, clock):
    numbers = {**DURATIONS, "warmup_steps": 30, "total_steps": 1000}
    made, by_hand = olm.multiplier(spec, 0.5, clock=clock), olm.multiplier(numbers, 0.5)
    assert made.spec == by_hand.spec
    again = pickle.loads(pickle.dumps(made))
    assert [again(step) for step in range(1001)] == [by_hand(step) for step in range(1001)]


def test_a_multiplier_is_made_from_a_file(tmp_path):
    path = tmp_path / "run.olm.yaml"
    path.write_text("kind: LinearLR\ntotal_steps: 10\n")
    assert olm.multiplier(path)(5) == olm.multiplier(str(path))(5) == 0.5
    with pytest.raises(FileNotFoundError):
        olm.multiplier(str(tmp_path / "missing.yaml"))


def test_a_multiplier_ignores_expectations_in_other_units():
    expect = {"base_lr": 0.5, "rates": [{"step": "50%", "lr": 0.25}]}
    assert olm.multiplier({"kind": "LinearLR", "total_steps": 4, "expect": expect})(2) == 0.5


def test_curves_of_durations_are_rejected_with_a_list_of_them():
    waiting = olm.parse(DURATIONS).schedule
    steps = waiting.resolve(RUN)
    for pair in ((waiting, steps), (steps, waiting), (waiting, waiting)):
        with pytest.raises(olm.SpecError, match="warmup_steps: 3% needs a clock"):
            curve_difference(*pair, (0.5, 0.5), 100)


def test_a_multiplier_of_a_document_with_targets_is_an_error_that_names_them():
    hold = {"kind": "HoldLR"}
    also = [{"set": "lr", "groups": "head", "schedule": hold}, {"value": "ema", "schedule": hold}]
    with pytest.raises(olm.OlmError, match=r"only the learning rate .* drop lr of head and ema: "):
        olm.multiplier({**hold, "also": also})
