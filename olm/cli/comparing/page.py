"""What ``olm diff`` prints: the fields, where the two stand, and how their curves part."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from olm.cli.clock_options import option
from olm.cli.comparing.comparison import Comparison
from olm.cli.comparing.sides import Side
from olm.cli.terminal import Paint, visible
from olm.problem import LISTED, dotted, in_steps
from olm.spec.curve_differences import Apart, Parting
from olm.spec.differences import Difference

WIDTH = 64
"""The width of the curves, in characters."""

NEAR = 0.05
"""Curves that are nowhere further apart, as a share of the picture, would be one to the eye."""

LONGEST = 60
"""The longest value that is repeated; of a longer list its length is told."""


def page(found: Comparison, paint: Paint, drawn: bool) -> Iterator[str]:
    """The lines; `drawn` says whether the curves are among them, if they can be told apart."""
    a, b = visible(found.a.name), visible(found.b.name)
    yield from _listed(found.fields, "fields", lambda one: _field(_with_steps(one, found), a, b))
    yield from _listed(found.counts, "durations", lambda one: _count(one, found, a, b))
    yield from (_field(one, a, b) for one in found.clocks)
    yield from (_field(one, a, b, "remembers") for one in found.memory[:LISTED])
    yield from filter(None, map(_stands, (found.a, found.b)))
    if found.curves and found.curves.first:
        yield from ("", *_table(found.curves, a, b), "")
        if drawn:
            yield from _chart(found, found.curves, a, b)
    yield from _notes(found)
    yield paint("fine" if found.same else "bold", _summary(found))


def _listed(those: list[Difference], what: str, line: Callable[[Difference], str]) -> Iterator[str]:
    """A line for each, as far as anybody would read them."""
    yield from map(line, those[:LISTED])
    if len(those) > LISTED:
        yield f"... and {len(those) - LISTED:,} more {what}"


def _with_steps(one: Difference, found: Comparison) -> Difference:
    """A field whose durations say how many steps they are, where that is known."""

    def told(value: Any, side: Side) -> Any:
        steps = next((it.steps for it in side.durations if it.path == one.path), None)
        return value if steps is None else f"{value} ({in_steps(steps)})"

    return replace(one, a=told(one.a, found.a), b=told(one.b, found.b))


def _count(one: Difference, found: Comparison, a: str, b: str) -> str:
    written = next(it.written for it in found.a.durations if it.path == one.path)
    return f"{dotted(one.path)}: {written} is {in_steps(one.a)} in {a}, {in_steps(one.b)} in {b}"


def _field(one: Difference, a: str, b: str, verb: str = "has") -> str:
    where = dotted(one.path)
    if one.only_in:
        there, value = (a, one.a) if one.only_in == "a" else (b, one.b)
        return f"{where}: only {there} {verb} it, {_value(value)}"
    return f"{where}: {a} {verb} {_value(one.a)}, {b} {_value(one.b)}"


def _value(value: Any) -> str:
    """A value in few words.

    >>> _value([30, 60]), _value([1] * 99), _value("min"), _value(None)
    ('[30, 60]', '99 items', 'min', 'null')
    """
    if isinstance(value, dict):
        return str(value["kind"])
    if isinstance(value, str):
        return value
    text = json.dumps(value)
    return f"{len(value):,} items" if isinstance(value, list) and len(text) > LONGEST else text


def _stands(side: Side) -> str:
    """Where a state stands; nothing of a spec."""
    spec = side.spec
    if spec.last_epoch is None:
        return ""
    bases = tuple(dict.fromkeys(spec.base_lrs or ()))
    step = max(spec.last_epoch, 0)
    where = f"stands at step {step:,}" if spec.last_epoch >= 0 else "has not begun"
    rates = _rates([spec.lr(step, base) for base in bases])
    return f"{visible(side.name)} {where}: base {_rates(list(bases))}, now {rates}"


def _rates(rates: list[float]) -> str:
    more = ", ..." if len(rates) > 4 else ""
    return f"rate{'s' * (len(rates) > 1)} {', '.join(f'{rate:.6g}' for rate in rates[:4])}{more}"


def _table(curves: Parting, a: str, b: str) -> Iterator[str]:
    """The steps that tell how two curves part, with both rates."""
    reasons = {
        "the first step that differs": curves.first,
        "the first by 1 % or more": curves.first_clear,
        "the largest difference": curves.largest,
        "the largest as a share of the rate": curves.largest_relative,
        "the last step that differs": curves.last,
    }
    of_step: dict[int, list[str]] = {}
    for why, one in reasons.items():
        if one:
            of_step.setdefault(one.step, []).append(why)
    rows = [("step", a, b, "difference", "of the larger", "")]
    for one in sorted({one for one in reasons.values() if one}, key=lambda one: one.step):
        size, share = f"{one.absolute:+.3g}", f"{100 * one.relative:+.3g} %"
        why = ", ".join(of_step[one.step])
        rows.append((f"{one.step:,}", *_told_apart(one), size, share, why))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{text:{width}}" for text, width in zip(row, widths, strict=True))
        yield f"    {'  '.join(cells)}".rstrip()


def _told_apart(one: Apart) -> tuple[str, str]:
    """Two rates in as many digits as it takes to see that they are two."""
    short = (f"{one.a:.6g}", f"{one.b:.6g}")
    return (repr(one.a), repr(one.b)) if short[0] == short[1] else short


def _chart(found: Comparison, curves: Parting, a: str, b: str) -> Iterator[str]:
    """Both curves, if they can be told apart."""
    import numpy as np

    from olm.drawing.braille import chart, columns

    at = np.linspace(0, curves.steps, columns(WIDTH)).round()
    one, other = (schedule.lr(at, base) for _, schedule, base in found.shapes())
    height = max(one.max(), other.max()) - min(one.min(), other.min())
    if abs(other - one).max() < NEAR * height:
        return
    yield from (f"    {line}" for line in chart(one, curves.steps, beside=other))
    yield from (f"    ⠒⠒ {a}   ⠂⠂ {b}", "")


def _notes(found: Comparison) -> Iterator[str]:
    """What has to be said of how the curves were compared."""
    if (curves := found.curves) is None:
        yield without_curves(found)
        return
    if curves.same_from is not None:
        yield f"they are the same again from step {curves.same_from:,} on"
    elif curves.first:
        yield f"they are not the same again up to step {curves.steps:,}"
    if not curves.every_step:
        yield (
            f"only {curves.looked_at:,} of {curves.steps + 1:,} steps were compared: what lies "
            "between them is not known"
        )
    if found.a.spec.schedule.metric_driven or found.b.spec.schedule.metric_driven:
        yield "the curves are those before the first metric"
    if curves.rounding and not curves.first:
        yield f"the curves are the same but for rounding, by at most {curves.rounding:.2g}"


def without_curves(found: Comparison) -> str:
    """Why the curves are not known, and what would do."""
    names = {visible(side.name): None for side in (found.a, found.b) if side.needs}
    options = " and ".join(map(option, found.needs))
    have = f"{' and '.join(names)} {'have' if len(names) > 1 else 'has'}"
    return f"the curves were not compared: {have} durations that no clock counts ({options} would)"


def _summary(found: Comparison) -> str:
    curves, fields = found.curves, _fields(found)
    if curves is None:
        return fields or "they say the same" + ", for other runs" * bool(found.clocks)
    if found.same:
        moved = found.memory or found.a.spec.last_epoch != found.b.spec.last_epoch
        both = found.a.spec.is_state and found.b.spec.is_state
        return "they say the same" + ", and stand elsewhere" * bool(moved and both)
    if curves.first is None:
        withs = " and ".join(_with(*two) for two in found.same_with)
        return f"{fields}, the curves do not, {withs}"
    same = "".join(f"; {_with(*two)} the curves are the same" for two in found.same_with)
    bases = _with(curves.base_a, curves.base_b)
    return f"{fields}, and the curves from step {curves.first.step:,} on, {bases}{same}"


def _fields(found: Comparison) -> str:
    """How many fields differ; of what is written alike, that only the run does."""
    count = len(found.fields)
    if count:
        return "1 field differs" if count == 1 else f"{count:,} fields differ"
    return "only the run differs" if found.counts else ""


def _with(a: float, b: float) -> str:
    return f"with the base rate {a:g}" if a == b else f"with the base rates {a:g} and {b:g}"
