"""The key steps that `olm show` lists: what each label claims is compared with the rates."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import olm
from olm.cli.aligned import aligned
from olm.cli.drawing.tables import key_rows
from olm.kinds import KINDS
from olm.schedule.evaluation import usable
from olm.schedule.showing.key_steps import key_steps

from .strategies import schedules

ONLY_AT_AN_END = {"last training step", "final rate, held", "end of the schedule, held"}


def reasons(schedule, base=1.0, run=None, total=None):
    """The labels with their steps."""
    shown = total or run or schedule.horizon()
    text = {key.step: key.why for key in key_steps(schedule, base, shown, run)}
    found = {}
    for step, why in text.items():
        for label in re.split(r"(?<!final rate)(?<!of the schedule), ", why):
            found.setdefault(label, step)
    return found


@settings(deadline=None, max_examples=300)
@given(schedules(depth=2), st.sampled_from([1.0, 0.1]), st.data())
def test_what_a_label_claims_of_a_step_is_so(schedule, base, data):
    horizon = schedule.horizon()
    assert horizon >= 1
    assume(horizon <= 10**5)
    run = data.draw(st.none() | st.integers(1, 2 * horizon))
    total = data.draw(st.none() | st.integers(1, 2 * horizon)) or run or horizon
    every = np.arange(total + 1)
    with np.errstate(all="ignore"):
        assume(usable(schedule.evaluate(every, np.array([base]))).all())
    rates = schedule.lr(every, base)
    ends, held = schedule.ends_at(), schedule.holds_from()
    high = rates.max() * (1 - 1e-12)
    for label, step in reasons(schedule, base, run, total).items():
        match label:
            case "first step":
                assert step == 0
            case "peak":
                assert rates[step] >= high
                assert rates[:step].max() < high > rates[step:].min()
            case "highest rate":
                assert rates[step] >= high > rates[:step].max()
                assert (rates[held:] == rates[-1]).all()
            case "halfway down":
                middle = (rates[(rates >= high).argmax()] + rates[-1]) / 2
                assert rates[step] <= middle < rates[step - 1]
                assert total == run or (rates[held:] == rates[-1]).all()
            case "last training step":
                assert step + 1 == (ends if run is None else run) <= total
            case "end of the run":
                assert step == run
            case "final rate, held" | "end of the schedule, held":
                assert step == max(held, ends)
                assert (rates[step:] == rates[step]).all()
                assert schedule.lr(10**9, base) == rates[step]
            case "held from here":
                assert (ends or total + 1) > total
                assert not schedule.metric_driven
                assert (rates[step:] == rates[step]).all()
                assert schedule.lr(10**9, base) == rates[step]
            case "last step shown":
                assert step == total != run
            case _:
                assert label.endswith(" begins")
                assert step in [part.start for part in schedule.parts()]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("ExponentialLR", {"gamma": 0.9}),
        ("HoldLR", {}),
        ("WarmupLR", {"warmup_steps": 100}),
        ("MultiStepLR", {"milestones": [30, 80]}),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0}),
        ("ReduceLROnPlateau", {}),
        ("RepeatLR", {"scheduler": {"kind": "LinearDecayLR", "total_steps": 8}, "period": 8}),
    ],
)
def test_no_end_is_invented_for_a_schedule_that_has_none_in_a_run_of_unknown_length(kind, fields):
    schedule = KINDS[kind](**fields)
    listed = reasons(schedule)
    assert not {*listed} & ONLY_AT_AN_END
    assert "halfway down" not in listed or schedule.holds_from() is not None
    assert reasons(schedule, run=50)["last training step"] == 49


def test_the_steps_that_are_asked_for_are_not_taken_for_a_run():
    """Of 100 steps 50 are shown: step 49 is not the last, and nothing is halfway to step 50."""
    schedule = KINDS["LinearDecayLR"](total_steps=100)
    assert reasons(schedule, total=50) == {"first step": 0, "last step shown": 50}
    assert reasons(schedule, total=200) == {
        "first step": 0,
        "halfway down": 50,
        "last training step": 99,
        "final rate, held": 100,
    }


def test_the_rate_that_holds_without_an_end_is_part_of_the_picture():
    """AlphaZero falls at step 500,000 the last time, and its picture must not end there."""
    falls = KINDS["MultiStepLR"](milestones=[100_000, 300_000, 500_000])
    assert falls.horizon() == 625_000
    assert KINDS["WarmupLR"](warmup_steps=100).horizon() == 125
    assert KINDS["LinearDecayLR"](total_steps=100).horizon() == 100
    cycle = {"kind": "OneCycleLR", "max_lr": 0.1, "total_steps": 100}
    assert olm.parse(cycle).schedule.horizon() == 100


def shares(document, base, **known):
    spec = olm.parse(document)
    rows = [
        line.split("  ") for line in aligned(key_rows(spec, base, spec.schedule.horizon(), **known))
    ]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows[1:]]
    return {row[-1]: row[2] if len(row) > 3 else None for row in cells}


def test_a_share_of_a_base_rate_that_nobody_specified_is_left_out_where_it_depends_on_it():
    cycle = {"kind": "OneCycleLR", "max_lr": 1e-3, "total_steps": 100}
    assert {*shares(cycle, 1.0, base_is_known=False).values()} == {None}
    assert shares(cycle, 0.01)["peak"] == "10 %"
    cosine = {"kind": "WarmupCosineScheduler", "warmup_steps": 4, "total_steps": 20}
    assert shares(cosine, 1.0, base_is_known=False) == {
        "first step": "25 %",
        "peak": "100 %",
        "halfway down": "50 %",
        "last training step": "0.961 %",
        "final rate, held": "0 %",
    }
    floor = shares({**cosine, "min_lr": 1e-5}, 1.0, base_is_known=False)
    assert (floor["peak"], floor["final rate, held"]) == ("100 %", None)


@pytest.mark.parametrize("total", [1, 10])
def test_a_cycle_without_a_way_down_holds_one_step_after_its_highest_rate(total):
    fields = {"max_lr": 1.0, "total_steps": total, "pct_start": 1.0, "final_div_factor": 10.0}
    cycle = KINDS["OneCycleLR"](**fields)
    assert cycle.lr([total - 1, total, total + 1], 1.0).tolist() == [1.0, 0.004, 0.004]
    assert cycle.holds_from() == cycle.ends_at() == total
    assert reasons(cycle)["last training step"] == total - 1


@given(schedules(depth=1), st.sampled_from([1.0, 0.1]))
def test_a_rate_holds_from_where_a_schedule_says_that_it_does(schedule, base):
    held = schedule.holds_from()
    assume(held is not None)
    steps = np.array([held, held + 1, held + 1000, held + 10**9], float)
    rates = schedule.evaluate(steps, np.array([base]))
    assert len({*rates}) == 1
