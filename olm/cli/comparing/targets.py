"""The comparison of a target that two sides have, or that only one has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from olm.cli.comparing.curves import bases_of_both, curve_differences, curves_as_json, curves_of
from olm.cli.comparing.sides import Identity, Side, counts
from olm.problem import dotted
from olm.spec.curve_differences import CurveDifference
from olm.spec.differences import Difference

if TYPE_CHECKING:
    from olm.cli.base_options import Base
    from olm.spec.target_curves import Curve


@dataclass(frozen=True)
class TargetComparison:
    """How a target of two sides differs."""

    label: str
    """The target in words."""
    identity: Identity
    """What tells it from the other targets."""
    only_in: str | None = None
    """The side that has it, ``a`` or ``b``, if the other one does not."""
    fields: Sequence[Difference] = ()
    memory: Sequence[Difference] = ()
    counts: Sequence[Difference] = ()
    """The durations that are written alike, but are different numbers of steps."""
    pair: tuple[Curve, Curve] | None = None
    """Both curves; None without a clock that converts both to steps."""
    curves: CurveDifference | None = None
    """The curves with the first bases with which they differ, or with the first."""
    same_with: Sequence[tuple[float, float]] = ()
    """The bases with which the curves are equal."""
    has_base: bool = True
    """Whether its numbers depend on a base."""

    @property
    def same(self) -> bool:
        """Whether it is the same in both, apart from what it remembers of metrics."""
        if self.only_in or self.fields or self.counts:
            return False
        return self.curves is None or self.curves.first is None

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain values."""
        curves = self.curves
        return {
            "target": self.label,
            "same": self.same,
            "only_in": self.only_in,
            "fields": [field_as_json(difference) for difference in self.fields],
            "memory": [field_as_json(difference) for difference in self.memory],
            "counts": [field_as_json(difference) for difference in self.counts],
            "curves": None if curves is None else curves_as_json(curves, self.same_with),
        }


def field_as_json(field: Difference) -> dict[str, Any]:
    """A difference as plain values."""
    return {"path": dotted(field.path), "a": field.a, "b": field.b, "only_in": field.only_in}


def compare_targets(
    a: Side, b: Side, found: Sequence[Difference], bases: Sequence[Base], steps: int | None
) -> Iterator[TargetComparison]:
    """How each target of two sides differs.

    Args:
        a: one side.
        b: the other.
        found: the fields in which the two differ.
        bases: the numbers that options specify.
        steps: how many steps to compare; by default those of the longer curve.

    Raises:
        RateError: a number is negative or not finite.
    """
    ours, theirs = ({target.identity: target for target in side.spec.also} for side in (a, b))
    for identity in {**ours, **theirs}:
        mine, other = ours.get(identity), theirs.get(identity)
        if mine is None or other is None:
            there = mine or other
            assert there is not None
            yield TargetComparison(there.label, identity, "b" if mine is None else "a")
            continue
        of_target = [one for one in found if one.target == mine.label]
        pair, tried = curves_of(a, b, (mine, other)), []
        has_base = pair is not None and any(curve.follows_base() for curve in pair)
        if pair is not None:
            pairs = bases_of_both(a, b, (mine, other), bases) if has_base else [(1.0, 1.0)]
            tried = curve_differences(pair, pairs, steps)
        yield TargetComparison(
            mine.label,
            identity,
            fields=[one for one in of_target if not one.memory],
            memory=[one for one in of_target if one.memory],
            counts=list(counts(a, b, identity)),
            pair=pair,
            curves=next((curves for curves in tried if curves.first), tried[0]) if tried else None,
            same_with=[(one.base_a, one.base_b) for one in tried if one.first is None],
            has_base=has_base,
        )
