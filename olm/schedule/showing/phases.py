"""The phases of a curve: warm-up, hold, decay and the like, by where it rises and falls."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from olm.drawing.picture import Phase

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule
    from olm.spec.target_curves import Curve

MOST = 9
"""More phases than this are not shaded: they could not be named."""

SAMPLES = 33
"""How many steps of a phase are evaluated."""

JUMP = 4
"""A change of the value this many times larger than those beside it is a jump."""


def phases(curve: Schedule | Curve, base: float, last: int) -> list[Phase]:
    """The phases of a curve up to a step; none if there is only one, or if there are too many.

    Args:
        curve: a schedule in steps, or the curve of a target.
        base: what its factors multiply.
        last: the last step.

    >>> from olm.kinds.warmup import WarmupCosine
    >>> for phase in phases(WarmupCosine(warmup_steps=100, total_steps=900), 1.0, 1000):
    ...     print(phase)
    Phase(first=0, last=100, name='warm-up')
    Phase(first=100, last=900, name='decay')
    Phase(first=900, last=1000, name='hold')
    """
    ends = sorted({0, last, *(mark for mark in curve.marks() if 0 < mark < last)})
    if len(ends) > 4 * MOST:
        return []
    found: list[Phase] = []
    for first, end in pairwise(ends):
        name = _name(curve, base, first, end)
        if found and name == found[-1].name and not _jumps(curve, base, first):
            found[-1] = Phase(found[-1].first, end, name)
        else:
            found.append(Phase(first, end, name))
    return found if 1 < len(found) <= MOST else []


def _jumps(curve: Schedule | Curve, base: float, step: int) -> bool:
    """Whether a step differs much more from the one before than those around do."""
    import numpy as np

    around = np.array([max(step - 2, 0), max(step - 1, 0), step, step + 1])
    before, there, after = np.abs(np.diff(curve.lr(around, base)))
    return bool(there > JUMP * max(before, after))


def _name(curve: Schedule | Curve, base: float, first: int, end: int) -> str:
    """What the curve does from one step to another."""
    import numpy as np

    steps = np.unique(np.linspace(first, end, SAMPLES).round())
    # The step at which the next phase begins may jump.
    values = curve.lr(steps[:-1] if len(steps) > 2 else steps, base)
    moves = np.diff(values)
    near = 1e-9 * np.abs(values).max()
    if (np.abs(moves) <= near).all():
        return "hold"
    if (moves >= -near).all():
        return "warm-up" if first == 0 else "rise"
    return "decay" if (moves <= near).all() else "cycle"
