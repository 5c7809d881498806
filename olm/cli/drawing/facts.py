"""The facts of a state: where it stands, its bases, and its numbers now and at the next step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from olm.problem import listed, quantity
from olm.schedule.showing.sentence import in_words

if TYPE_CHECKING:
    from olm.spec.spec import Spec

LISTED = 8
"""How many rates are printed."""


def facts(spec: Spec, writer: str | None) -> Iterator[str]:
    """The facts of a state, one per line.

    Args:
        spec: the state.
        writer: whose state it is.
    """
    step, bases = spec.last_epoch or 0, spec.base_lrs or ()
    yield f"written by  {writer}"
    yield f"step        {spec.last_epoch:,}" + ", the last step taken" * (step >= 0)
    if spec.parent is not None:
        yield f"branch      from step {spec.parent.step:,} of {spec.parent.digest}"
    if spec.param_groups:
        yield f"groups      {_names(spec)}"
    yield f"base rates  {shortened(bases)}"
    yield f"rates now   {shortened(_rates(spec, max(step, 0)))}"
    if not spec.schedule.metric_driven:
        yield f"next rates  {shortened(_rates(spec, step + 1))}"
    if spec.durations:
        yield f"written as  {_durations(spec)}"
    yield from in_words(spec.schedule)
    if spec.also:
        from olm.cli.drawing.target_words import also_in_words

        yield from also_in_words(spec.also)
        yield from _targets(spec)


def _rates(spec: Spec, step: int) -> list[float]:
    """The rate of each param group, by the target that sets it."""
    bases = spec.base_lrs or ()
    if not spec.also:
        return [spec.lr(step, base) for base in bases]
    names: list[str | None] = [*spec.group_names] or [None] * len(bases)
    return [
        spec.of("lr", step, base=base, group=name) for name, base in zip(names, bases, strict=True)
    ]


def _targets(spec: Spec) -> Iterator[str]:
    """A table of the numbers that are no learning rates, each as the param groups have it."""
    from olm.cli.aligned import aligned
    from olm.spec.target_curves import numbers_at

    step = spec.last_epoch or 0
    now, then = numbers_at(spec, max(step, 0)), numbers_at(spec, step + 1)
    rows = [("target", "bases", "now", "next")]
    for target in spec.also:
        if target.set == "lr":
            continue
        bases = target.bases or () if target.base is None else (target.base,)
        following = "" if target.curve.metric_driven else shortened(then[target.label])
        rows.append((target.label, shortened(bases), shortened(now[target.label]), following))
    yield from aligned(rows) if len(rows) > 1 else ()


def _names(spec: Spec) -> str:
    """The names of the param groups, up to a limit."""
    names = spec.group_names
    more = f", ... ({quantity(len(names), 'param group')})" if len(names) > LISTED else ""
    return listed(names[:LISTED]) + more


def _durations(spec: Spec) -> str:
    """The durations as written, up to a limit."""
    texts = [f"{path}: {text}" for path, text in spec.durations]
    rounded = [f"rounded {spec.rounding}"] if spec.rounding != "nearest" else []
    return ", ".join([*texts[:LISTED], *("..." for _ in texts[LISTED:][:1]), *rounded])


def shortened(rates: Sequence[float]) -> str:
    """The exact rates of all param groups; a rate that all share, once.

    >>> shortened([0.5, 0.1]), shortened([0.5, 0.5])
    ('0.5, 0.1', '0.5 (2 param groups)')
    """
    if len(rates) > 1 and len(set(rates)) == 1:
        return f"{rates[0]!r} ({quantity(len(rates), 'param group')})"
    more = f", ... ({quantity(len(rates), 'param group')})" if len(rates) > LISTED else ""
    return ", ".join(map(repr, rates[:LISTED])) + more
