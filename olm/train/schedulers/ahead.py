"""The coming rates of a schedule, evaluated a block at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from olm.problem import RateError
from olm.schedule import Schedule, usable

BLOCK = 8000
"""How many rates are evaluated at once, steps times param groups."""


class ReadAhead:
    """The rates at a step for some base rates: a look-up in a block that was evaluated at once.

    >>> from olm.kinds.linear import Linear
    >>> rates = ReadAhead(Linear(total_steps=4), [0.5, 0.1])
    >>> rates.at(0), rates.at(2), rates.at(1_000_000)
    ([0.5, 0.1], [0.25, 0.05], [0.0, 0.0])
    """

    def __init__(self, schedule: Schedule, bases: Sequence[float]) -> None:
        self.schedule = schedule
        self.bases = list(bases)
        # Groups mostly share one base rate: then one column serves them all.
        self._copies = len(self.bases) if len(set(self.bases)) == 1 else 1
        self._columns = np.array(self.bases[:1] if self._copies > 1 else self.bases, np.float64)
        self._first = 0
        self._width = len(self._columns)
        # Row after row in one list: a list a step keeps the garbage collector busy.
        self._rates: list[float] = []

    def at(self, step: int) -> list[float]:
        """The rates at a step, one for each base rate, in a list of their own.

        Raises:
            RateError: one of them is negative or not finite.
        """
        start = (step - self._first) * self._width
        if not 0 <= start < len(self._rates):
            self._read(step)
            start = 0
        row = self._rates[start : start + self._width]
        return row * self._copies if self._copies > 1 else row

    def _read(self, step: int) -> None:
        """Evaluate a block from a step on, up to the first row that cannot be used."""
        steps = np.arange(step, step + max(1, BLOCK // self._width), dtype=np.float64)
        rates = self.schedule.evaluate(steps[:, np.newaxis], self._columns[np.newaxis, :])
        unusable = ~usable(rates)
        if unusable.any():
            rates = rates[: np.argmax(unusable.any(axis=1))]
        if not len(rates):
            group = int(np.argmax(unusable[0]))
            rate = self.schedule.evaluate(steps[:1], self._columns[group : group + 1])[0]
            name = f"param_groups[{group}]" if self._copies == 1 else "every param group"
            raise RateError(
                f"{self.schedule.kind}: the rate of {name} at step {step} would be {rate}, "
                f"for the base rate {self.bases[group]}"
            )
        self._first, self._rates = step, rates.ravel().tolist()
