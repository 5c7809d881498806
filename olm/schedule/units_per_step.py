"""How many samples or tokens the steps of a run take, where that changes in stages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from olm.schedule.curves import Array

MOST_STAGES = 100_000
"""How many stages a ramp may have, at most."""

Exact = int | Fraction
"""A number without rounding."""


def whole(number: Exact) -> Exact:
    """The same number, as an int if it is one."""
    return number.numerator if number.denominator == 1 else number


def as_number(number: Exact) -> int | float:
    """The same number as plain JSON has it."""
    return number if isinstance(number, int) else float(number)


@dataclass(frozen=True)
class UnitsPerStep:
    """How many units, samples or tokens, each step takes: stages of constant size.

    >>> doubled = UnitsPerStep.of_stages([(0, 100), (10, 200)])
    >>> doubled.at(10), doubled.before(12), doubled.step_at(1500)
    (200, 1400, Fraction(25, 2))
    """

    firsts: tuple[int, ...]
    """The first step of each stage, ascending from 0."""
    sizes: tuple[Exact, ...]
    """How many units each step of the stage takes."""
    seen: tuple[Exact, ...]
    """How many units the steps before the stage took."""

    @classmethod
    def of_stages(cls, stages: Sequence[tuple[int, Exact]]) -> UnitsPerStep:
        """The plan of stages, each with its first step and its size."""
        firsts, sizes = zip(*stages, strict=True)
        seen: list[Exact] = [0]
        for (first, size), (next_first, _) in pairwise(stages):
            seen.append(whole(seen[-1] + (next_first - first) * size))
        return cls(firsts, sizes, tuple(seen))

    @property
    def is_constant(self) -> bool:
        """Whether all steps take equally many."""
        return len(self.firsts) == 1

    @property
    def stages(self) -> list[tuple[int, Exact]]:
        """The first step and the size of each stage."""
        return list(zip(self.firsts, self.sizes, strict=True))

    def at(self, step: int | Fraction) -> Exact:
        """How many units a step takes."""
        return self.sizes[self._stage(self.firsts, step)]

    def before(self, step: int | Fraction) -> Exact:
        """How many units all steps before a step take."""
        stage = self._stage(self.firsts, step)
        return whole(self.seen[stage] + (step - self.firsts[stage]) * self.sizes[stage])

    def step_at(self, units: Exact) -> Fraction:
        """The step, with its fraction, before which this many units were taken."""
        stage = self._stage(self.seen, units)
        return self.firsts[stage] + Fraction(units - self.seen[stage]) / self.sizes[stage]

    def along(self, steps: Array) -> Array:
        """`before` for an array of steps, in float64."""
        import numpy as np

        if self.is_constant:
            size = Fraction(self.sizes[0])
            product: Array = steps * float(size.numerator)
            return product if size.denominator == 1 else product / float(size.denominator)
        from olm.schedule.curves import covering

        needed = covering(self.firsts, steps)
        firsts, sizes, seen = (numbers[needed.start : needed.stop] for numbers in self._arrays)
        stage: Any = 0
        if len(needed) > 1:
            stage = np.maximum(np.searchsorted(firsts, steps, side="right") - 1, 0)
        places: Array = seen[stage] + (steps - firsts[stage]) * sizes[stage]
        return places

    def since(self, begin: int) -> UnitsPerStep:
        """The same units, with the steps counted from `begin`."""
        if not begin:
            return self
        stages = [(first - begin, size) for first, size in self.stages if first > begin]
        return UnitsPerStep.of_stages([(0, self.at(begin)), *stages])

    @cached_property
    def _arrays(self) -> tuple[Array, Array, Array]:
        import numpy as np

        firsts, sizes, seen = (
            np.array([float(number) for number in numbers])
            for numbers in (self.firsts, self.sizes, self.seen)
        )
        return firsts, sizes, seen

    @staticmethod
    def _stage(starts: Sequence[Exact], place: Exact) -> int:
        return max(bisect_right(starts, place) - 1, 0)


class Threshold(NamedTuple):
    """From when on a number has another value."""

    at: Exact
    """How many steps, samples or tokens come before."""
    unit: str
    """What `at` counts: ``steps``, ``samples`` or ``tokens``."""
    value: Exact
    """The value from there on."""


def ramp_thresholds(start: int, end: int, by: int, over: Exact, unit: str) -> list[Threshold]:
    """The thresholds of a value that changes in equal steps, evenly over some units.

    >>> [tuple(threshold) for threshold in ramp_thresholds(3, 1, 1, 10, "samples")]
    [(0, 'samples', 3), (5, 'samples', 2), (10, 'samples', 1)]
    """
    count = abs(end - start) // by
    sizes = [*range(start, end, by if end > start else -by), end]
    places = (whole(Fraction(index * over, count)) for index in range(count + 1))
    return [Threshold(place, unit, size) for place, size in zip(places, sizes, strict=True)]


class Disorder(ValueError):
    """A stage would begin before the one listed before it."""

    def __init__(self, index: int, of_length: bool) -> None:
        super().__init__(index)
        self.index = index
        self.of_length = of_length


def run_through(
    batch: Sequence[Threshold], *, per_sample: Sequence[Threshold] = (), in_tokens: bool = False
) -> dict[str, UnitsPerStep]:
    """The samples and tokens per step of a run, as far as they are known.

    A stage begins with the first step before which at least its units were taken. A stage in which
    no step begins is left out.

    Args:
        batch: the batch of each stage, in order, the first at 0.
        per_sample: the tokens per sample of each stage, in order, the first at 0; empty if unknown.
        in_tokens: whether the batch is in tokens, not in samples.

    Raises:
        Disorder: the stages of one of the two begin in another order.

    Source: megatron-core 0.16.1, ``RampupBatchsizeNumMicroBatchesCalculator``, in exact numbers.
    """
    # In parts of a unit, thresholds are whole numbers, which Python adds much faster.
    parts = lcm(*(one.at.denominator for one in (*batch, *per_sample)))
    tracks = [
        [one._replace(at=whole(one.at * parts)) for one in track]
        for track in ((batch, per_sample) if per_sample else (batch,))
    ]
    step = 0
    taken: dict[str, Exact] = dict.fromkeys(("steps", "samples", "tokens"), 0)
    stages: dict[str, list[tuple[int, Exact]]] = {}
    ahead = [0] * len(tracks)
    sizes: dict[str, Exact] = {"steps": parts}
    while True:
        for index, track in enumerate(tracks):
            ahead[index], in_order = _reached(track, ahead[index], taken, sizes)
            if not in_order:
                raise Disorder(ahead[index], of_length=index > 0)
        values = [track[index - 1].value for track, index in zip(tracks, ahead, strict=True)]
        sizes = {"steps": parts}
        for unit, size in _sizes(values, in_tokens):
            sizes[unit] = size * parts
            own = stages.setdefault(unit, [])
            if not own or own[-1][1] != size:
                own.append((step, size))
        places = zip(tracks, ahead, strict=True)
        coming = [track[index] for track, index in places if index < len(track)]
        if not coming:
            break
        steps = min(-((taken[one.unit] - one.at) // sizes[one.unit]) for one in coming)
        step += steps
        for unit, size in sizes.items():
            taken[unit] += steps * size
    return {unit: UnitsPerStep.of_stages(own) for unit, own in stages.items()}


def _reached(
    track: Sequence[Threshold], index: int, taken: Mapping[str, Exact], sizes: Mapping[str, Exact]
) -> tuple[int, bool]:
    """The index of the first threshold that is still ahead; or of one that is out of order."""
    first = index
    while index < len(track) and track[index].at <= taken[track[index].unit]:
        unit = track[index].unit
        # It was reached a step before the stage that is listed before it.
        if index > first and track[index].at <= taken[unit] - sizes.get(unit, 0):
            return index, False
        index += 1
    return index, True


def _sizes(values: Sequence[Exact], in_tokens: bool) -> Iterator[tuple[str, Exact]]:
    batch, *lengths = values
    yield ("tokens" if in_tokens else "samples"), batch
    for length in lengths:
        if in_tokens:
            yield "samples", whole(Fraction(batch) / length)
        else:
            yield "tokens", whole(batch * length)
