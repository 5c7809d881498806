"""The output of ``olm show``: a sentence, durations, the curve and key steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from olm.drawing.axis import Axis
from olm.problem import listed

if TYPE_CHECKING:
    from olm.cli.drawing.columns import Column
    from olm.schedule.clock import Clock
    from olm.schedule.counting import Counted
    from olm.spec.spec import Spec

WIDTH = 64
"""The width of the curve, in characters."""


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


def page(view: View, words: Iterable[str]) -> Iterator[str]:
    """The lines of the page, of which `words` are the first."""
    from olm.cli.drawing.batch import run_in_words
    from olm.cli.drawing.tables import aligned, counted_table, key_rows
    from olm.drawing.braille import chart, columns, rate_text

    spec, base, steps, axis = view.spec, view.base, view.steps, view.axis
    yield from words
    if spec.last_epoch is not None:
        bases = spec.base_lrs or ()
        rates = f"base rate{'s' * (len(bases) != 1)} {listed(map(rate_text, bases))}"
        yield f"State at step {spec.last_epoch:,}, with {rates}."
    yield from run_in_words(view.clock)
    if view.counted:
        yield from _set_off(counted_table(view.counted, view.clock))
    if view.columns:
        from olm.cli.drawing.target_page import charts, notes, rows_of

        yield from _set_off(charts(view, view.columns, WIDTH))
        yield from _set_off(aligned(rows_of(view, view.columns)))
        yield from notes(view.columns)
        return
    at = axis.evenly(steps, columns(WIDTH))
    yield from _set_off(chart(spec.lr(at, base), steps, axis=axis))
    run, known = view.clock.total_steps, view.base_is_known
    rows = key_rows(spec, base, steps, run, axis, base_is_known=known, clock=view.clock)
    yield from _set_off(aligned(rows))


def _set_off(lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield from (f"    {line}" if line else "" for line in lines)
