"""The comparison of two sides: fields, memory and curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from olm.cli.comparing.sides import Lasting, Side
from olm.cli.terminal import Progress
from olm.problem import dotted
from olm.schedule.schedule import Schedule
from olm.spec.curve_differences import AT_ONCE, CurveDifference, RateDifference, curve_difference
from olm.spec.differences import Difference, differences, run_differences
from olm.spec.memory import forgotten
from olm.spec.spec import Spec

ANY_BASES = (1.0, 1e-3)
"""The default base rates: with 1 alone, absolute rates and factors would be equal."""

GROUPS = 8
"""The most pairs of base rates for which curves are compared."""


@dataclass(frozen=True)
class Comparison:
    """How two sides differ."""

    a: Side
    b: Side
    fields: list[Difference]
    memory: list[Difference]
    """Different memories, which are not differences between schedules."""
    counts: list[Difference]
    """The durations that are written alike, but are different numbers of steps."""
    clocks: list[Difference]
    """Differences of the clocks; where they matter, `counts` has differences too."""
    curves: CurveDifference | None
    """The curves with the first base rates with which they differ, or with the first.

    None without a clock that converts both to steps.
    """
    same_with: list[tuple[float, float]]
    """The base rates with which the curves are equal."""

    @property
    def same(self) -> bool:
        """Whether there are no differences, apart from position."""
        if self.fields or self.counts:
            return False
        return not self.clocks if self.curves is None else self.curves.first is None

    @property
    def needs(self) -> list[str]:
        """The fields of a clock that are missing for the curves."""
        return list(dict.fromkeys((*self.a.needs, *self.b.needs)))

    def shapes(self) -> list[tuple[str, Schedule, float]]:
        """The name, schedule and base rate of each curve."""
        if self.curves is None:
            return []
        sides = ((self.a, self.curves.base_a), (self.b, self.curves.base_b))
        return [
            (side.name, forgotten(side.schedule), base)
            for side, base in sides
            if side.schedule is not None
        ]

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return {
            "same": self.same,
            "a": _side(self.a),
            "b": _side(self.b),
            "fields": [_field(difference) for difference in self.fields],
            "memory": [_field(difference) for difference in self.memory],
            "counts": [_field(difference) for difference in self.counts],
            "clock": [_field(difference) for difference in self.clocks],
            "needs": self.needs,
            "curves": None if self.curves is None else _curves(self.curves, self.same_with),
        }


def compare(a: Side, b: Side, base: float | None, steps: int | None) -> Comparison:
    """How two sides differ.

    Args:
        a: one side.
        b: the other.
        base: the base rate; by default that of a state, or `ANY_BASES`.
        steps: how many steps to compare; by default those of the longer one.

    Raises:
        RateError: a rate is negative or not finite.
    """
    found = differences(a.spec, b.spec)
    tried = _curve_differences(a, b, base, steps)
    return Comparison(
        a,
        b,
        fields=[difference for difference in found if not difference.memory],
        memory=[difference for difference in found if difference.memory],
        counts=list(_counts(a, b)),
        clocks=run_differences(a.spec, b.spec),
        curves=next((curves for curves in tried if curves.first), tried[0]) if tried else None,
        same_with=[(curves.base_a, curves.base_b) for curves in tried if curves.first is None],
    )


def _curve_differences(
    a: Side, b: Side, base: float | None, steps: int | None
) -> list[CurveDifference]:
    """The curves with each pair of base rates; none without a clock that converts both to steps."""
    if a.schedule is None or b.schedule is None:
        return []
    schedules = forgotten(a.schedule), forgotten(b.schedule)
    last = steps or max(schedule.horizon() for schedule in schedules)
    tried: list[CurveDifference] = []
    for bases in _bases(a.spec, b.spec, base):
        progress = Progress(last + 1, "steps", AT_ONCE)
        tried.append(curve_difference(*schedules, bases, last, progress.at))
        progress.clear()
    return tried


def _counts(a: Side, b: Side) -> Iterator[Difference]:
    """The durations that are written alike, but are different numbers of steps."""
    others = {(path, written): steps for path, written, steps in b.durations}
    for path, written, mine in a.durations:
        theirs = others.get((path, written))
        if None not in (mine, theirs) and mine != theirs:
            yield Difference(path, mine, theirs)


def _bases(a: Spec, b: Spec, base: float | None) -> list[tuple[float, float]]:
    """The pairs of base rates to compare with: those of each param group of a state."""
    if base is not None:
        return [(base, base)]
    if a.base_lrs and b.base_lrs:
        return list(dict.fromkeys(zip(a.base_lrs, b.base_lrs, strict=False)))[:GROUPS]
    bases = a.base_lrs or b.base_lrs or ANY_BASES
    return [(rate, rate) for rate in dict.fromkeys(bases)][:GROUPS]


def _side(side: Side) -> dict[str, Any]:
    spec = side.spec
    return {
        "name": side.name,
        "kind": spec.schedule.kind,
        "last_epoch": spec.last_epoch,
        "base_lrs": None if spec.base_lrs is None else list(spec.base_lrs),
        "durations": [_lasting(duration) for duration in side.durations],
    }


def _lasting(duration: Lasting) -> dict[str, Any]:
    path, written, steps = duration
    return {"path": dotted(path), "written": written.text, "steps": steps}


def _field(field: Difference) -> dict[str, Any]:
    return {"path": dotted(field.path), "a": field.a, "b": field.b, "only_in": field.only_in}


def _curves(curves: CurveDifference, same_with: list[tuple[float, float]]) -> dict[str, Any]:
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


def _apart(rates: RateDifference | None) -> dict[str, Any] | None:
    if rates is None:
        return None
    return {
        "step": rates.step,
        "a": rates.a,
        "b": rates.b,
        "absolute": rates.absolute,
        "relative": rates.relative,
    }
