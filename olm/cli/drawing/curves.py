"""Curves on a terminal: as wide as it is, in colours for the phases, or in ASCII."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from olm.cli.drawing.page import BESIDE
from olm.drawing.braille import ascii_rows, chart, columns
from olm.drawing.scale import needs_log
from olm.schedule.showing.phases import phases

if TYPE_CHECKING:
    from olm.cli.drawing.page import View
    from olm.cli.terminal import Screen
    from olm.schedule.schedule import Schedule
    from olm.spec.target_curves import Curve

STYLES = ("even phase", "odd phase")


class Curves:
    """How the curves of a view are drawn.

    Args:
        view: what is shown.
        screen: where.
        height: the lines of a curve.
    """

    def __init__(self, view: View, screen: Screen, height: int) -> None:
        self.view, self.screen, self.height = view, screen, height
        self.width = screen.width - BESIDE
        self.at = view.axis.evenly(view.steps, columns(self.width))
        first = view.columns[0] if view.columns else None
        curve, base = (first.curve, first.factor) if first else (view.spec.schedule, view.base)
        self.phases = phases(curve, base or 1.0, view.steps)

    def chart(
        self,
        curve: Schedule | Curve,
        base: float,
        *,
        margin: int = 0,
        text: Callable[[float], str] | None = None,
        has_ticks: bool = True,
    ) -> Iterator[str]:
        """A curve with its axes."""
        values = curve.lr(self.at, base)
        is_log = needs_log(values) if self.view.is_log is None else self.view.is_log
        lines = chart(
            values,
            self.view.steps,
            self.height,
            axis=self.view.axis,
            margin=margin,
            text=text,
            has_ticks=has_ticks,
            is_log=is_log,
            paint=self._painted if self.screen.paint.coloured else None,
        )
        if is_log:
            yield "(logarithmic axis)"
        yield from lines if self.screen.has_unicode else ascii_rows(lines)

    def names(self) -> Iterator[str]:
        """The phases in their colours, where there are colours."""
        if self.phases and self.screen.paint.coloured:
            parts = (
                self.screen.paint(STYLES[number % 2], phase.name)
                for number, phase in enumerate(self.phases)
            )
            yield f"phases: {', '.join(parts)}"

    def _painted(self, first: int, row: str) -> str:
        """A row of a curve in the colours of the phases."""
        axis = self.view.axis
        end = axis.at(self.view.steps)
        parts, start = [], first
        for number, phase in enumerate(self.phases):
            # A phase that is too short to be seen has a column, too.
            stop = max(round(axis.at(phase.last) / end * self.width), start + 1)
            parts.append(self.screen.paint(STYLES[number % 2], row[start:stop]))
            start = stop
        return "".join([*parts, row[start:]])
