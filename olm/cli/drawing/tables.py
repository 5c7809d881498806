"""Tables for the terminal: durations in steps, and key steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from olm.cli.aligned import aligned
from olm.cli.axis_units import counts_at
from olm.drawing.axis import STEPS, Axis, amount, axes
from olm.fields.durations import duration
from olm.problem import dotted, path_of

if TYPE_CHECKING:
    from olm.cli.drawing.batch import BatchColumn
    from olm.schedule.clock import Clock
    from olm.schedule.counting import Counted
    from olm.schedule.units_per_step import Exact
    from olm.spec.spec import Spec


def counted_in(spec: Spec, clock: Clock) -> list[Counted]:
    """The durations of a spec in steps; those of a state have the steps that the state has.

    Raises:
        SpecError: the clock lacks what a duration needs.
    """
    from olm.schedule.counting import Counted

    stated = []
    for place, text in spec.durations:
        path, written = path_of(place), duration(text)
        if written is not None:
            steps = spec.at(path)
            counts = counts_at(spec, path)
            stated.append(Counted(path, written, Fraction(steps), steps, counts=counts))
    # The steps of an axis that is counted are those of its own run, which the clock may not know.
    return stated if spec.is_counted else [*stated, *spec.plan(clock).counted]


def counted_table(counted: Iterable[Counted], clock: Clock, width: int = 0) -> Iterator[str]:
    r"""Durations: the field of each, the text, and its value in every unit of the clock.

    >>> from olm.schedule.clock import Clock
    >>> from olm.kinds.warmup import Warmup
    >>> clock = Clock(total_steps=1000, tokens_per_step=4e6)
    >>> print(*counted_table(Warmup(warmup_steps="2.55%").plan(clock).counted, clock), sep="\n")
    field         as written  steps  tokens  of the run
    warmup_steps  2.55%       26     104.0M  2.6 %       rounded up from 25.5
    """
    yield from aligned(counted_rows(counted, clock), width)


def counted_rows(counted: Iterable[Counted], clock: Clock) -> list[tuple[str, ...]]:
    """The rows of that table, the heading first."""
    known = axes(clock)
    names = ("steps" if axis == STEPS else axis.name for axis in known.values())
    rows = [("field", "as written", *names, "")]
    for item in counted:
        cells = (_lasting(item, axis, clock) for axis in known.values())
        rows.append((dotted(item.path), item.written.text, *cells, item.rounding))
    return rows


def _lasting(item: Counted, axis: Axis, clock: Clock) -> str:
    """How long a duration is in the unit of an axis."""
    begin = item.offset + item.begin
    ends: tuple[Exact, Exact] = (begin, begin + item.steps)
    if item.counts != "steps":
        if clock.lacks_of(item.counts):
            # A state along an axis keeps its steps, but not the clock of its run.
            return f"{amount(item.steps)} {item.counts}"
        plan = clock.units(item.counts)
        ends = plan.step_at(ends[0]), plan.step_at(ends[1])
    return axis.amount(axis.exactly(ends[1]) - axis.exactly(ends[0]))


def key_rows(
    spec: Spec,
    base: float,
    steps: int,
    run: int | None = None,
    axis: Axis = STEPS,
    *,
    base_is_known: bool = True,
    clock: Clock | None = None,
) -> list[tuple[str, ...]]:
    """The rows of a table of the key steps with their rates, the heading first.

    Args:
        spec: the spec, in optimizer steps.
        base: the base rate.
        steps: the last step.
        run: the run length in steps, if known.
        axis: the unit of a second column.
        base_is_known: whether somebody specified the base rate. Otherwise the share of it is left
            out where it depends on the base rate.
        clock: the clock of the run, for columns of what changes in its course.
    """
    from olm.cli.drawing.batch import batch_columns, changes
    from olm.drawing.braille import rate_text
    from olm.schedule.showing.key_steps import key_steps

    units: list[Axis | BatchColumn] = [STEPS] if axis == STEPS else [STEPS, axis]
    units += batch_columns(clock) if clock else []
    rows = [(*(unit.name for unit in units), "rate", "of base", "")]
    others = [*changes(clock, steps)] if clock else []
    for key in key_steps(spec.schedule, base, steps, run, others):
        has_share = base and (base_is_known or spec.lr(key.step, 2 * base) == 2 * key.rate)
        share = f"{key.rate / base * 100:.3g} %" if has_share else ""
        places = (unit.text(key.step) for unit in units)
        rows.append((*places, rate_text(key.rate), share, key.why))
    return rows
