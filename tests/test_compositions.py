"""Schedules made of schedules: which part applies when, and the rates by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import olm
from olm.fields.types import MAX_STEPS
from olm.kinds import KINDS
from olm.problem import RateError
from strategies import schedules
from training import EXAMPLES


def make(kind, **fields):
    return KINDS[kind](**fields)


UP = make("RampLR", total_steps=10, start_factor=0.0, end_factor=1.0)
DOWN = make("LinearDecayLR", total_steps=20)
FLAT = make("HoldLR")


def test_a_sequence_in_a_repeat_in_a_clamp_above_a_floor():
    """The example of the guide: three rises and decays, each lower and slower, once per epoch."""
    cycle = make(
        "SequentialLR",
        schedulers=[
            make("RampLR", total_steps=200, start_factor=0.1, end_factor=1.0),
            make("CosineAnnealingLR", T_max=800),
        ],
        milestones=[200],
    )
    cycles = make("RepeatLR", scheduler=cycle, period=1000, growth=2.0, shrink=0.5, count=3)
    floor = make("HoldLR", fixed_lr=1e-5)
    schedule = make("TimeLR", scheduler=make("MaximumLR", schedulers=[cycles, floor]), every=100)
    assert schedule.depth == 5
    assert [schedule.lr(step, 0.8) for step in (0, 99)] == pytest.approx([0.08, 0.08], rel=1e-15)
    assert schedule.lr(100, 0.8) == pytest.approx(0.44, rel=1e-15)
    assert schedule.lr(200, 0.8) == schedule.lr(299, 0.8) == 0.8
    assert schedule.lr(600, 0.8) == pytest.approx(0.4, rel=1e-15)
    # The second cycle starts at step 1,000, lasts 2,000 steps and is half as high.
    assert schedule.lr(1000, 0.8) == pytest.approx(0.04, rel=1e-15)
    assert schedule.lr(1400, 0.8) == pytest.approx(0.4, rel=1e-15)
    assert schedule.lr(2200, 0.8) == pytest.approx(0.2, rel=1e-15)
    # The third lasts from 3,000 to 7,000, where the schedule ends.
    assert schedule.lr(3800, 0.8) == pytest.approx(0.2, rel=1e-15)
    assert {schedule.lr(step, 0.8) for step in (7000, 7001, 10**9)} == {1e-5}
    assert schedule.holds_from() == 7000


def test_sequential_and_simultaneous_parts_count_their_own_steps():
    turns = make("SequentialLR", schedulers=[UP, FLAT, DOWN], milestones=[10, 30])
    assert turns.parts() == [(0, 10, UP), (10, 30, FLAT), (30, MAX_STEPS, DOWN)]
    assert [turns.part_steps(step) for step in (0, 9, 10, 30, 99)] == [
        [0, None, None],
        [9, None, None],
        [None, 0, None],
        [None, None, 0],
        [None, None, 69],
    ]
    together = make("ChainedScheduler", schedulers=[UP, DOWN])
    assert together.parts() == [(0, MAX_STEPS, UP), (0, MAX_STEPS, DOWN)]
    assert together.part_steps(7) == [7, 7]
    assert (turns.holds_from(), together.holds_from()) == (50, 20)
    assert turns.marks() == [10, 30, 50]


def test_phases_are_a_sequence_by_lengths_whose_end_holds():
    phases = make("PhasesLR", schedulers=[UP, make("ExponentialLR", gamma=0.9)], lengths=[10, 5])
    turns = make("SequentialLR", schedulers=phases.schedulers, milestones=[10])
    steps = np.arange(16)
    assert phases.lr(steps, 0.8).tolist() == turns.lr(steps, 0.8).tolist()
    assert phases.lr(10**9, 0.8) == phases.lr(15, 0.8) == 0.8 * 0.9**5
    assert (phases.holds_from(), phases.marks()[-1]) == (15, 15)


def test_a_product_of_one_equals_it_and_several_multiply_factors():
    steps = np.arange(30)
    assert make("ChainedScheduler", schedulers=[DOWN]).lr(steps, 0.3).tolist() == (
        DOWN.lr(steps, 0.3).tolist()
    )
    product = make("ChainedScheduler", schedulers=[UP, DOWN]).lr(steps, 0.3)
    assert product == pytest.approx(UP.lr(steps, 1.0) * DOWN.lr(steps, 0.3), rel=1e-14)
    assert make("ChainedScheduler", schedulers=[UP, DOWN]).lr(5, 0.0) == 0.0


@pytest.mark.parametrize(
    ("growth", "starts"),
    [(1.0, [0, 10, 20, 30]), (2.0, [0, 10, 30, 70, 150]), (3.0, [0, 10, 40, 130, 400, 1210])],
)
def test_a_repeat_starts_each_cycle_exactly_at_its_step(growth, starts):
    """At 1,210, a logarithm with a rounding error would still be in the previous cycle."""
    repeat = make(
        "RepeatLR", scheduler=make("LinearDecayLR", total_steps=10), period=10, growth=growth
    )
    assert {repeat.lr(start, 0.8) for start in starts} == {0.8}
    for start in starts[1:]:
        assert 0 < repeat.lr(start - 1, 0.8) < 0.1


def test_a_repeat_with_a_count_ends_where_its_last_cycle_does():
    repeat = make("RepeatLR", scheduler=DOWN, period=20, shrink=0.5, count=2)
    assert repeat.lr([0, 10, 20, 30, 40, 99], 0.8).tolist() == [0.8, 0.4, 0.4, 0.2, 0.0, 0.0]
    assert repeat.holds_from() == 40
    quicker = make("RepeatLR", scheduler=DOWN, period=20, growth=0.5, count=3)
    assert quicker.lr([0, 20, 30, 34, 35, 99], 0.8).tolist() == pytest.approx(
        [0.8, 0.8, 0.8, 0.8 * 0.2, 0.0, 0.0], abs=1e-15
    )
    assert quicker.holds_from() == 35


def test_a_clock_is_shifted_coarsened_and_stopped():
    behind = make("TimeLR", scheduler=DOWN, shift=-5)
    assert behind.lr([0, 5, 6, 15, 25], 0.8).tolist() == DOWN.lr([0, 0, 1, 10, 20], 0.8).tolist()
    coarse = make("TimeLR", scheduler=DOWN, every=8)
    assert coarse.lr([0, 7, 8, 15, 16, 23, 24], 0.8).tolist() == (
        DOWN.lr([0, 0, 8, 8, 16, 16, 24], 0.8).tolist()
    )
    stopped = make("TimeLR", scheduler=DOWN, first=3, last=12)
    assert stopped.lr([0, 3, 4, 12, 99], 0.8).tolist() == DOWN.lr([3, 3, 4, 12, 12], 0.8).tolist()
    assert (behind.holds_from(), coarse.holds_from(), stopped.holds_from()) == (25, 24, 12)


def test_a_minimum_and_a_maximum_are_computed_at_each_step():
    schedulers = [UP, DOWN]
    steps = np.arange(25)
    rates = np.array([part.lr(steps, 0.8) for part in schedulers])
    assert (make("MinimumLR", schedulers=schedulers).lr(steps, 0.8) == rates.min(axis=0)).all()
    assert (make("MaximumLR", schedulers=schedulers).lr(steps, 0.8) == rates.max(axis=0)).all()


@pytest.mark.parametrize("document", EXAMPLES)
def test_every_schedule_can_be_repeated_clamped_multiplied_and_bounded(document):
    """A composition of one schedule that changes nothing has its rates, to the bit."""
    inner = olm.parse(document).schedule
    steps = np.arange(60)
    own = inner.lr(steps, 0.3)
    for kind, fields in (
        ("TimeLR", {"scheduler": inner}),
        ("ChainedScheduler", {"schedulers": [inner]}),
        ("MinimumLR", {"schedulers": [inner, inner]}),
        ("MaximumLR", {"schedulers": [inner]}),
        ("PhasesLR", {"schedulers": [inner], "lengths": [1000]}),
        ("RepeatLR", {"scheduler": inner, "period": 1000}),
    ):
        around = make(kind, **fields)
        assert around.lr(steps, 0.3).tolist() == own.tolist()
        assert around.children() == around.with_children(around.children()).children()
        assert len(around.parts()) == len(around.children()) == len(around.part_steps(0))
        assert around.horizon() > 0
    repeat = make("RepeatLR", scheduler=inner, period=20)
    assert repeat.lr(steps, 0.3).tolist() == [*own[:20]] * 3


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (
            "RepeatLR",
            {"scheduler": DOWN, "period": 8, "growth": 0.5},
            "before one is shorter than a step",
        ),
        (
            "RepeatLR",
            {"scheduler": DOWN, "period": 8, "growth": 0.5, "count": 5},
            r"growth \(0.5\) below 1, count \(5\) must end",
        ),
        ("TimeLR", {"scheduler": DOWN, "first": 5, "last": 4}, r"first \(5\) must not be above"),
        ("PhasesLR", {"schedulers": [UP, DOWN], "lengths": [10]}, "must have equally many items"),
        ("PhasesLR", {"schedulers": [UP], "lengths": [0]}, "must be at least 1"),
        ("SequentialLR", {"schedulers": [UP, DOWN], "milestones": [0]}, "must be at least 1"),
        ("ChainedScheduler", {"schedulers": []}, "must have at least 1 item"),
    ],
)
def test_parts_that_never_run_are_rejected(kind, fields, said):
    with pytest.raises(ValidationError, match=said):
        make(kind, **fields)


def test_cycles_that_grow_beyond_every_number_of_steps_end_at_the_largest():
    repeat = make("RepeatLR", scheduler=DOWN, period=20, growth=1e5, count=1000)
    assert repeat.holds_from() == repeat.ends_at() == MAX_STEPS


CONTINUED = make(
    "ContinueLR",
    schedulers=[make("LinearLR", total_steps=10, end_lr=0.1), FLAT, make("RampLR", total_steps=4)],
    milestones=[5, 8],
)


def test_each_part_continues_from_the_rate_of_each_param_group():
    """A floor of 0.1: from 0.9, 0.1 and 0 half of the line is 0.5, 0.1 and 0.05."""
    rates = CONTINUED.lr([[0], [5], [7], [8], [10], [12], [99]], base=[0.9, 0.1, 0.0])
    assert rates == pytest.approx(
        np.array([[0.9, 0.1, 0], *[[0.5, 0.1, 0.05]] * 3, [0.25, 0.05, 0.025], [0] * 3, [0] * 3])
    )


@given(schedules(depth=2), st.integers(1, 50), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_a_branch_has_the_rates_of_its_run_up_to_the_milestone_to_the_bit(run, step, base):
    branch = make("ContinueLR", schedulers=[run, FLAT], milestones=[step])
    steps, bases = np.arange(step + 1)[:, None], np.array([base, 0.0, 1e-4])
    try:
        rates, last = run.lr(steps, bases), run.lr(step, base)
    except RateError:
        # What a ramp extrapolates falls below 0.
        with pytest.raises(RateError):
            branch.lr(steps, bases)
        return
    assert (branch.lr(steps, bases) == rates).all()
    assert branch.lr(step + 99, base) == last


def test_a_branch_of_a_branch_appends_to_its_lists():
    """A flat list has the rates of a branch of a branch, to the bit."""
    again = make("RampLR", total_steps=20, start_factor=1.0, end_factor=3.0, ease="cosine")
    nested = make("ContinueLR", schedulers=[CONTINUED, again], milestones=[10])
    flat = make(
        "ContinueLR",
        schedulers=[*CONTINUED.schedulers, again],
        milestones=[*CONTINUED.milestones, 10],
    )
    steps, bases = np.arange(40)[:, None], np.array([0.9, 0.3, 0.1, 0.0])
    assert (nested.lr(steps, bases) == flat.lr(steps, bases)).all()


def test_a_base_rate_of_each_step_continues_as_that_base_rate_alone():
    steps, bases = np.arange(30), np.linspace(0.9, 0.0, 30)
    alone = [CONTINUED.lr(step, base) for step, base in zip(steps, bases, strict=True)]
    assert CONTINUED.lr(steps, bases).tolist() == alone


def test_only_the_last_part_of_a_branch_observes_a_metric():
    """The rate that a plateau has reached is the base rate of what follows."""
    plateau = make("ReduceLROnPlateau", patience=0, factor=0.5)
    branch = make("ContinueLR", schedulers=[plateau, FLAT], milestones=[10])
    lowered = branch.observe(1.0, 3).observe(2.0, 4)
    assert lowered.lr([3, 10, 99], 0.8).tolist() == [0.4] * 3
    assert lowered.observe(3.0, 10) is lowered
