"""The curves of two sides, compared for the base numbers that are known of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from olm.cli.base_options import based
from olm.cli.terminal import Progress
from olm.spec.curve_differences import AT_ONCE, CurveDifference, RateDifference, curve_difference
from olm.spec.target_curves import Curve, curve_of

if TYPE_CHECKING:
    from olm.cli.base_options import Base
    from olm.cli.comparing.sides import Side
    from olm.spec.targets import Target

ANY_BASES = (1.0, 1e-3)
"""The default base rates: with 1 alone, absolute rates and factors would be equal."""

GROUPS = 8
"""The most pairs of base rates for which curves are compared."""

Targets = tuple["Target | None", "Target | None"]
"""The target of each side; None for the root."""


def curves_of(a: Side, b: Side, targets: Targets) -> tuple[Curve, Curve] | None:
    """The curves of both before any metric; None without a clock that converts both to steps."""
    if a.counted is None or b.counted is None:
        return None
    first, second = (
        curve_of(side.counted.schedule, side.counted.also, side.in_steps(target)).forgotten()
        for side, target in zip((a, b), targets, strict=True)
        if side.counted is not None
    )
    return first, second


def curve_differences(
    curves: tuple[Curve, Curve], pairs: Sequence[tuple[float, float]], steps: int | None
) -> list[CurveDifference]:
    """How two curves differ with each pair of bases."""
    last = steps or max(curve.horizon() for curve in curves)
    tried: list[CurveDifference] = []
    for bases in pairs:
        progress = Progress(last + 1, "steps", AT_ONCE)
        tried.append(curve_difference(*curves, bases, last, progress.at))
        progress.clear()
    return tried


def bases_of_both(
    a: Side, b: Side, targets: Targets, bases: Sequence[Base]
) -> list[tuple[float, float]]:
    """The pairs of bases to compare with: those of each param group, as far as they are known."""
    known = [
        [own.number for own in based(side.spec, target, bases) if own.number is not None]
        for side, target in zip((a, b), targets, strict=True)
    ]
    ours, theirs = (mine or known[1 - index] or [*ANY_BASES] for index, mine in enumerate(known))
    groups = max(len(ours), len(theirs))
    # A number that a spec has without names is that of every group.
    if not (a.spec.is_state and b.spec.is_state):
        ours, theirs = (side * groups if len(side) == 1 else side for side in (ours, theirs))
    return list(dict.fromkeys(zip(ours, theirs, strict=False)))[:GROUPS]


def curves_as_json(
    curves: CurveDifference, same_with: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    """How two curves differ, as plain values."""
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
