"""The vertical axis of a panel: linear or logarithmic, with round ticks."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from olm.drawing.braille import rate_text
from olm.drawing.picture import RATE, SHARE

if TYPE_CHECKING:
    from olm.schedule.curves import Array

DECADES = 2
"""Positive values that span this many decades are drawn on a logarithmic axis ..."""

OFTEN = 0.15
"""... if at least this share of the steps has values that a linear axis could not show."""

LOWEST = 1e-9
"""The lowest value of a logarithmic axis, as a share of the highest."""


@dataclass(frozen=True)
class Scale:
    """The limits of an axis and its place, in pixels."""

    low: float
    high: float
    top: float
    bottom: float
    is_log: bool = False

    def at(self, values: Array) -> Array:
        """The vertical places of values; those below the axis lie at its foot."""
        import numpy as np

        if self.is_log:
            low, high = log10(self.low), log10(self.high)
            values = np.log10(np.maximum(values, self.low))
        else:
            low, high = self.low, self.high
        place: Array = self.bottom - (values - low) / (high - low) * (self.bottom - self.top)
        return place

    def ticks(self, most: int = 5) -> list[float]:
        """Round values at equal distances.

        >>> Scale(0.0, 3e-4, 0, 100).ticks()
        [0.0, 0.0001, 0.0002, 0.0003]
        >>> Scale(1e-5, 0.1, 0, 100, is_log=True).ticks()
        [1e-05, 0.0001, 0.001, 0.01, 0.1]
        """
        if self.is_log:
            first, last = ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9)
            every = max(ceil((last - first) / most), 1)
            return [float(f"1e{power}") for power in range(first, last + 1, every)]
        distance = _round((self.high - self.low) / most)
        first, last = ceil(self.low / distance - 1e-9), floor(self.high / distance + 1e-9)
        return [float(f"{index * distance:.12g}") for index in range(first, last + 1)]


def scale(values: Array, top: float, bottom: float, is_log: bool) -> Scale:
    """The axis for some values."""
    low, high = float(values.min()), float(values.max())
    if is_log and high > 0:
        low = max(float(values[values > 0].min()), high * LOWEST)
        # Whole decades have round ends.
        low, high = 10.0 ** floor(log10(low) + 1e-9), high
        return Scale(low, high * 1.15 if low < high else low * 10, top, bottom, is_log=True)
    if high == low:
        low, high = min(0.0, low), max(high, 0.0) or 1.0
    elif 0 <= low < high / 2:
        low = 0.0
    room = (high - low) * 0.05
    return Scale(low - room * (low < 0), high + room, top, bottom)


def needs_log(values: Array) -> bool:
    """Whether values at evenly spaced steps span decades that a linear axis would hide.

    >>> import numpy as np
    >>> [needs_log(curve) for curve in (np.linspace(1, 0, 999), 0.99 ** np.arange(999))]
    [False, True]
    """
    positive = values[values > 0]
    if not len(positive):
        return False
    small = positive <= positive.max() / 10**DECADES * (1 + 1e-9)
    return bool(small.sum() >= OFTEN * len(values))


def text(value: float, numbers: str, digits: int = 2) -> str:
    """A number as its panel writes it.

    >>> text(3e-4, RATE), text(0.5, SHARE), text(0.99200197, "number")
    ('3.0e-04', '50 %', '0.992')
    """
    if numbers == SHARE:
        return f"{float(f'{value * 100:.{digits + 1}g}'):g} %"
    if numbers == RATE:
        return rate_text(value, digits)
    return f"{value:.{digits + 1}g}"


def _round(least: float) -> float:
    """The least round number that is at least `least`."""
    power = 10.0 ** floor(log10(least))
    leads = (1, 2, 2.5, 5, 10)
    return float(next(lead * power for lead in leads if lead * power >= least * (1 - 1e-9)))
