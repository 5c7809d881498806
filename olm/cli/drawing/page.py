"""What the terminal shows of a spec: its words, its durations, its curve and its key steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from olm.drawing.axis import Axis

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.schedule.counting import Counted
    from olm.spec.spec import Spec

WIDTH = 64
"""The width of the curve, in characters."""


@dataclass(frozen=True)
class View:
    """What is shown of a spec, and along which axis."""

    spec: Spec
    """The spec, in optimizer steps."""
    counted: list[Counted]
    """What its durations were found to be."""
    clock: Clock
    """What is known of the run."""
    base: float
    """The base rate."""
    steps: int
    """The last step that is shown."""
    axis: Axis
    """What the curve is drawn along."""


def page(view: View, words: Iterable[str]) -> Iterator[str]:
    """The lines of the page, of which `words` are the first."""
    import numpy as np

    from olm.cli.drawing.tables import counted_table, key_table
    from olm.drawing.braille import chart, columns, rate_text

    spec, base, steps, axis = view.spec, view.base, view.steps, view.axis
    yield from words
    if spec.last_epoch is not None:
        bases = ", ".join(map(rate_text, spec.base_lrs or ()))
        yield f"It stands at step {spec.last_epoch:,}, with the base rates {bases}."
    at = np.linspace(0, steps, columns(WIDTH)).round()
    if view.counted:
        yield from _set_off(counted_table(view.counted, view.clock))
    yield from _set_off(chart(spec.lr(at, base), steps, axis=axis))
    yield from _set_off(key_table(spec, base, steps, view.clock.total_steps, axis))


def _set_off(lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield from (f"    {line}" for line in lines)
