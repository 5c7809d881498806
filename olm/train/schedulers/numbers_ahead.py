"""The coming numbers of several curves, evaluated in one block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from olm.problem import RateError
from olm.schedule.curves import Array
from olm.schedule.evaluation import usable
from olm.schedule.schedule import Schedule
from olm.spec.hyperparameters import check_range
from olm.spec.target_curves import Curve
from olm.train.schedulers.read_ahead import ReadAhead

SAMPLES = 256
"""How many steps of the run are evaluated at even distances when a scheduler is built."""


class Lane(NamedTuple):
    """A column of numbers."""

    curve: Curve
    base: float
    key: str
    """The hyperparameter; empty for a value."""
    label: str
    """The number in messages."""


class NumbersAhead(ReadAhead):
    """The numbers of several curves at a step, looked up in a block."""

    def __init__(self, schedule: Schedule, lanes: Sequence[Lane]) -> None:
        # The schedule is only what messages about very late steps name.
        super().__init__(schedule, [lane.base for lane in lanes], [lane.curve for lane in lanes])
        self._lanes = lanes
        limits = [1.0 if lane.key and check_range(lane.key, 1.0) else np.inf for lane in lanes]
        self._limits = np.array(limits)

    def _values(self, steps: Array, bases: Array) -> Array:
        numbers = np.empty(np.broadcast_shapes(steps.shape, bases.shape))
        for curve, columns in self._parts:
            numbers[:, columns] = curve.evaluate(steps, bases[:, columns])
        return numbers

    def _unusable(self, rates: Array) -> NDArray[np.bool_] | None:
        unusable: NDArray[np.bool_] = ~usable(rates) | (rates >= self._limits)
        return unusable if unusable.any() else None

    def _error(self, step: int, column: int) -> RateError:
        number = self._values(np.array([[step]]), self._columns[np.newaxis, :])[0, column]
        limit = self._limits[column]
        must = "finite and at least 0" if np.isinf(limit) else "at least 0 and below 1"
        label = self._lanes[column].label
        return RateError(f"{label} would be {number:g} at step {step:,}: it must be {must}")

    def check_run(self) -> None:
        """Check the numbers with an upper limit at steps of the whole run.

        Raises:
            RateError: a number is beyond what torch's optimizers accept.
        """
        for column, lane in enumerate(self._lanes):
            if np.isinf(self._limits[column]):
                continue
            schedule = lane.curve.schedule
            marks = {mark + near for mark in schedule.marks() for near in (-1, 0, 1)}
            even = np.linspace(0, schedule.horizon(), SAMPLES).astype(int).tolist()
            steps = np.array(sorted(step for step in marks | {*even} if step >= 0), dtype=float)
            numbers = lane.curve.evaluate(steps[:, np.newaxis], self._columns[[column]])
            beyond = (numbers[:, 0] >= self._limits[column]) | ~usable(numbers[:, 0])
            if beyond.any():
                raise self._error(int(steps[int(np.argmax(beyond))]), column)
