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
    from olm.cli.drawing.batch import BatchColumn
    from olm.cli.drawing.columns import Column

AT_ONCE = 100_000
"""How many rates are evaluated and written at once."""


def write(
    columns: Sequence[Column],
    steps: int,
    path: str,
    axis: Axis = STEPS,
    batch: Sequence[BatchColumn] = (),
) -> None:
    """Write the numbers of every step, up to and including the final ones.

    Args:
        columns: what is scheduled.
        steps: the last step.
        path: the file to write; a dash is standard output.
        axis: the unit of a last column.
        batch: columns before that: what the steps of a run take, if that changes.
    """
    if path == "-":
        _write_rows(columns, steps, sys.stdout, axis, batch)
    else:
        with Path(path).open("w", newline="") as file:
            _write_rows(columns, steps, file, axis, batch)


def _write_rows(
    numbers: Sequence[Column],
    steps: int,
    file: TextIO,
    axis: Axis,
    batch: Sequence[BatchColumn],
) -> None:
    import numpy as np

    writer, progress = csv.writer(file, lineterminator="\n"), Progress(steps + 1, "steps", AT_ONCE)
    labels = [*(column.label for column in numbers), *(column.name for column in batch)]
    writer.writerow(["step", *labels, *([axis.unit] if axis != STEPS else [])])
    for first in range(0, steps + 1, AT_ONCE):
        progress.at(first)
        block = np.arange(first, min(first + AT_ONCE, steps + 1))
        rates = [column.curve.lr(block, column.factor).tolist() for column in numbers]
        sizes = [column.numbers(block.tolist()) for column in batch]
        places = [] if axis == STEPS else [axis.numbers(block)]
        columns = [block.tolist(), *rates, *sizes, *places]
        writer.writerows(zip(*columns, strict=True))
    progress.clear()
