"""Two sides compared: their fields, what they remember, and their curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from olm.cli.comparing.sides import Side
from olm.cli.terminal import Progress
from olm.differences import Difference, differences
from olm.memory import forgotten
from olm.partings import AT_ONCE, Apart, Parting, parting
from olm.problem import dotted
from olm.schedule import Schedule
from olm.spec import Spec

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
    curves: Parting
    """The curves with the first base rates with which they part, or just the first."""
    same_with: list[tuple[float, float]]
    """The base rates with which the curves were found to be the same."""

    @property
    def same(self) -> bool:
        """Whether they say the same, wherever they stand."""
        return not self.fields and self.curves.first is None

    def shapes(self) -> list[tuple[str, Schedule, float]]:
        """What the curves are of: each side's name, its schedule and its base rate."""
        bases = (self.curves.base_a, self.curves.base_b)
        sides = zip((self.a, self.b), bases, strict=True)
        return [(side.name, forgotten(side.spec.schedule), base) for side, base in sides]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "same": self.same,
            "a": _side(self.a),
            "b": _side(self.b),
            "fields": [_field(one) for one in self.fields],
            "memory": [_field(one) for one in self.memory],
            "curves": _curves(self.curves) | {"same_with": [list(two) for two in self.same_with]},
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
    schedules = forgotten(a.spec.schedule), forgotten(b.spec.schedule)
    last = steps or max(schedule.horizon() for schedule in schedules)
    tried: list[Parting] = []
    for bases in _bases(a.spec, b.spec, base):
        progress = Progress(last + 1, "steps", AT_ONCE)
        tried.append(parting(*schedules, bases, last, progress.at))
        progress.clear()
    same_with = [(one.base_a, one.base_b) for one in tried if one.first is None]
    return Comparison(
        a,
        b,
        [one for one in found if not one.memory],
        [one for one in found if one.memory],
        next((one for one in tried if one.first), tried[0]),
        same_with,
    )


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
    }


def _field(one: Difference) -> dict[str, Any]:
    return {"path": dotted(one.path), "a": one.a, "b": one.b, "only_in": one.only_in}


def _curves(curves: Parting) -> dict[str, Any]:
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
