"""What a curve is drawn along: optimizer steps, or what a clock counts by them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from math import floor, log10
from typing import TYPE_CHECKING, Any

from olm.fields.durations import EPOCH, TOKEN, UNITS, duration, exact
from olm.fields.types import MAX_STEPS

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    from olm.schedule.clock import Clock
    from olm.schedule.curves import Array
    from olm.schedule.units_per_step import UnitsPerStep

COUNTED = {unit.axis: unit for unit in UNITS.values() if unit.axis}
"""The axes that a clock counts, by their names, with their units."""

NEEDS = {"steps": ""} | {
    name: COUNTED[name].needs for name in sorted(COUNTED, key=lambda name: COUNTED[name].is_share)
}
"""The names of all axes, and the field of a clock that each needs."""

MAGNITUDES = ("", "", "M", "B", "T")
"""The suffix of 1000 to the power of the index; thousands are written out."""


@dataclass(frozen=True)
class Axis:
    """A unit, and how far each step moves along it."""

    unit: str
    per_step: Fraction
    """How many of the unit make a step, or a sample or token of `plan`."""
    plan: UnitsPerStep | None = None
    """The samples or tokens of each step, if they are not the same in all of them."""

    @property
    def name(self) -> str:
        """The heading of a column, and the label at the end of an axis."""
        return COUNTED[self.unit].plural if self.unit in COUNTED else "step"

    @property
    def label(self) -> str:
        """The label along an axis of a picture."""
        return "optimizer step" if self.unit == "steps" else self.name

    @property
    def is_whole(self) -> bool:
        """Whether the unit is indivisible."""
        return self.unit not in COUNTED or not COUNTED[self.unit].fractional

    @property
    def most(self) -> Fraction:
        """How many of the unit the largest step has."""
        return self.per_step * (1 if self.plan is None else max(self.plan.sizes))

    def exactly(self, step: int | Fraction) -> Fraction:
        """The position of a step on the axis, without rounding."""
        return self.per_step * (step if self.plan is None else self.plan.before(step))

    def at(self, step: int) -> float:
        """The position of a step on the axis.

        >>> from olm.schedule.units_per_step import UnitsPerStep
        >>> stages = UnitsPerStep.of_stages([(0, 1000), (10, 2000)])
        >>> [Axis("samples", Fraction(1), stages).at(step) for step in (10, 11)]
        [10000.0, 12000.0]
        """
        if self.plan is None:
            # Dividing integers rounds once, as a fraction does, without making one.
            return self.per_step.numerator * step / self.per_step.denominator
        return float(self.exactly(step))

    def along(self, steps: NDArray[Any]) -> Array:
        """The positions of steps on the axis."""
        taken = steps if self.plan is None else self.plan.along(steps)
        place: Array = taken * float(self.per_step.numerator) / float(self.per_step.denominator)
        return place

    def evenly(self, last: int, count: int) -> Array:
        """Whole steps up to the last one, as near as possible to equal distances on the axis.

        >>> from olm.schedule.units_per_step import UnitsPerStep
        >>> stages = UnitsPerStep.of_stages([(0, 1000), (10, 2000)])
        >>> Axis("samples", Fraction(1), stages).evenly(20, 7).tolist()
        [0.0, 5.0, 10.0, 12.0, 15.0, 18.0, 20.0]
        """
        import numpy as np

        if self.plan is None:
            return np.linspace(0, last, count).round()
        bends = np.array([*(first for first in self.plan.firsts if first < last), last], float)
        places = self.along(bends)
        steps: Array = np.interp(np.linspace(0, places[-1], count), places, bends).round()
        return steps

    def numbers(self, steps: NDArray[int64]) -> list[float]:
        """The positions of steps for a file: integers where every step has a whole number."""
        sizes = (1,) if self.plan is None else self.plan.sizes
        if any((self.per_step * size).denominator != 1 for size in sizes):
            return list(self.along(steps).tolist())
        return [int(self.exactly(step)) for step in steps.tolist()]

    def text(self, step: int) -> str:
        """The position of a step as text, for a table.

        >>> [Axis(unit, Fraction(1, 4)).text(30) for unit in ("epochs", "percent")]
        ['7.5', '7.5 %']
        """
        if self.unit == "steps":
            return self.amount(self.exactly(step))
        return self._with_sign(amount(self.at(step)))

    def amount(self, number: Fraction) -> str:
        """A number of the unit as text, for a table."""
        if self.unit == "steps" and number.denominator == 1:
            return f"{number.numerator:,}"
        return self._with_sign(amount(float(number)))

    def tick(self, value: float) -> str:
        """The label of a tick.

        >>> Axis("tokens", Fraction(4_000_000)).tick(20e9)
        '20B'
        """
        text = f"{value:,.0f}" if self.unit == "steps" else amount(value)
        return self._with_sign(re.sub(r"\.0(?=[MBT])", "", text))

    def ticks(self, last: int, most: int = 6) -> list[Fraction]:
        """Round numbers at equal distances, from 0 to the position of a step.

        Args:
            last: the step.
            most: the most ticks, besides 0.

        >>> list(map(int, Axis("tokens", Fraction(4_000_000)).ticks(100_000)))
        [0, 100000000000, 200000000000, 300000000000, 400000000000]
        """
        end = self.exactly(last)
        wide = (distance for distance in _round(end / most) if distance * most >= end)
        distance = next(step for step in wide if step.denominator == 1 or not self.is_whole)
        return [distance * index for index in range(floor(end / distance) + 1)]

    def _with_sign(self, text: str) -> str:
        is_share = self.unit in COUNTED and COUNTED[self.unit].is_share
        return f"{text} {COUNTED[self.unit].suffix}" if is_share else text


STEPS = Axis("steps", Fraction(1))
"""The axis that needs no clock."""


def axes(clock: Clock) -> dict[str, Axis]:
    """The axes that a clock has the numbers for, by unit, steps first.

    >>> from olm.schedule.clock import Clock
    >>> list(axes(Clock(total_steps=1000, tokens_per_step=4e6)))
    ['steps', 'tokens', 'percent']
    """
    found = {"steps": STEPS}
    known = (name for name in NEEDS if name in COUNTED and not lacks(name, clock))
    found |= {name: _axis(name, clock) for name in known}
    # More per step than a run can have steps is a slip, and would overflow a float.
    return {unit: axis for unit, axis in found.items() if axis.most <= MAX_STEPS}


def lacks(name: str, clock: Clock) -> str:
    """The field that a clock lacks for an axis; empty if it has the numbers.

    >>> from olm.schedule.clock import Clock
    >>> lacks("epochs", Clock(samples_per_step=64))
    'steps_per_epoch'
    """
    written = duration(f"1{COUNTED[name].suffix}") if name in COUNTED else None
    return "" if written is None else clock.lacks(written)


def _axis(name: str, clock: Clock) -> Axis:
    """An axis that a clock has the numbers for."""
    unit = COUNTED[name]
    if unit.is_share:
        return Axis(name, 1 / (exact(clock.total_steps or 1) * unit.scale))
    if unit.needs == EPOCH.needs:
        if clock.steps_per_epoch is not None:
            return Axis(name, 1 / (exact(clock.steps_per_epoch) * unit.scale))
        counted, each = "samples", 1 / (exact(clock.samples_per_epoch or 1) * unit.scale)
    else:
        counted, each = ("tokens" if unit.needs == TOKEN.needs else "samples"), 1 / unit.scale
    plan = clock.units(counted)
    return Axis(name, plan.sizes[0] * each) if plan.is_constant else Axis(name, each, plan)


def amount(value: float) -> str:
    """A number for a table; large ones in millions, billions and trillions.

    >>> [amount(number) for number in (0, 2.25, 1024, 12345.6, 1.5e6, 20e9, 999.99e9, 1e20)]
    ['0', '2.25', '1,024', '12,346', '1.5M', '20.0B', '1.0T', '1e+20']
    """
    if abs(value) < 1e6:
        is_long = abs(value) >= 1000 or value == round(value)
        return f"{value:,.0f}" if is_long else f"{float(f'{value:.4g}'):,.4g}"
    digits, exponent = f"{value:.3e}".split("e")
    thousands, tens = divmod(int(exponent), 3)
    if thousands >= len(MAGNITUDES):
        return f"{value:.4g}"
    scaled = f"{float(digits) * 10**tens:.4g}"
    return scaled + (".0" if "." not in scaled else "") + MAGNITUDES[thousands]


def _round(least: Fraction) -> Iterator[Fraction]:
    """Round numbers in ascending order, from about `least`."""
    for exponent in count(floor(log10(least))):
        yield from (Fraction(10) ** exponent * lead for lead in (1, 2, Fraction(5, 2), 5))
