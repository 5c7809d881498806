"""The tables that the terminal shows: how durations were counted, and the key steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from olm.drawing.axis import STEPS, Axis, axes
from olm.fields.durations import duration
from olm.problem import dotted, path_of

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.schedule.counting import Counted
    from olm.spec.spec import Spec


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as lines, in which the cells of a column begin below one another.

    >>> print(*aligned([("step", "rate"), ("1,000", "0")]), sep="|")
    step   rate|1,000  0
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()


def counted_in(spec: Spec, clock: Clock) -> list[Counted]:
    """The durations of a spec with their steps, and those of a state, which has its own steps.

    Raises:
        SpecError: the clock does not know what a duration needs.
    """
    from olm.schedule.counting import Counted

    stated = []
    for place, text in spec.durations:
        path, written = path_of(place), duration(text)
        if written is not None:
            steps = spec.schedule.at(path)
            stated.append(Counted(path, written, Fraction(steps), steps))
    return [*stated, *spec.plan(clock).counted]


def counted_table(counted: Iterable[Counted], clock: Clock) -> Iterator[str]:
    r"""Durations: where each stands, how it was written, and what it is in all that a clock knows.

    >>> from olm.schedule.clock import Clock
    >>> from olm.kinds.warmup import Warmup
    >>> clock = Clock(total_steps=1000, tokens_per_step=4e6)
    >>> print(*counted_table(Warmup(warmup_steps="2.55%").plan(clock).counted, clock), sep="\n")
    where         as written  steps  tokens  of the run
    warmup_steps  2.55%       26     104.0M  2.6 %       rounded up from 25.5
    """
    known = axes(clock)
    names = ("steps" if axis == STEPS else axis.name for axis in known.values())
    rows = [("where", "as written", *names, "")]
    for one in counted:
        cells = (axis.text(one.steps) for axis in known.values())
        rows.append((dotted(one.path), one.written.text, *cells, one.rounding))
    yield from aligned(rows)


def key_table(
    spec: Spec, base: float, steps: int, run: int | None = None, axis: Axis = STEPS
) -> Iterator[str]:
    """The steps that people ask about, with their rates.

    Args:
        spec: the spec, in optimizer steps.
        base: the base rate.
        steps: the last step that is shown.
        run: how many steps the run has, if that is known.
        axis: what is told of each step besides.
    """
    from olm.cli.drawing.key_steps import key_steps
    from olm.drawing.braille import rate_text

    told = [STEPS] if axis == STEPS else [STEPS, axis]
    rows = [(*(one.name for one in told), "rate", "of base", "")]
    for key in key_steps(spec.schedule, base, steps, run):
        share = f"{key.rate / base * 100:.3g} %" if base else ""
        places = (one.text(key.step) for one in told)
        rows.append((*places, rate_text(key.rate), share, key.why))
    yield from aligned(rows)
