"""Every step with its rate, as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from olm.cli.terminal import Progress
from olm.drawing.axis import STEPS, Axis

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    from olm.schedule.schedule import Schedule

AT_ONCE = 100_000
"""How many rates are evaluated and written at once."""


def write(schedule: Schedule, base: float, steps: int, path: str, axis: Axis = STEPS) -> None:
    """Write the rate of every step, up to and including the final rate.

    Args:
        schedule: the schedule.
        base: the base rate.
        steps: the last step.
        path: the file to write; a dash is standard output.
        axis: the unit of a third column.
    """
    if path == "-":
        _write_rows(schedule, base, steps, sys.stdout, axis)
    else:
        with Path(path).open("w", newline="") as file:
            _write_rows(schedule, base, steps, file, axis)


def _write_rows(schedule: Schedule, base: float, steps: int, file: TextIO, axis: Axis) -> None:
    import numpy as np

    writer, progress = csv.writer(file, lineterminator="\n"), Progress(steps + 1, "steps", AT_ONCE)
    writer.writerow(["step", "lr", *([axis.unit] if axis != STEPS else [])])
    for first in range(0, steps + 1, AT_ONCE):
        progress.at(first)
        block = np.arange(first, min(first + AT_ONCE, steps + 1))
        columns = [block.tolist(), schedule.lr(block, base).tolist(), *_places(block, axis)]
        writer.writerows(zip(*columns, strict=True))
    progress.clear()


def _places(block: NDArray[int64], axis: Axis) -> list[Sequence[float]]:
    """The third column, if there is one; integers where a step is a whole number of the unit."""
    if axis == STEPS:
        return []
    if axis.per_step.denominator == 1:
        return [[step * axis.per_step.numerator for step in block.tolist()]]
    return [axis.along(block).tolist()]
