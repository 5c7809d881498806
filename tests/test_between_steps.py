"""Rates between two steps, which a slower clock such as that of `RepeatLR` needs."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from olm.kinds import KINDS
from olm.kinds.cyclic import Cyclic, OneCycle
from olm.kinds.ramp import Ramp
from olm.kinds.restarts import CosineWarmRestarts
from olm.kinds.warmup_decay import decayed
from olm.schedule.curves import between, cycle_start, cycles
from olm.schedule.evaluation import usable
from strategies import schedules

LEAVES = schedules(depth=1)
BASES = st.sampled_from([1.0, 0.3, 1e-5, 0.0]) | st.floats(0, 2)
WITHIN = st.floats(0, 1, exclude_min=True, exclude_max=True)


def make(kind, **fields):
    return KINDS[kind](**fields)


def rates_at(schedule, steps, base):
    """The rates at steps that may be fractional."""
    return schedule.evaluate(np.array(steps, float), np.array([base]))


def turns_between(schedule, step, base):
    """The rates of a kind that changes between two steps, by its documentation."""
    if isinstance(schedule, OneCycle):
        return [rate for at, rate in schedule.turning_points() if step < at < step + 1]
    if isinstance(schedule, Cyclic) and schedule.mode == "exp_range":
        # A line multiplied by a power, each within its bounds.
        plain = schedule.model_copy(update={"mode": "triangular"})
        line = rates_at(plain, [step, step + 1], base) - schedule.base_lr
        powers = [schedule.gamma**step, schedule.gamma ** (step + 1)]
        return [schedule.base_lr + height * power for height in line for power in powers]
    if isinstance(schedule, CosineWarmRestarts):
        return [schedule.eta_min]
    if isinstance(schedule, Ramp) and schedule.past == "repeat":
        return [*rates_at(schedule.model_copy(update={"past": "hold"}), [1e15], base)]
    return []


@given(LEAVES, BASES, st.data())
def test_the_rate_between_two_steps_is_between_their_rates(schedule, base, data):
    horizon = min(schedule.horizon(), 10**6)
    near = st.sampled_from([*schedule.marks(), 0]).map(lambda mark: max(mark - 1, 0))
    step = data.draw(st.integers(0, horizon + 3) | near)
    ends = [*rates_at(schedule, [step, step + 1], base)]
    assume(usable(np.array(ends)).all())
    ends += turns_between(schedule, step, base)
    some = np.array([step + data.draw(WITHIN), step + 0.5, np.nextafter(step + 1, 0)])
    rates = rates_at(schedule, some, base)
    # A formula may subtract numbers that are much larger than the result.
    curve = rates_at(schedule, np.linspace(0, horizon, 50).round(), base)
    fields = [value for _, value in schedule if isinstance(value, float)]
    small = 1e-13 * max(base, *ends, *curve[usable(curve)], *filter(lambda rate: rate < 2, fields))
    assert (rates >= min(ends) - small).all()
    assert (rates <= max(ends) + small).all()


@pytest.mark.parametrize(
    ("warmup", "steps", "rates"),
    [
        # The second cycle is from 20 to 60, at half the speed.
        (10, [36, 37, 38, 39, 40, 59], [0.9, 0.95, 1.0, 1.0, 1.0, 1.0]),
        (1, [0, 1, 20, 21, 22], [1.0, 1.0, 1.0, 1.0, 1.0]),
        (2, [20, 21, 22, 23, 24], [0.5, 0.75, 1.0, 1.0, 1.0]),
        (0, [0, 20, 21], [1.0, 1.0, 1.0]),
    ],
)
def test_a_slowed_warm_up_ends_at_the_base_rate_and_not_above_it(warmup, steps, rates):
    inner = make("WarmupLR", warmup_steps=warmup)
    slowed = make("RepeatLR", period=20, growth=2.0, scheduler=inner)
    assert slowed.lr(steps, 1.0).tolist() == pytest.approx(rates, rel=1e-15)
    assert slowed.lr(np.arange(1000), 1.0).max() == 1.0


@pytest.mark.parametrize("warmup", [1, 2, 5])
def test_a_slowed_warm_up_from_above_never_falls_below_the_base_rate(warmup):
    inner = make("WarmupLR", warmup_steps=warmup, start_lr=1.0)
    slowed = make("RepeatLR", period=5, growth=2.0, scheduler=inner)
    for base in (0.0, 0.1):
        # The last step of the rise in OLM misses the base rate by a rounding error.
        assert slowed.lr(np.arange(500), base).min() == pytest.approx(base, rel=1e-15)


@given(schedules(depth=2), BASES)
def test_a_clock_that_is_the_optimizers_changes_no_rate_between_steps(schedule, base):
    steps = np.linspace(0, 30, 61)
    own = rates_at(schedule, steps, base)
    np.testing.assert_array_equal(rates_at(make("TimeLR", scheduler=schedule), steps, base), own)


GROWTHS = st.integers(50, 300).filter(lambda share: share != 100)


@example(110, 50, 2, [30])  # At step 83 it is (83 - 50) / 1.1, in floats 29.999999999999996.
@example(220, 20, 2, [15])
@example(80, 50, 3, [25])
@given(GROWTHS, st.integers(1, 60), st.integers(1, 6), st.lists(st.integers(1, 60), max_size=4))
def test_a_slowed_schedule_is_at_the_step_of_its_own_that_it_is_on_paper(
    hundredths, period, count, milestones
):
    """A milestone whose exact step is an integer is reached there, however floats are rounded."""
    growth, milestones = Fraction(hundredths, 100), sorted(milestones)
    inner = make("MultiStepLR", milestones=milestones, gamma=0.5)
    fields = {"scheduler": inner, "period": period, "growth": hundredths / 100}
    assume(growth > 1 or period * growth ** (count - 1) >= 1)
    starts = [period * sum(growth**number for number in range(index)) for index in range(count + 1)]
    repeat = make("RepeatLR", **fields, count=count)
    assert repeat.holds_from() == -(-starts[-1] // 1)
    for index, start in enumerate(starts[:-1]):
        first, last = -(-start // 1), -(-starts[index + 1] // 1)
        steps = [*range(first, min(first + 100, last))]
        own = [(step - start) / growth**index for step in steps]
        passed = [sum(step >= milestone for milestone in milestones) for step in own]
        assert repeat.lr(steps, 1.0).tolist() == [0.5**count for count in passed]


@pytest.mark.parametrize(
    ("period", "growth", "count", "end"),
    [
        # 3, 10 + 11, 10 + 12 + 14.4, 1000 + 100 + 10 + 1, 4 + 6 + 9 + 13.5 on paper.
        (3, 0.58, 1, 3),
        (10, 1.1, 2, 21),
        (10, 1.2, 3, 37),
        (1000, 0.1, 4, 1111),
        (4, 1.5, 4, 33),
    ],
)
def test_a_repeat_is_over_where_its_cycles_are_on_paper(period, growth, count, end):
    inner = make("LinearDecayLR", total_steps=period)
    repeat = make("RepeatLR", scheduler=inner, period=period, growth=growth, count=count)
    assert repeat.holds_from() == end
    assert repeat.part_steps(end) == repeat.part_steps(end + 999) == [period]
    assert repeat.lr(end - 1, 1.0) > 0 == repeat.lr(end, 1.0)


@pytest.mark.parametrize("above", [1e-9, 2e-9, 5e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("period", [10**3, 10**6, 10**9])
def test_cycles_that_grow_by_next_to_nothing_begin_at_their_steps(above, period):
    growth = 1 + above
    exact = Fraction(growth)
    starts = [Fraction(0)]
    for number in range(200):
        starts.append(starts[-1] + period * exact**number)
    steps = np.array([-(-start // 1) + offset for start in starts[1:] for offset in (0, 1)], float)
    numbers, begins, _ = cycles(steps, period, growth)
    assert numbers.tolist() == [number for number in range(1, 201) for _ in (0, 1)]
    expected = np.array([float(start) for start in starts[1:] for _ in (0, 1)])
    np.testing.assert_allclose(begins, expected, rtol=1e-13)
    (third,) = cycle_start(np.array([3.0]), period, growth)
    assert third == pytest.approx(float(period * (1 + exact + exact**2)), rel=1e-15)


@pytest.mark.parametrize("low", [1.0, 1e-300, 1e-308, 5.6e-309, 1e-310, 1e-315])
def test_a_harmonic_way_is_as_right_for_tiny_rates_as_for_others(low):
    """Half way between 3 and 1 it is 1 / (1/6 + 1/2), which is 1.5."""
    ways = between(np.array([3 * low]), low, np.array([0.0, 0.5, 1.0]), "inverse")
    assert ways.tolist() == pytest.approx([3 * low, 1.5 * low, low], rel=1e-8)
    wsd = {"warmup_steps": 0, "total_steps": 4, "decay_steps": 4, "decay": "harmonic"}
    middle = make("WarmupStableDecayLR", **wsd, end_factor=1 / 3).lr(2, 3 * low)
    assert middle == pytest.approx(1.5 * low, rel=1e-8)


@pytest.mark.parametrize("ratio", [0.5, 0.98, 0.9999, 1 - 1e-9, 1 - 1e-13, 1 - 2**-53])
def test_an_exponential_decay_to_nearly_all_is_nearly_a_straight_line(ratio):
    done = np.linspace(0, 1, 101)
    rates = decayed("exponential", done, np.array([1.0]), 0.0, 2.0, ratio)
    assert (rates[0], rates[-1]) == (1.0, 0.0)
    assert (np.diff(rates) < 0).all()
    if ratio > 0.999:
        assert rates == pytest.approx(1 - done, abs=1e-4 if ratio < 0.99999 else 1e-8)


@pytest.mark.parametrize("kind", ["RampLR", "WarmupDecayLR", "WarmupStableDecayLR"])
@pytest.mark.parametrize("power", [0.0, 1e-9, 2.0])
def test_a_power_of_next_to_nothing_leads_from_one_end_to_the_other(kind, power):
    steps = {"WarmupDecayLR": {"warmup_steps": 0}}.get(kind, {})
    steps |= {"WarmupStableDecayLR": {"warmup_steps": 0, "decay_steps": 4}}.get(kind, {})
    shape = {"ease" if kind == "RampLR" else "decay": "polynomial"}
    late = make(kind, total_steps=4, **steps, **shape, power=power, end_factor=0.25)
    assert late.lr([0, 4, 9], 1.0).tolist() == [1.0, 0.25, 0.25]
    if kind == "RampLR":
        early = late.model_copy(update={"ease": "power"})
        assert early.lr([0, 4, 9], 1.0).tolist() == [1.0, 0.25, 0.25]


@pytest.mark.parametrize(
    ("growth", "count", "period"),
    [(8e-6, 4, 1953125 * 10**9), (0.1, 4, 1000), (0.2, 4, 125)],
)
def test_a_last_cycle_of_one_step_is_long_enough_however_floats_are_rounded(growth, count, period):
    fields = {"scheduler": {"kind": "HoldLR"}, "growth": growth, "count": count}
    assert make("RepeatLR", **fields, period=period).count == count
    with pytest.raises(ValidationError, match="before one is shorter than a step"):
        make("RepeatLR", **fields, period=period - 1)
