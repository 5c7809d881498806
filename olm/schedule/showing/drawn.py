"""Schedules as a picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from olm.drawing.axis import STEPS, Axis
from olm.drawing.picture import NUMBER, RATE, SHARE, Line, Mark, Panel, Picture
from olm.problem import quantity
from olm.schedule.showing.key_steps import KeyStep, key_steps
from olm.schedule.showing.phases import phases

if TYPE_CHECKING:
    from olm.schedule.curves import Array
    from olm.schedule.schedule import Schedule
    from olm.spec.target_curves import Curve

LR = "lr"

POINTS = 700
"""How many steps of a curve are evaluated, besides those at which its shape changes ..."""

MARKED = 400
"""... if there are at most this many: more could not be distinguished."""

WITHIN = 6
"""How many steps are evaluated between two marks, so that short phases are smooth, too."""

AFTER = 0.04
"""How much of a hold is shown after the end of a schedule, as a share of it."""


@dataclass(frozen=True)
class Drawn:
    """A number that a spec schedules, as it is drawn."""

    label: str
    curve: Schedule | Curve
    base: float | None
    """What its factors multiply; None if it is unknown, so that shares are drawn."""
    number: str = LR
    """The hyperparameter or the value."""

    @property
    def numbers(self) -> str:
        """How its numbers are written."""
        if self.base is None:
            return SHARE
        return RATE if self.number == LR else NUMBER

    @property
    def heading(self) -> str:
        """What a panel calls it."""
        name = re.sub(rf"^{LR}\b", "learning rate", self.label)
        return f"{name}, share of the base" if self.base is None else name

    @property
    def factor(self) -> float:
        """What its factors multiply in the picture."""
        return 1.0 if self.base is None else self.base


def picture_of(
    drawn: Sequence[Drawn],
    last: int,
    *,
    title: str = "",
    axis: Axis = STEPS,
    run: int | None = None,
    state: int | None = None,
    words: Sequence[str] = (),
    find: Callable[..., list[KeyStep]] = key_steps,
) -> Picture:
    """The picture of some numbers.

    Args:
        drawn: the numbers, each a panel; the phases are those of the first.
        last: the last step.
        title: the title; by default the kind.
        axis: the unit of the horizontal axis.
        run: the run length in steps; its end is marked if the picture goes beyond it.
        state: the step of a state, which is marked.
        words: the schedule in words.
        find: the function that finds the key steps.
    """
    marks = [
        Mark(key.step, key.rate, key.why, index)
        for index, one in enumerate(drawn)
        for key in find(one.curve, one.factor, last, run)
    ]
    ends = [(run, "end of the run")] if run is not None and run < last else []
    if state is not None and 0 <= state <= last:
        ends.append((state, "step of the state"))
    return Picture(
        title or drawn[0].curve.kind,
        " ".join([*words, f"The picture shows {quantity(last, 'step')}."]),
        [Panel(one.heading, [line(one, last, axis)], one.numbers) for one in drawn],
        last,
        axis,
        phases(drawn[0].curve, drawn[0].factor, last),
        marks,
        ends,
    )


def line(
    one: Drawn, last: int, axis: Axis = STEPS, name: str = "", *, is_old: bool = False
) -> Line:
    """The curve of a number up to a step."""
    steps = points(one.curve.marks(), last, axis)
    return Line(steps, one.curve.lr(steps, one.factor), name, is_old)


def points(marks: Sequence[int], last: int, axis: Axis) -> Array:
    """The steps to evaluate: evenly spaced, beside each mark, and some between marks."""
    import numpy as np

    inside = [0, *(mark for mark in marks if 0 < mark < last), last]
    near: list[float] = []
    if len(inside) <= MARKED:
        near = [mark + beside for mark in inside for beside in (-1, 0, 1)]
        for before, after in pairwise(inside):
            near += np.linspace(before, after, WITHIN * 8 if before == 0 else WITHIN).tolist()
    even = axis.evenly(last, min(last, POINTS) + 1)
    steps: Array = np.unique(np.concatenate([even, np.array(near).round()]))
    return steps[(steps >= 0) & (steps <= last)]


def last_step(drawn: Sequence[Drawn], run: int | None) -> int:
    """The last step to draw: the end of the run, or some of the hold after the last mark."""
    if run is not None:
        return run
    first, *others = (one.curve for one in drawn)
    last = max(first.horizon(), *(curve.holds_from() or curve.horizon() for curve in others), 1)
    return last + (round(last * AFTER) if first.holds_from() is not None else 0)
