"""What a curve is drawn along: optimizer steps, or what a clock counts by them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from math import floor, log10
from typing import TYPE_CHECKING, Any

from olm.fields.durations import UNITS, exact
from olm.fields.types import MAX_STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from olm.schedule.clock import Clock
    from olm.schedule.curves import Array

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
    """A unit, and how many of it make a step."""

    unit: str
    per_step: Fraction

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

    def at(self, step: int) -> float:
        """The position of a step on the axis."""
        return float(step * self.per_step)

    def along(self, steps: NDArray[Any]) -> Array:
        """The positions of steps on the axis."""
        place: Array = steps * float(self.per_step.numerator) / float(self.per_step.denominator)
        return place

    def text(self, step: int) -> str:
        """The position of a step as text, for a table.

        >>> [Axis(unit, Fraction(1, 4)).text(30) for unit in ("epochs", "percent")]
        ['7.5', '7.5 %']
        """
        return f"{step:,}" if self.unit == "steps" else self._with_sign(amount(self.at(step)))

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
        end = last * self.per_step
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
    fields = {field: getattr(clock, field) for field in NEEDS.values() if field}
    known = {field: exact(value) for field, value in fields.items() if value is not None}
    found = {"steps": STEPS}
    for name, field in NEEDS.items():
        if field in known:
            unit = COUNTED[name]
            per_step = known[field] if unit.per_step else 1 / known[field]
            found[name] = Axis(name, per_step / unit.scale)
    # More per step than a run can have steps is a slip, and would overflow a float.
    return {unit: axis for unit, axis in found.items() if axis.per_step <= MAX_STEPS}


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
