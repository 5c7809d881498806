"""The output of ``olm diff``: fields, positions of states, and where curves diverge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Any

from olm.cli.clock_options import option
from olm.cli.comparing.comparison import Comparison
from olm.cli.comparing.sides import Durations, Lasting, Side
from olm.cli.comparing.targets import TargetComparison
from olm.cli.drawing.page import BESIDE
from olm.cli.terminal import Screen, visible
from olm.problem import LISTED, distinct, dotted, listed, quantity
from olm.spec.curve_differences import CurveDifference, RateDifference
from olm.spec.differences import Difference
from olm.spec.hyperparameters import LR

NEAR = 0.05
"""Curves that differ by at most this share of the picture look the same, and are not drawn."""

LONGEST = 60
"""The longest value that is printed; for a longer list, its length is printed."""


def page(found: Comparison, screen: Screen, drawn: bool) -> Iterator[str]:
    """The lines; `drawn` includes the curves, if they can be distinguished."""
    a, b = visible(found.a.name), visible(found.b.name)
    root = found.durations()
    fields = found.fields_of_root if found.targets else found.fields
    lines = [
        *_listed(fields, "fields", lambda field: _field(_with_steps(field, root), a, b)),
        *_listed(found.counts, "durations", lambda count: _count(count, root, a, b)),
    ]
    clocks = [_field(field, a, b) for field in (*found.clocks, *found.rounding)]
    memory = [_field(field, a, b, "remembers") for field in found.memory[:LISTED]]
    positions = [*_branches(found), *filter(None, map(_position, (found.a, found.b)))]
    curves: list[str] = []
    if found.curves and found.curves.first:
        chart = [*_chart(found, found.curves, screen)] if drawn else []
        curves = ["", *_table(found.curves, a, b), "", *chart]
    if found.targets:
        yield from (_field(field, a, b) for field in found.fields_of_document)
        again = [*_again(found.curves)] if found.curves else []
        yield from (*clocks, *_sections(found, [*lines, *memory, *curves, *again]), *positions)
    else:
        yield from (*lines, *clocks, *memory, *positions, *curves)
    yield from _notes(found)
    yield screen.paint("fine" if found.same else "bold", _summary(found))


def _branches(found: Comparison) -> Iterator[str]:
    """That one side is a branch of the other, and where it starts."""
    for run, branch in ((found.a, found.b), (found.b, found.a)):
        parent = branch.spec.parent
        if parent is None or run.counted is None:
            continue
        from olm.spec.digest import digest

        if digest(run.counted.schedule, run.counted.also) == parent.digest:
            names = f"{visible(branch.name)} is a branch of {visible(run.name)}"
            yield f"{names}, from step {parent.step:,} on"


def _sections(found: Comparison, of_root: list[str]) -> Iterator[str]:
    """A section for each schedule that differs, the learning rate's first, then the equal ones."""
    a, b = visible(found.a.name), visible(found.b.name)
    if of_root:
        yield from _section(LR, of_root)
    equal = [LR] if found.root_is_same else []
    for target in found.targets:
        label = visible(target.label)
        if target.only_in:
            side, sign = (a, "-") if target.only_in == "a" else (b, "+")
            yield f"{sign} {label}  (only in {side})"
            continue
        if lines := [*_of_target(target, found, a, b)]:
            yield from _section(label, lines)
        if target.same:
            equal.append(label)
    if equal:
        yield f"{listed(equal)}: equal"


def _section(label: str, lines: list[str]) -> Iterator[str]:
    yield label
    yield from (f"  {line}" if line else "" for line in lines)


def _of_target(target: TargetComparison, found: Comparison, a: str, b: str) -> Iterator[str]:
    """The lines on a target that both sides have."""
    durations = found.durations(target)
    yield from _listed(
        [*target.fields], "fields", lambda field: _field(_with_steps(field, durations), a, b)
    )
    yield from _listed([*target.counts], "durations", lambda one: _count(one, durations, a, b))
    yield from (_field(field, a, b, "remembers") for field in target.memory[:LISTED])
    curves = target.curves
    if curves is None:
        return
    base = f", {_with(curves.base_a, curves.base_b, 'base')}" if target.has_base else ""
    if curves.first is None or curves.largest is None:
        if not target.same:
            yield f"the curves are equal{base}"
        return
    first, largest = curves.first, curves.largest
    there, here = _distinct(largest)
    at = "there" if first.step == largest.step else f"at step {largest.step:,}"
    yield f"the curves part at step {first.step:,}, most {at}: {there} and {here}{base}"
    yield from _again(curves)


def _listed(those: list[Difference], what: str, line: Callable[[Difference], str]) -> Iterator[str]:
    """A line for each, up to a limit."""
    yield from map(line, those[:LISTED])
    if len(those) > LISTED:
        yield f"... and {len(those) - LISTED:,} more {what}"


def _with_steps(field: Difference, durations: Durations) -> Difference:
    """A field whose durations have their steps added, where these are known."""

    def described(value: Any, side: list[Lasting]) -> Any:
        texts = (
            quantity(item.steps, item.unit)
            for item in side
            if item.path == field.path and item.steps is not None
        )
        steps = next(texts, None)
        return value if steps is None else f"{value} ({steps})"

    ours, theirs = durations
    return replace(field, a=described(field.a, ours), b=described(field.b, theirs))


def _count(field: Difference, durations: Durations, a: str, b: str) -> str:
    item = next(item for item in durations[0] if item.path == field.path)
    steps = f"{quantity(field.a, item.unit)} in {a}, {quantity(field.b, item.unit)} in {b}"
    return f"{dotted(field.path)}: {item.written} is {steps}"


def _field(field: Difference, a: str, b: str, verb: str = "has") -> str:
    where = dotted(field.path)
    if field.only_in:
        there, value = (a, field.a) if field.only_in == "a" else (b, field.b)
        return f"{where}: only {there} {verb} it, {_value(value)}"
    return f"{where}: {a} {verb} {_value(field.a)}, {b} {_value(field.b)}"


def _value(value: Any) -> str:
    """A value in short.

    >>> _value([30, 60]), _value([1] * 99), _value("min"), _value(None)
    ('[30, 60]', '99 items', 'min', 'null')
    >>> _value({"from": "3%", "samples": 64})
    '{from: 3%, samples: 64}'
    """
    if isinstance(value, dict):
        fields = ", ".join(f"{name}: {_value(item)}" for name, item in value.items())
        return str(value["kind"]) if "kind" in value else f"{{{fields}}}"
    if isinstance(value, str):
        return value
    text = json.dumps(value)
    return quantity(len(value), "item") if isinstance(value, list) and len(text) > LONGEST else text


def _position(side: Side) -> str:
    """The position of a state; empty for a spec."""
    spec = side.spec
    if spec.last_epoch is None:
        return ""
    bases = tuple(dict.fromkeys(spec.base_lrs or ()))
    step = max(spec.last_epoch, 0)
    where = f"is at step {step:,}" if spec.last_epoch >= 0 else "has not started"
    rates = _rates([spec.lr(step, base) for base in bases])
    return f"{visible(side.name)} {where}: base {_rates(list(bases))}, current {rates}"


def _rates(rates: list[float]) -> str:
    more = ", ..." if len(rates) > 4 else ""
    return f"rate{'s' * (len(rates) > 1)} {listed(f'{rate:.6g}' for rate in rates[:4])}{more}"


def _table(curves: CurveDifference, a: str, b: str) -> Iterator[str]:
    """The steps that show how two curves differ, with both rates."""
    reasons = {
        "first difference": curves.first,
        "first of 1 % or more": curves.first_clear,
        "largest difference": curves.largest,
        "largest relative difference": curves.largest_relative,
        "last difference": curves.last,
    }
    of_step: dict[int, list[str]] = {}
    for why, rates in reasons.items():
        if rates:
            of_step.setdefault(rates.step, []).append(why)
    rows = [("step", a, b, "difference", "of the larger", "")]
    for rates in sorted({*filter(None, reasons.values())}, key=attrgetter("step")):
        size, share = f"{rates.absolute:+.3g}", f"{100 * rates.relative:+.3g} %"
        why = ", ".join(of_step[rates.step])
        rows.append((f"{rates.step:,}", *_distinct(rates), size, share, why))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{text:{width}}" for text, width in zip(row, widths, strict=True))
        yield f"    {'  '.join(cells)}".rstrip()


def _distinct(rates: RateDifference) -> tuple[str, str]:
    """Two rates with enough digits to distinguish them."""
    [a], [b] = distinct([rates.a], [rates.b])
    return a, b


def _chart(found: Comparison, curves: CurveDifference, screen: Screen) -> Iterator[str]:
    """Both curves, if they can be distinguished."""
    import numpy as np

    from olm.drawing.braille import ascii_rows, chart, columns

    at = np.linspace(0, curves.steps, columns(screen.width - BESIDE)).round()
    first, second = (schedule.lr(at, base) for _, schedule, base in found.shapes())
    height = max(first.max(), second.max()) - min(first.min(), second.min())
    if abs(second - first).max() < NEAR * height:
        return
    lines = chart(first, curves.steps, beside=second)
    a, b = visible(found.a.name), visible(found.b.name)
    yield from (f"    {line}" for line in (lines if screen.has_unicode else ascii_rows(lines)))
    yield from (f"    ⠒⠒ {a}   ⠂⠂ {b}" if screen.has_unicode else f"    {a} over {b}", "")


def _notes(found: Comparison) -> Iterator[str]:
    """Notes on how the curves were compared."""
    if (curves := found.curves) is None:
        yield without_curves(found)
        return
    if not found.targets:
        yield from _again(curves)
    if not curves.every_step:
        yield f"only {curves.looked_at:,} of {curves.steps + 1:,} steps were compared"
    if found.a.spec.schedule.metric_driven or found.b.spec.schedule.metric_driven:
        yield "the curves are those before the first metric"
    if curves.rounding and not curves.first:
        yield f"the curves are equal except for rounding, at most {curves.rounding:.2g}"


def _again(curves: CurveDifference) -> Iterator[str]:
    """Where two curves are equal again, if they are."""
    if curves.same_from is not None:
        yield f"the curves are equal again from step {curves.same_from:,} on"
    elif curves.first:
        yield f"the curves still differ at step {curves.steps:,}"


def without_curves(found: Comparison) -> str:
    """Why the curves were not compared, and the options that are missing."""
    names = {visible(side.name): None for side in (found.a, found.b) if side.needs}
    options = listed(map(option, found.needs), "and")
    have = f"{listed(names, 'and')} {'have' if len(names) > 1 else 'has'}"
    return f"the curves were not compared: {have} durations that need a clock (give {options})"


def _summary(found: Comparison) -> str:
    curves, fields = found.curves, _fields(found)
    if found.targets and not found.same:
        count = sum(not target.same for target in found.targets) + (not found.root_is_same)
        schedules = f"{count} of {len(found.targets) + 1} schedules differ{'s' * (count == 1)}"
        return schedules if count else f"{fields}, the schedules are equal"
    if curves is None:
        excepted = [
            *(["the clock"] if found.clocks else []),
            *(["rounding"] if found.rounding else []),
        ]
        return fields or "no differences" + f" except in {listed(excepted, 'and')}" * bool(excepted)
    if found.same:
        remembers = found.memory or any(target.memory for target in found.targets)
        moved = remembers or found.a.spec.last_epoch != found.b.spec.last_epoch
        both = found.a.spec.is_state and found.b.spec.is_state
        return "no differences" + " except in position" * bool(moved and both)
    if curves.first is None:
        withs = " and ".join(_with(*two) for two in found.same_with)
        return f"{fields}, the curves are equal, {withs}"
    same = "".join(f"; {_with(*two)} the curves are equal" for two in found.same_with)
    bases = _with(curves.base_a, curves.base_b)
    return f"{fields}, the curves differ from step {curves.first.step:,} on, {bases}{same}"


def _fields(found: Comparison) -> str:
    """How many fields differ; if none does, that the same durations have other steps."""
    count = len(found.fields)
    if count:
        return f"{quantity(count, 'field')} differ{'s' * (count == 1)}"
    if not found.counts:
        return ""
    if not found.rounding:
        return "only the run length differs"
    return (
        "only the run length and rounding differ" if found.clocks else "only the rounding differs"
    )


def _with(a: float, b: float, noun: str = "base rate") -> str:
    if a == b:
        return f"with {noun} {a:g}"
    [first], [second] = distinct([a], [b])
    return f"with {noun}s {first} and {second}"
