"""CSV: every step with its rate."""

from __future__ import annotations

import csv
from io import StringIO

from olm.foreign.exports._targets import Run, Target


def write(run: Run) -> str:
    """A row for each step, below a header."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["step", "lr"])
    steps = run.step_numbers()
    rates = run.schedule.lr(steps, run.base)
    writer.writerows(zip(steps.tolist(), rates.tolist(), strict=True))
    return file.getvalue()


TARGET = Target(title="CSV", write=write)
