"""The comparison of two sides: fields, memory and curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from olm.cli.comparing.curves import bases_of_both, curve_differences, curves_as_json, curves_of
from olm.cli.comparing.sides import Durations, Lasting, Side, counts
from olm.cli.comparing.targets import TargetComparison, compare_targets, field_as_json
from olm.problem import dotted
from olm.schedule.schedule import Schedule
from olm.spec.curve_differences import CurveDifference
from olm.spec.differences import Difference, differences, run_differences
from olm.spec.memory import forgotten
from olm.spec.spec import Spec

if TYPE_CHECKING:
    from olm.cli.base_options import Base
    from olm.spec.target_curves import Curve


_OF_DOCUMENT = ("optimizer", "param_groups")


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
    rounding: list[Difference]
    """The different rounding, where numbers of steps differ or are unknown."""
    curves: CurveDifference | None
    """The curves with the first base rates with which they differ, or with the first.

    None without a clock that converts both to steps.
    """
    same_with: list[tuple[float, float]]
    """The base rates with which the curves are equal."""
    pair: tuple[Curve, Curve] | None = None
    """Both curves; None without a clock that converts both to steps."""
    targets: list[TargetComparison] = field(default_factory=list)
    """How the targets differ."""

    @property
    def same(self) -> bool:
        """Whether there are no differences, apart from position."""
        others = not self.fields_of_document and all(target.same for target in self.targets)
        return self.root_is_same and others

    @property
    def fields_of_document(self) -> list[Difference]:
        """The fields that belong to no schedule: numbers and names of the optimizer's groups."""
        return [one for one in self.fields if one.path[0] in _OF_DOCUMENT]

    @property
    def fields_of_root(self) -> list[Difference]:
        """The other fields that are in no target."""
        return [one for one in self.fields if one.path[0] not in _OF_DOCUMENT]

    @property
    def root_is_same(self) -> bool:
        """Whether the learning rates that no target sets are the same."""
        if self.fields_of_root or self.counts:
            return False
        return (
            not (self.clocks or self.rounding) if self.curves is None else self.curves.first is None
        )

    @property
    def needs(self) -> list[str]:
        """The fields of a clock that are missing for the curves."""
        return list(dict.fromkeys((*self.a.needs, *self.b.needs)))

    def durations(self, target: TargetComparison | None = None) -> Durations:
        """The durations of a target in both sides, by their paths in it, or those of the root."""
        identity = None if target is None else target.identity
        return self.a.durations_of(identity), self.b.durations_of(identity)

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
        curves = self.curves
        targets = {"targets": [target.as_json() for target in self.targets]}
        document = {
            "same": self.same,
            "a": _side(self.a),
            "b": _side(self.b),
            "fields": [field_as_json(difference) for difference in self.fields],
            "memory": [field_as_json(difference) for difference in self.memory],
            "counts": [field_as_json(difference) for difference in self.counts],
            "clock": [field_as_json(difference) for difference in self.clocks],
            "needs": self.needs,
            "curves": None if curves is None else curves_as_json(curves, self.same_with),
        }
        rounding = {"rounding": [field_as_json(difference) for difference in self.rounding]}
        return document | (targets if self.targets else {}) | (rounding if self.rounding else {})


def compare(a: Side, b: Side, bases: Sequence[Base], steps: int | None) -> Comparison:
    """How two sides differ.

    Args:
        a: one side.
        b: the other.
        bases: the numbers that options specify; by default those of a state or a spec, or
            `ANY_BASES`.
        steps: how many steps to compare; by default those of the longer one.

    Raises:
        RateError: a rate is negative or not finite.
    """
    found = differences(a.spec, b.spec)
    of_root = [one for one in found if not one.target] + [*_of_document(a.spec, b.spec)]
    pair = curves_of(a, b, (None, None))
    pairs = bases_of_both(a, b, (None, None), bases)
    tried = [] if pair is None else curve_differences(pair, pairs, steps)
    return Comparison(
        a,
        b,
        fields=[difference for difference in of_root if not difference.memory],
        memory=[difference for difference in of_root if difference.memory],
        counts=list(counts(a, b)),
        clocks=run_differences(a.spec, b.spec),
        rounding=list(_rounding(a, b)),
        curves=next((curves for curves in tried if curves.first), tried[0]) if tried else None,
        same_with=[(curves.base_a, curves.base_b) for curves in tried if curves.first is None],
        pair=pair,
        targets=list(compare_targets(a, b, found, bases, steps)),
    )


def _of_document(a: Spec, b: Spec) -> Iterator[Difference]:
    """The numbers and the names of param groups that both have, and that differ."""
    ours, theirs = dict(a.optimizer), dict(b.optimizer)
    for number, mine in ours.items():
        if mine != theirs.get(number, mine):
            yield Difference(("optimizer", number), mine, theirs[number])
    if not (a.param_groups and b.param_groups):
        return
    sides = (spec.group_names for spec in (a, b))
    for index, (name, other) in enumerate(zip_longest(*sides)):
        if name != other:
            only = "a" if other is None else "b" if name is None else None
            yield Difference(("param_groups", index), name, other, only)


def _rounding(a: Side, b: Side) -> Iterator[Difference]:
    """The rounding of two sides, where it differs and may have led to other numbers of steps."""
    ours, theirs = a.spec.rounding, b.spec.rounding
    if ours == theirs or not (a.durations and b.durations):
        return
    identities = [None, *(target.identity for target in a.spec.also)]
    unknown = a.counted is None or b.counted is None
    if unknown or any(True for identity in identities for _ in counts(a, b, identity)):
        yield Difference(("rounding",), ours, theirs)


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
    path, written, steps, _ = duration
    return {"path": dotted(path), "written": written.text, "steps": steps}
