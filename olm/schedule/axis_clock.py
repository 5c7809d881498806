"""Counting along an axis: durations in samples or tokens instead of steps."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from olm.fields.durations import EPOCH, SAMPLE, SHARE, STEP, TOKEN, Duration, exact
from olm.schedule.per_step import FEW_STAGES, PerStep
from olm.schedule.units_per_step import Exact

if TYPE_CHECKING:
    from olm.schedule.clock import Clock

_SUFFIX = {"samples": SAMPLE.suffix, "tokens": TOKEN.suffix}


class AxisClock:
    """Counts durations in the units of an axis, from the step at which a schedule starts."""

    def __init__(self, clock: Clock, axis: str, begin: int) -> None:
        self.clock = clock
        self.counts = axis
        self.begin = begin
        self.plan = clock.units(axis)
        self.offset = self.plan.before(begin)

    @property
    def total_steps(self) -> Fraction | None:
        """The length of the run in units, without rounding where it is written in such."""
        if (total := self.clock.total) is None or self.clock.total_steps is None:
            return None
        end = total if isinstance(total, int) else self.clock.steps(total)
        return Fraction(self.plan.before(end))

    def lacks(self, written: Duration) -> str:
        """The field that the clock lacks to count a duration; empty if it can count it."""
        return self.clock.lacks(written)

    def steps(self, lasting: Duration, start: Exact = 0) -> Fraction:
        """How many units a duration is, from a unit of the schedule on."""
        place = Fraction(self.offset + start)
        for amount, suffix in lasting.terms:
            place = self._moved(place, amount, suffix)
        return place - self.offset - start

    def steps_until(self, end: Exact, lasting: Duration) -> Fraction:
        """How many units a duration is that ends at a unit of the schedule."""
        place = Fraction(self.offset + end)
        for amount, suffix in reversed(lasting.terms):
            place = self._moved(place, -amount, suffix)
        return self.offset + end - place

    def end(self, step: int) -> int:
        """The unit of the schedule at a step of the run, or at its end."""
        whole_run = step == self.clock.total_steps
        place = self.total_steps if whole_run else self.plan.before(step)
        return round((place or 0) - self.offset)

    def per_step(self) -> PerStep:
        """How many units each step of the schedule takes."""
        return self._ramp() or PerStep.of_plan(self.plan.since(self.begin))

    def is_linear(self, written: Duration) -> bool:
        """Whether a duration is equally many units wherever it starts."""
        return all(self.plan.is_constant or self._is_linear(suffix) for _, suffix in written.terms)

    def _is_linear(self, suffix: str) -> bool:
        """Whether a unit of durations is equally many units of the axis everywhere."""
        if suffix == STEP.suffix:
            return False
        same = (_SUFFIX[self.counts], SHARE.suffix, *((EPOCH.suffix,) * (self.counts == "samples")))
        return suffix in same or self.clock.has_constant_length

    def _ramp(self) -> PerStep | None:
        """A ramp of many stages in the units of the axis, if its numbers are whole there."""
        from olm.schedule.batches import place_of

        ramp, length = self.clock.batch_ramp, self.clock.tokens_per_sample
        if ramp is None or len(self.plan.firsts) <= FEW_STAGES:
            return None
        over, unit = place_of(self.clock, ramp.over)
        each = exact(length) if isinstance(length, int | float) else Fraction(1)
        if unit == "steps" or ((self.counts == "tokens" or unit == "tokens") and length is None):
            return None
        size = each if self.counts == "tokens" else Fraction(1)
        in_units = over if unit == self.counts else over * (each if unit == "samples" else 1 / each)
        numbers = [ramp.start * size, ramp.end * size, ramp.by * size, Fraction(in_units)]
        if not self.clock.has_constant_length or any(one.denominator != 1 for one in numbers):
            return None
        names = zip(("start", "end", "by", "over"), map(int, numbers), strict=True)
        return PerStep.of_document({**dict(names), "begin": self.begin})

    def _moved(self, place: Fraction, amount: Fraction, suffix: str) -> Fraction:
        """The unit of the run that is an amount of a unit of durations after another one."""
        if suffix == _SUFFIX[self.counts]:
            return place + amount
        if suffix == SHARE.suffix:
            return place + amount * (self.total_steps or 0)
        return Fraction(
            self.plan.before(self.clock.moved(self.plan.step_at(place), amount, suffix))
        )
