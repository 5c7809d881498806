"""Two sides compared: their fields, what they remember, and their curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from olm.cli.comparing.sides import Lasting, Side
from olm.cli.terminal import Progress
from olm.problem import dotted
from olm.schedule.schedule import Schedule
from olm.spec.curve_differences import AT_ONCE, Apart, Parting, parting
from olm.spec.differences import Difference, differences, run_differences
from olm.spec.memory import forgotten
from olm.spec.spec import Spec

ANY_BASES = (1.0, 1e-3)
"""The base rates where nobody says one: what is absolute and what is a factor are equal with 1."""

GROUPS = 8
"""The curves of at most so many param groups, all of other base rates, are compared."""


@dataclass(frozen=True)
class Comparison:
    """How two sides differ."""

    a: Side
    b: Side
    fields: list[Difference]
    memory: list[Difference]
    """What they do not remember alike, which is no difference between schedules."""
    counts: list[Difference]
    """The durations that are written alike, and are other numbers of steps."""
    clocks: list[Difference]
    """What they do not say alike of the run; where it counts, it makes a difference above."""
    curves: Parting | None
    """The curves with the first base rates with which they part, or just the first.

    None if it is not known what they are, for want of a clock.
    """
    same_with: list[tuple[float, float]]
    """The base rates with which the curves were found to be the same."""

    @property
    def same(self) -> bool:
        """Whether they say the same, wherever they stand."""
        if self.fields or self.counts:
            return False
        return not self.clocks if self.curves is None else self.curves.first is None

    @property
    def needs(self) -> list[str]:
        """What a clock must say besides what is known, so that there are curves."""
        return list(dict.fromkeys((*self.a.needs, *self.b.needs)))

    def shapes(self) -> list[tuple[str, Schedule, float]]:
        """What the curves are of: each side's name, its schedule and its base rate."""
        if self.curves is None:
            return []
        sides = ((self.a, self.curves.base_a), (self.b, self.curves.base_b))
        return [
            (side.name, forgotten(side.schedule), base)
            for side, base in sides
            if side.schedule is not None
        ]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "same": self.same,
            "a": _side(self.a),
            "b": _side(self.b),
            "fields": [_field(one) for one in self.fields],
            "memory": [_field(one) for one in self.memory],
            "counts": [_field(one) for one in self.counts],
            "clock": [_field(one) for one in self.clocks],
            "needs": self.needs,
            "curves": None if self.curves is None else _curves(self.curves, self.same_with),
        }


def compare(a: Side, b: Side, base: float | None, steps: int | None) -> Comparison:
    """How two sides differ.

    Args:
        a: one side.
        b: the other.
        base: the base rate; else a state's, or any.
        steps: how many steps to compare; else as many as the longer of the two takes.

    Raises:
        RateError: a rate is negative or not finite.
    """
    found = differences(a.spec, b.spec)
    tried = _partings(a, b, base, steps)
    return Comparison(
        a,
        b,
        fields=[one for one in found if not one.memory],
        memory=[one for one in found if one.memory],
        counts=list(_counts(a, b)),
        clocks=run_differences(a.spec, b.spec),
        curves=next((one for one in tried if one.first), tried[0]) if tried else None,
        same_with=[(one.base_a, one.base_b) for one in tried if one.first is None],
    )


def _partings(a: Side, b: Side, base: float | None, steps: int | None) -> list[Parting]:
    """The curves with each pair of base rates; none if it is not known what they are."""
    if a.schedule is None or b.schedule is None:
        return []
    schedules = forgotten(a.schedule), forgotten(b.schedule)
    last = steps or max(schedule.horizon() for schedule in schedules)
    tried: list[Parting] = []
    for bases in _bases(a.spec, b.spec, base):
        progress = Progress(last + 1, "steps", AT_ONCE)
        tried.append(parting(*schedules, bases, last, progress.at))
        progress.clear()
    return tried


def _counts(a: Side, b: Side) -> Iterator[Difference]:
    """The durations that are written alike, and are other numbers of steps."""
    others = {(one.path, one.written): one.steps for one in b.durations}
    for path, written, mine in a.durations:
        theirs = others.get((path, written))
        if None not in (mine, theirs) and mine != theirs:
            yield Difference(path, mine, theirs)


def _bases(a: Spec, b: Spec, base: float | None) -> list[tuple[float, float]]:
    """The pairs of base rates with which to compare: each param group's, where states say them."""
    if base is not None:
        return [(base, base)]
    if a.base_lrs and b.base_lrs:
        return list(dict.fromkeys(zip(a.base_lrs, b.base_lrs, strict=False)))[:GROUPS]
    bases = a.base_lrs or b.base_lrs or ANY_BASES
    return [(one, one) for one in dict.fromkeys(bases)][:GROUPS]


def _side(side: Side) -> dict[str, Any]:
    spec = side.spec
    return {
        "name": side.name,
        "kind": spec.schedule.kind,
        "last_epoch": spec.last_epoch,
        "base_lrs": None if spec.base_lrs is None else list(spec.base_lrs),
        "durations": [_lasting(one) for one in side.durations],
    }


def _lasting(one: Lasting) -> dict[str, Any]:
    return {"path": dotted(one.path), "written": one.written.text, "steps": one.steps}


def _field(one: Difference) -> dict[str, Any]:
    return {"path": dotted(one.path), "a": one.a, "b": one.b, "only_in": one.only_in}


def _curves(curves: Parting, same_with: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "same": curves.first is None,
        "base_lr": {"a": curves.base_a, "b": curves.base_b},
        "steps": curves.steps,
        "every_step": curves.every_step,
        "looked_at": curves.looked_at,
        "differing": curves.count,
        "first": _apart(curves.first),
        "first_clear": _apart(curves.first_clear),
        "largest": _apart(curves.largest),
        "largest_relative": _apart(curves.largest_relative),
        "last": _apart(curves.last),
        "same_from": curves.same_from,
        "rounding": curves.rounding,
        "same_with": [list(two) for two in same_with],
    }


def _apart(one: Apart | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "step": one.step,
        "a": one.a,
        "b": one.b,
        "absolute": one.absolute,
        "relative": one.relative,
    }
