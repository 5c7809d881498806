"""The horizontal axis of a picture: the whole run, and what is too short to be seen in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from olm.drawing.axis import Axis
    from olm.drawing.picture import Phase
    from olm.schedule.curves import Array

NARROW = 8.0
"""A phase below this width, in pixels, has a window of its own."""

SHARE = 0.27
"""The share of the width that such a window has."""

BEYOND = 1.5
"""How much of the run it shows, in lengths of the phase."""

GAP = 14.0


@dataclass(frozen=True)
class Window:
    """A range of steps with its place in the picture, in pixels."""

    axis: Axis
    first: int
    last: int
    left: float
    width: float
    is_whole: bool = True
    """Whether it shows the whole run, and not a part of it enlarged."""

    def at(self, steps: NDArray[Any]) -> Array:
        """The horizontal places of steps."""
        begin, end = self.axis.at(self.first), self.axis.at(self.last)
        place: Array = self.left + (self.axis.along(steps) - begin) / (end - begin) * self.width
        return place

    def shows(self, step: int) -> bool:
        """Whether a step is within the window."""
        return self.first <= step <= self.last


def windows(
    axis: Axis, last: int, phases: Sequence[Phase], left: float, width: float
) -> list[Window]:
    """The windows of a picture from the left: the first or the last phase, if narrow, and the run.

    >>> from olm.drawing.axis import STEPS
    >>> from olm.drawing.picture import Phase
    >>> phases = [Phase(0, 2000, "up"), Phase(2000, 500_000, "down")]
    >>> [(one.first, one.last) for one in windows(STEPS, 500_000, phases, 0, 600)]
    [(0, 3000), (0, 500000)]
    >>> [(one.first, one.last) for one in windows(STEPS, 9_000, phases, 0, 600)]
    [(0, 9000)]
    """
    per_step = width / last
    narrow = [one for one in phases if 0 < (one.last - one.first) * per_step < NARROW]
    if not narrow:
        return [Window(axis, 0, last, left, width)]
    phase = narrow[0]
    beyond = max(round((phase.last - phase.first) * (BEYOND - 1)), 1)
    first = max(phase.first - (beyond if phase.first else 0), 0)
    end = min(phase.last + beyond, last)
    inner = width * SHARE
    whole = Window(axis, 0, last, left + inner + GAP, width - inner - GAP)
    if 2 * phase.first < last:
        return [Window(axis, first, end, left, inner, is_whole=False), whole]
    whole = Window(axis, 0, last, left, width - inner - GAP)
    return [whole, Window(axis, first, end, left + width - inner, inner, is_whole=False)]
