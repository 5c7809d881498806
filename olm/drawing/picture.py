"""A picture as data: panels of lines above one axis, phases and marks. The engines draw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from olm.drawing.axis import STEPS, Axis

if TYPE_CHECKING:
    from olm.schedule.curves import Array

SHARE = "share"
"""The numbers of a panel are shares of a base that is unknown: 1 is 100 %."""

RATE = "rate"
"""The numbers of a panel are learning rates."""

NUMBER = "number"


@dataclass(frozen=True)
class Line:
    """A curve at some steps."""

    steps: Array
    """The steps, ascending, the first and the last of the picture among them."""
    values: Array
    """A value for each step."""
    name: str = ""
    """What the legend calls it, if there are several."""
    is_old: bool = False
    """Whether it is only shown for comparison, in grey."""

    def interpolated(self, steps: Array) -> Array:
        """The values at other steps."""
        import numpy as np

        found: Array = np.interp(steps, self.steps, self.values)
        return found


@dataclass(frozen=True)
class Panel:
    """A part of a picture with its own vertical axis."""

    label: str
    """What the numbers are."""
    lines: Sequence[Line]
    numbers: str = RATE
    """How numbers are written: `RATE`, `SHARE` or `NUMBER`."""


@dataclass(frozen=True)
class Phase:
    """Steps in which one part of a schedule applies."""

    first: int
    last: int
    """The step at which it is over."""
    name: str


@dataclass(frozen=True)
class Mark:
    """A key step of a panel."""

    step: int
    value: float
    why: str
    panel: int = 0


@dataclass(frozen=True)
class Picture:
    """Panels above one axis of steps, or of what a clock counts by them."""

    title: str
    words: str
    """What the picture shows, for those who cannot see it."""
    panels: Sequence[Panel]
    last: int
    """The last step; the first is 0."""
    axis: Axis = STEPS
    phases: Sequence[Phase] = ()
    marks: Sequence[Mark] = ()
    ends: Sequence[tuple[int, str]] = ()
    """Steps that have a vertical line: the end of the run, the step of a state."""
