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

    from olm.cli.drawing.columns import Column

AT_ONCE = 100_000
"""How many rates are evaluated and written at once."""


def write(columns: Sequence[Column], steps: int, path: str, axis: Axis = STEPS) -> None:
    """Write the numbers of every step, up to and including the final ones.

    Args:
        columns: what is scheduled.
        steps: the last step.
        path: the file to write; a dash is standard output.
        axis: the unit of a last column.
    """
    if path == "-":
        _write_rows(columns, steps, sys.stdout, axis)
    else:
        with Path(path).open("w", newline="") as file:
            _write_rows(columns, steps, file, axis)


def _write_rows(numbers: Sequence[Column], steps: int, file: TextIO, axis: Axis) -> None:
    import numpy as np

    writer, progress = csv.writer(file, lineterminator="\n"), Progress(steps + 1, "steps", AT_ONCE)
    labels = [column.label for column in numbers]
    writer.writerow(["step", *labels, *([axis.unit] if axis != STEPS else [])])
    for first in range(0, steps + 1, AT_ONCE):
        progress.at(first)
        block = np.arange(first, min(first + AT_ONCE, steps + 1))
        rates = [column.curve.lr(block, column.factor).tolist() for column in numbers]
        columns = [block.tolist(), *rates, *_places(block, axis)]
        writer.writerows(zip(*columns, strict=True))
    progress.clear()


def _places(block: NDArray[int64], axis: Axis) -> list[Sequence[float]]:
    """The last column, if there is one; integers where a step is a whole number of the unit."""
    if axis == STEPS:
        return []
    if axis.per_step.denominator == 1:
        return [[step * axis.per_step.numerator for step in block.tolist()]]
    return [axis.along(block).tolist()]
