"""The output of ``olm show`` for a spec with targets: a sentence, a curve and a column for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from olm.drawing.axis import STEPS, Axis
from olm.problem import quantity
from olm.spec.hyperparameters import LR

if TYPE_CHECKING:
    from olm.cli.drawing.batch import BatchColumn
    from olm.cli.drawing.columns import Column
    from olm.cli.drawing.page import View
    from olm.cli.terminal import Screen

ALONE = 11
"""The height of the only curve, in lines."""

HEIGHT = 5
"""The height of one curve among others."""

MARGIN = 9
"""The width of the labels at the curves, so that all of them have one axis."""

JUMPS = 4
"""How many steps at which a target jumps are listed."""

OF_THE_RUN = frozenset({"first step", "last training step", "end of the run", "last step shown"})
"""Why steps are listed whatever is scheduled."""


def charts(view: View, columns: Sequence[Column], screen: Screen) -> Iterator[str]:
    """A curve for each target, for its largest base, above one axis of steps."""
    from olm.cli.drawing.curves import Curves

    shown = drawn(columns)
    curves = Curves(view, screen, ALONE if len(shown) == 1 else HEIGHT)
    for index, column in enumerate(shown):
        yield from [""] * (index > 0)
        yield column.heading
        yield from curves.chart(
            column.curve,
            column.factor,
            margin=MARGIN,
            text=partial(number_text, of=column.number, digits=2),
            has_ticks=column is shown[-1],
        )
    yield from curves.names()


def drawn(columns: Sequence[Column]) -> list[Column]:
    """The columns that are drawn: of each target that with the largest base."""
    largest: dict[str, Column] = {}
    for column in columns:
        known = largest.setdefault(column.target, column)
        largest[column.target] = max(known, column, key=lambda one: one.factor)
    return [*largest.values()]


def rows_of(view: View, columns: Sequence[Column]) -> list[tuple[str, ...]]:
    """The rows of a table of the key steps of all targets, with a column for each."""
    import numpy as np

    from olm.cli.drawing.batch import batch_columns

    reasons = _reasons(view, columns)
    units: list[Axis | BatchColumn] = [STEPS] if view.axis == STEPS else [STEPS, view.axis]
    units += batch_columns(view.clock)
    steps = sorted(reasons)
    numbers = [column.curve.lr(np.array(steps), column.factor) for column in columns]
    rows = [*_heading([unit.name for unit in units], columns)]
    for row, step in enumerate(steps):
        cells = (
            number_text(of[row], one.number, 3) for of, one in zip(numbers, columns, strict=True)
        )
        places = (unit.text(step) for unit in units)
        rows.append((*places, *cells, _why(reasons[step], columns)))
    return rows


def _heading(units: Sequence[str], columns: Sequence[Column]) -> Iterator[tuple[str, ...]]:
    """The heading of the table: what a column shows, of which param groups, for which base."""
    names = [column.label.partition(" of ") for column in columns]
    yield (*units, *(name for name, _, _ in names), "")
    blank = [""] * len(units)
    if any(groups for _, _, groups in names):
        yield (*blank, *(f"of {groups}" if groups else "" for _, _, groups in names), "")
    if any(column.base is not None for column in columns):
        bases = ("" if one.base is None else f"base {one.base:.6g}" for one in columns)
        yield (*blank, *bases, "")


def notes(columns: Sequence[Column]) -> Iterator[str]:
    """What the columns leave out, and the options that would add it."""
    unknown = dict.fromkeys(
        one.number for one in columns if one.base is not None and not one.is_known
    )
    if unknown:
        options = " ".join(f"--base {number}=BASE" for number in unknown)
        yield f"Factors multiply 1 where the base is unknown: give {options}."
    left = {column.target: column for column in columns if column.left_out}
    for target, column in left.items():
        more = quantity(column.left_out, "other base")
        yield f"{more} of {target} {'is' if column.left_out == 1 else 'are'} not shown: " + (
            f"--only {column.number} shows more."
        )


def number_text(number: float, of: str, digits: int) -> str:
    """A number in a table: rates in scientific notation, others in six digits.

    >>> number_text(5.6528e-4, "lr", 3), number_text(0.99200197, "ema", 3)
    ('5.653e-04', '0.992002')
    """
    from olm.drawing.braille import rate_text

    if of == LR:
        return rate_text(number, digits)
    return f"{number:.{2 * digits}g}"


def _reasons(view: View, columns: Sequence[Column]) -> dict[int, dict[str, list[str]]]:
    """Each step that is listed, with why, and the targets of which this is so."""
    from olm.cli.drawing.batch import changes

    found: dict[int, dict[str, list[str]]] = {}
    run = view.clock.total_steps
    firsts = {column.target: column for column in reversed(columns)}
    principal = columns[0].target
    for target in dict.fromkeys(column.target for column in columns):
        column = firsts[target]
        for key in view.find_key_steps(column.curve, column.factor or 1.0, view.steps, run):
            for why in _split(key.why, target == principal):
                found.setdefault(key.step, {}).setdefault(why, []).append(target)
        for _, step in islice(column.curve.schedule.jumps(), JUMPS if target != LR else 0):
            if 0 < step <= view.steps:
                found.setdefault(step, {}).setdefault("jump", []).append(target)
    for step, why in changes(view.clock, view.steps):
        found.setdefault(step, {}).setdefault(why, []).append("")
    if (last := view.spec.last_epoch) is not None and 0 <= last <= view.steps:
        found.setdefault(last, {}).setdefault("step of the state", []).append("")
    return found


def _split(text: str, is_principal: bool) -> Iterator[str]:
    """Why a step is listed; the run is that of the first target."""
    text = re.sub("(final rate|end of the schedule), held", "held from here", text)
    for why in text.split(", "):
        if is_principal or why not in OF_THE_RUN | {"halfway down", "highest rate"}:
            yield why


def _why(reasons: dict[str, list[str]], columns: Sequence[Column]) -> str:
    """Why a step is listed, after the targets of which this is so."""
    several = len({column.target for column in columns}) > 1
    texts: list[str] = []
    for why, targets in reasons.items():
        of = "" if why in OF_THE_RUN or not several or not targets[0] else ", ".join(targets)
        texts.append(f"{of}: {why}" if of else why)
    return "; ".join(texts)
