"""Where the curves of two schedules differ, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from olm.schedule.schedule import Schedule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from olm.schedule.curves import Array
    from olm.spec.target_curves import Curve

    Shape = Schedule | Curve

EVERY_STEP = 100_000_000
"""The number of steps up to which all are compared."""

SOME_STEPS = 200_000
"""How many steps of a longer range are compared, besides those at which a shape changes."""

AT_ONCE = 2**19
"""How many steps are compared at once."""

ROUNDING = 1e-14
"""Two rates that differ by at most this share of them differ by rounding only."""

ROUNDING_OF_BASE = 1e-15
"""The same as a share of the base rate: near zero the last digits of a cosine are random."""

CLEAR = 0.01
"""A clear difference, as a share of the larger rate."""


@dataclass(frozen=True)
class RateDifference:
    """A step at which two curves differ, with both rates."""

    step: int
    a: float
    b: float

    @property
    def absolute(self) -> float:
        """The second rate minus the first."""
        return self.b - self.a

    @property
    def relative(self) -> float:
        """The difference as a share of the larger rate, from -1 to 1."""
        return self.absolute / (max(self.a, self.b) or 1.0)


@dataclass(frozen=True)
class CurveDifference:
    """How two curves differ from step 0 to a last step, which is included."""

    steps: int
    """The last step."""
    base_a: float
    base_b: float
    looked_at: int = 0
    """The number of steps that were compared."""
    count: int = 0
    """The number of steps at which they differ."""
    first: RateDifference | None = None
    """The first step at which they differ; None if they are the same."""
    first_clear: RateDifference | None = None
    """The first step at which they differ by a share of `CLEAR` or more."""
    largest: RateDifference | None = None
    """The step with the largest difference."""
    largest_relative: RateDifference | None = None
    """The step with the largest difference as a share of the rate."""
    last: RateDifference | None = None
    """The last step at which they differ."""
    same_from: int | None = None
    """The step from which on they are the same again, if there is one after a difference."""
    rounding: float = 0.0
    """The largest difference that is ignored as a rounding."""

    @property
    def every_step(self) -> bool:
        """Whether every step was compared."""
        return self.looked_at == self.steps + 1


def curve_difference(
    a: Shape,
    b: Shape,
    bases: tuple[float, float],
    steps: int,
    at: Callable[[int], Any] = lambda done: None,
) -> CurveDifference:
    """Where two curves differ and by how much, at every step if these are not too many.

    Args:
        a: one schedule, or the curve of a target.
        b: the other.
        bases: the base rate of each.
        steps: the last step.
        at: a callback for the number of steps compared so far.

    Raises:
        RateError: a rate is negative or not finite.
        SpecError: a schedule has durations, which only a clock can count.

    >>> from olm.kinds.linear import Linear
    >>> found = curve_difference(Linear(total_steps=4), Linear(total_steps=8), (0.5, 0.5), steps=8)
    >>> found.first, found.largest, found.same_from
    (RateDifference(step=1, a=0.375, b=0.4375), RateDifference(step=4, a=0.0, b=0.25), 8)
    """
    a, b = a.in_steps(), b.in_steps()
    if a == b and bases[0] == bases[1]:
        return CurveDifference(steps, *bases, looked_at=steps + 1)
    result = CurveDifference(steps, *bases)
    last = _changes_until(a, b, steps)
    for block in _blocks(a, b, last):
        at(result.looked_at)
        result = _further(result, block, a.lr(block, bases[0]), b.lr(block, bases[1]))
    held = steps - last
    if held and result.last and result.last.step == last:
        ever_after = replace(result.last, step=steps)
        result = replace(result, last=ever_after, count=result.count + held)
    return replace(result, looked_at=result.looked_at + held)


def _size(difference: RateDifference) -> float:
    return abs(difference.absolute)


def _relative_size(difference: RateDifference) -> float:
    return abs(difference.relative)


def _changes_until(a: Shape, b: Shape, steps: int) -> int:
    """The step from which on both rates hold, or the last one if they do not."""
    held_a, held_b = a.holds_from(), b.holds_from()
    return steps if held_a is None or held_b is None else min(steps, max(held_a, held_b))


def _blocks(a: Shape, b: Shape, last: int) -> Iterator[NDArray[Any]]:
    """The steps to compare, in ascending order."""
    import numpy as np

    if last < EVERY_STEP:
        for first in range(0, last + 1, AT_ONCE):
            yield np.arange(first, min(first + AT_ONCE, last + 1))
        return
    marks = {mark + near for mark in (*a.marks(), *b.marks()) for near in (-1, 0, 1)}
    some = np.linspace(0, last, SOME_STEPS + 1).round().astype(np.int64)
    steps = np.union1d(some, np.array([mark for mark in marks if 0 <= mark <= last], np.int64))
    for first in range(0, len(steps), AT_ONCE):
        yield steps[first : first + AT_ONCE]


def _further(so_far: CurveDifference, steps: NDArray[Any], a: Array, b: Array) -> CurveDifference:
    """The difference after some more steps were compared."""
    import numpy as np

    looked_at = so_far.looked_at + len(steps)
    size, larger = abs(b - a), np.maximum(a, b)
    slack = ROUNDING * larger + ROUNDING_OF_BASE * max(so_far.base_a, so_far.base_b)
    apart = size > slack
    rounding = max(so_far.rounding, float(size.max(where=~apart, initial=0.0)))
    (where,) = apart.nonzero()
    if not len(where):
        again = int(steps[0]) if so_far.last and so_far.same_from is None else so_far.same_from
        return replace(so_far, looked_at=looked_at, rounding=rounding, same_from=again)

    def seen(index: int) -> RateDifference:
        return RateDifference(int(steps[index]), float(a[index]), float(b[index]))

    clear = where[size[where] >= CLEAR * larger[where]]
    largest = seen(where[size[where].argmax()])
    largest_relative = seen(where[(size[where] / larger[where]).argmax()])
    return replace(
        so_far,
        looked_at=looked_at,
        count=so_far.count + len(where),
        first=so_far.first or seen(where[0]),
        first_clear=so_far.first_clear or (seen(clear[0]) if len(clear) else None),
        largest=max(so_far.largest or largest, largest, key=_size),
        largest_relative=max(
            so_far.largest_relative or largest_relative,
            largest_relative,
            key=_relative_size,
        ),
        last=seen(where[-1]),
        same_from=int(steps[where[-1] + 1]) if where[-1] + 1 < len(steps) else None,
        rounding=rounding,
    )
