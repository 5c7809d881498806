"""A curve of a million steps, against the same one in numpy, each in processes of its own.

In a process that both sides share, what one of them frees decides whether the other gets new memory
from the system, which takes as long as the arithmetic: a line came out between 0.7 and 1.9. So each
side has its own processes. It keeps its curves, as a program does that draws them: every call pays
for the memory of its result.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from statistics import median
from time import process_time

import numpy as np

from contests import OLM, Contest, Family, Side
from contests.formulas import BASE, COMPOSITIONS, LEAVES, STEPS, Curve
from environment import ROOT
from olm.spec.spec import parse

OTHER = "numpy in place"

CALLS = 9
"""How many calls a process times."""

TIGHT = {
    "LinearLR": 1.2,
    "CosineAnnealingLR": 1.2,
    "WarmupLR": 1.2,
    "WarmupCosineScheduler": 1.2,
    "LinearDecayLR": 1.7,
    "ConstantLR": 1.7,
}
"""The goals of some kinds."""

GOAL = 2.0
"""The goal of the other kinds."""


def sides(curves: str, index: int) -> dict[str, Side]:
    """Both ways to the same curve, from the same array of steps."""
    curve = TABLES[curves][index]
    steps = np.arange(STEPS)
    rates = parse(curve.spec).schedule.lr(steps, BASE)
    np.testing.assert_allclose(rates, curve.formula(steps), rtol=1e-12, atol=1e-15)
    return {
        name: Side(seconds=partial(_in_a_process, curves, index, name)) for name in (OLM, OTHER)
    }


def _in_a_process(curves: str, index: int, side: str) -> float:
    """The processor time of a call in a new process, after one that imports what it needs."""
    command = [sys.executable, "-m", "contests.curves", curves, str(index), side]
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tools")))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def main(curves: str, index: str, side: str) -> None:
    """Print the median time of a call of one side."""
    curve = TABLES[curves][int(index)]
    schedule, steps = parse(curve.spec).schedule, np.arange(STEPS)
    call = partial(schedule.lr, steps, BASE) if side == OLM else partial(curve.formula, steps)
    kept, times = [call()], []
    for _ in range(CALLS):
        start = process_time()
        kept.append(call())
        times.append(process_time() - start)
    print(median(times))


TABLES = {"leaves": LEAVES, "compositions": COMPOSITIONS}


def _family(heading: str, name: str, curves: Sequence[Curve]) -> Family:
    return Family(
        f"{heading}, {STEPS:,} steps",
        [
            Contest(
                f"curve {curve.name}",
                curve.title,
                partial(sides, name, index),
                {OTHER: TIGHT.get(curve.kind, GOAL)},
            )
            for index, curve in enumerate(curves)
        ],
    )


FAMILIES = [
    _family("`spec.lr(steps, base)`", "leaves", LEAVES),
    _family("the same of a composition", "compositions", COMPOSITIONS),
]

if __name__ == "__main__":
    main(*sys.argv[1:])
