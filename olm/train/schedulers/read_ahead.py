"""The coming rates of a schedule, evaluated in blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from olm.fields.types import MAX_STEPS
from olm.problem import RateError
from olm.schedule.curves import Array
from olm.schedule.evaluation import all_usable, usable
from olm.schedule.schedule import Schedule
from olm.spec.target_curves import Curve

FIRST_BLOCK = 1_000
"""The size of a first block in rates: steps times param groups."""

BLOCK = 64_000
"""The most rates of a block."""

GROWTH = 16
"""How many times as many rates as the previous block one has that continues it."""

MOST_STEPS = 16_000
"""The most steps of a block."""

FIRST_LISTED = 50
"""How many rates are converted to lists when a block has been evaluated."""

LISTED = 500
"""How many more rates of a block are converted to lists at once."""


def _parts(curves: Sequence[Curve | None]) -> list[tuple[Curve, list[int]]]:
    """Each curve with the columns that have it in place of the schedule."""
    parts: dict[int, tuple[Curve, list[int]]] = {}
    for column, curve in enumerate(curves):
        if curve is not None:
            parts.setdefault(id(curve), (curve, []))[1].append(column)
    return list(parts.values())


class ReadAhead:
    """The rates of a schedule at a step, one per base rate, looked up in a block.

    Columns may have curves of their own in place of the schedule.

    >>> from olm.kinds.linear import Linear
    >>> rates = ReadAhead(Linear(total_steps=4), [0.5, 0.1])
    >>> rates.at(0), rates.at(2), rates.at(1_000_000)
    ([0.5, 0.1], [0.25, 0.05], [0.0, 0.0])
    """

    def __init__(
        self, schedule: Schedule, bases: Sequence[float], curves: Sequence[Curve | None] = ()
    ) -> None:
        self.schedule = schedule
        self.bases = list(bases)
        self.curves = tuple(curves)
        self._parts = _parts(self.curves)
        # If all groups have the same base rate, as they mostly do, one column is enough.
        same = len(set(self.bases)) == 1 and not self.curves
        self._copies = len(self.bases) if same else 1
        self._columns = np.array(self.bases[:1] if self._copies > 1 else self.bases, np.float64)
        self._width = max(1, len(self._columns))
        # A reference to a shared float takes a quarter of the memory of a float in a list.
        self._listed_width = max(self._width, self._copies // 4)
        # A block is converted to lists a few rows at a time: converting more at once gains little,
        # and the lists of a whole block would not stay in the processor's cache.
        self._evaluated: tuple[int, Array] = (0, np.empty((0, len(self._columns))))
        self.most = 0.0
        """The largest rate that has been evaluated."""
        self.listed: tuple[int, int, list[list[float]]] = (0, 0, [])
        """The first row's step, the one after the last row's, and the rows, one rate per base rate.

        It is a single value, because other threads may read it. Callers must not change a row.
        """

    def at(self, step: int) -> list[float]:
        """The rates at a step, one per base rate. Callers must not change the list.

        Raises:
            RateError: a rate is negative or not finite, or the step is too large for a state.
        """
        first, end, rows = self.listed
        return rows[step - first] if first <= step < end else self.list_from(step)

    def list_from(self, step: int) -> list[float]:
        """Convert some rows to lists, from a step on, and return its own; see `at`."""
        start, block = self._evaluated
        index = step - start
        if not 0 <= index < len(block):
            block, index = self._evaluate(step), 0
        size = LISTED if index else FIRST_LISTED
        last = index + max(1, size // self._listed_width)
        rows: list[list[float]] = block[index:last].tolist()
        if self._copies > 1:
            rows = [row * self._copies for row in rows]
        self.listed = step, step + len(rows), rows
        return rows[0]

    def _evaluate(self, step: int) -> Array:
        """Evaluate a block from a step on, up to the first row that is not usable."""
        if step > MAX_STEPS:
            text = f"step {step:,} is too large, the last step of a state is {MAX_STEPS:,}"
            raise RateError(f"{self.schedule.kind}: {text}")
        start, block = self._evaluated
        # After construction and after a jump, few rates may be needed.
        continues = len(block) and step == start + len(block)
        size = min(GROWTH * len(block) * self._width, BLOCK) if continues else FIRST_BLOCK
        rows = max(1, min(size // self._width, MOST_STEPS))
        stop = min(step + rows, MAX_STEPS + 1)
        steps = np.arange(step, stop, dtype=np.float64)
        rates = self._values(steps[:, np.newaxis], self._columns[np.newaxis, :])
        if (unusable := self._unusable(rates)) is not None:
            rates = rates[: np.argmax(unusable.any(axis=1))]
            if not len(rates):
                raise self._error(step, int(np.argmax(unusable[0])))
        self.most = max(self.most, float(rates.max(initial=0.0)))
        self._evaluated = step, rates
        return rates

    def _unusable(self, rates: Array) -> NDArray[np.bool_] | None:
        """Which rates cannot be used; None if all can."""
        return None if all_usable(rates) else ~usable(rates)

    def _values(self, steps: Array, bases: Array) -> Array:
        rates = self.schedule.evaluate(steps, bases)
        for curve, columns in self._parts:
            rates[:, columns] = curve.evaluate(steps, bases[:, columns])
        return rates

    def _error(self, step: int, column: int) -> RateError:
        rate = self._values(np.array([[step]]), self._columns[np.newaxis, :])[0, column]
        name = f"param_groups[{column}]" if self._copies == 1 else "every param group"
        return RateError(
            f"{self.schedule.kind}: the rate of {name} at step {step:,} would be {rate}, "
            f"with the base rate {self.bases[column]}"
        )
