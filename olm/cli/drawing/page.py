"""The output of ``olm show``: a sentence, durations, the curve and key steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from olm.drawing.axis import Axis
from olm.problem import listed

if TYPE_CHECKING:
    from olm.cli.drawing.columns import Column
    from olm.cli.terminal import Screen
    from olm.schedule.clock import Clock
    from olm.schedule.counting import Counted
    from olm.schedule.showing.key_steps import KeyStep
    from olm.spec.spec import Spec

BESIDE = 16
"""The columns beside a curve: for the indent, the labels and the axis."""

INDENT = "    "

AROUND = 13
"""The lines around the only curve, so that all of the page fits a terminal."""

SMALLEST, LARGEST = 11, 30
"""The lines of the only curve."""


@dataclass(frozen=True)
class View:
    """What to show of a spec, and along which axis."""

    spec: Spec
    """The spec, in optimizer steps."""
    counted: list[Counted]
    """Its durations in steps."""
    clock: Clock
    """The clock of the run."""
    base: float
    """The base rate."""
    steps: int
    """The last step."""
    axis: Axis
    """The unit of the horizontal axis."""
    base_is_known: bool = True
    """Whether the base rate is that of a run, not only a number to multiply."""
    columns: Sequence[Column] = ()
    """The numbers that it schedules, if it has targets."""
    is_log: bool | None = None
    """Whether the vertical axes are logarithmic; by default where the values need it."""

    @cached_property
    def find_key_steps(self) -> Callable[..., list[KeyStep]]:
        """The function `key_steps`; the table and the picture of a view share what it finds."""
        from olm.schedule.showing.key_steps import key_steps

        return cache(key_steps)


def page(view: View, words: Iterable[str], screen: Screen) -> Iterator[str]:
    """The lines of the page, of which `words` are the first."""
    for line in _lines(view, words, screen):
        yield screen.text(line)


def _lines(view: View, words: Iterable[str], screen: Screen) -> Iterator[str]:
    from olm.cli.aligned import aligned
    from olm.cli.drawing.batch import run_in_words
    from olm.cli.drawing.tables import counted_table, key_rows
    from olm.drawing.braille import rate_text

    spec, steps = view.spec, view.steps
    for line in words:
        yield from screen.wrapped(line)
    if spec.last_epoch is not None:
        bases = spec.base_lrs or ()
        rates = f"base rate{'s' * (len(bases) != 1)} {listed(map(rate_text, bases))}"
        yield from screen.wrapped(f"State at step {spec.last_epoch:,}, with {rates}.")
    for line in run_in_words(view.clock):
        yield from screen.wrapped(line)
    inside = max(screen.longest - len(INDENT), 0)
    if view.counted:
        yield from _set_off(counted_table(view.counted, view.clock, inside))
    if view.columns:
        from olm.cli.drawing.target_page import charts, notes, rows_of

        yield from _set_off(charts(view, view.columns, screen))
        yield from _set_off(aligned(rows_of(view, view.columns), inside))
        yield from notes(view.columns)
        return
    yield from _set_off(_chart(view, screen))
    run, known, clock = view.clock.total_steps, view.base_is_known, view.clock
    rows = key_rows(spec, view.base, steps, run, view.axis, base_is_known=known, clock=clock)
    yield from _set_off(aligned(rows, inside))


def _chart(view: View, screen: Screen) -> Iterator[str]:
    """The only curve, in colours for its phases, and the names of these."""
    from olm.cli.drawing.curves import Curves

    most = min(screen.height - AROUND, screen.width // 4, LARGEST)
    height = max(most, SMALLEST)
    curves = Curves(view, screen, height)
    yield from curves.chart(view.spec.schedule, view.base)
    yield from curves.names()


def _set_off(lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield from (f"{INDENT}{line}" if line else "" for line in lines)
