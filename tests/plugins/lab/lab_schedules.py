"""Kinds that do what some of olm's do, with fields of other names: lint must ask them."""

from collections.abc import Iterator
from functools import reduce
from itertools import accumulate
from typing import Literal

from olm.problem import Path
from olm.schedule import (
    Array,
    Factor,
    Listed,
    Part,
    PositiveSteps,
    Rate,
    Schedule,
    StepIndex,
    Steps,
    half_cosine,
    line,
    pieces,
    ramp,
    where,
)


class Fade(Schedule):
    """Half a cosine down to a rate: a decay with an end and a floor."""

    kind: Literal["lab.Fade"] = "lab.Fade"
    span: PositiveSteps
    """The step at which the decay ends."""
    lowest: Rate = 0.0
    """The rate at the end."""

    length_fields = ("span",)

    def floor(self) -> str:
        return "lowest"

    def formula(self, step: Array, base: Array) -> Array:
        fall = line(
            base, self.lowest, 1 - half_cosine(ramp(step, self.span) * 3.141592653589793) / 2
        )
        return where(step < self.span, fall, self.lowest)


class Drops(Schedule):
    """The base rate, divided by ten at each of some steps."""

    kind: Literal["lab.Drops"] = "lab.Drops"
    drops: Listed[StepIndex]
    """The steps at which the rate drops."""

    def jumps(self) -> Iterator[tuple[Path, int]]:
        yield from ((("drops", index), step) for index, step in enumerate(self.drops))

    def formula(self, step: Array, base: Array) -> Array:
        return base * 0.1 ** sum((step >= drop) * 1.0 for drop in self.drops)


class Flat(Schedule):
    """A multiple of the base rate, for ever."""

    kind: Literal["lab.Flat"] = "lab.Flat"
    times: Factor = 1.0
    """What the base rate is multiplied by."""

    is_constant = True

    def formula(self, step: Array, base: Array) -> Array:
        return base * self.times + 0 * step


class Highest(Schedule):
    """The highest of some rates."""

    kind: Literal["lab.Highest"] = "lab.Highest"
    among: Listed[Schedule]
    """The schedules."""

    takes_highest = True

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        return reduce(np.maximum, (child.formula(step, base) for child in self.among))


class Rise(Schedule):
    """A straight rise to the base rate, which holds."""

    kind: Literal["lab.Rise"] = "lab.Rise"
    climb: Steps
    """How many steps the rise takes."""

    def warm_up(self) -> tuple[Path, float]:
        return ("climb",), self.climb

    def formula(self, step: Array, base: Array) -> Array:
        return base * ramp(step + 1, self.climb)


class Slow(Schedule):
    """A schedule whose clock moves on only every so many steps."""

    kind: Literal["lab.Slow"] = "lab.Slow"
    slowed: Schedule
    """The schedule."""
    pace: PositiveSteps
    """How many steps the clock stays."""

    own_clock = True

    def part_steps(self, step: int) -> list[int | None]:
        return [step // self.pace * self.pace]

    def own_marks(self) -> tuple[int, ...]:
        return ()

    def formula(self, step: Array, base: Array) -> Array:
        return self.slowed.formula(step // self.pace * self.pace, base)


class Turns(Schedule):
    """One schedule after another."""

    kind: Literal["lab.Turns"] = "lab.Turns"
    players: Listed[Schedule]
    """The schedules."""
    spans: Listed[PositiveSteps]
    """How many steps each of them applies."""

    length_fields = ("spans",)

    def parts(self) -> list[Part]:
        ends = [*accumulate(self.spans)]
        return list(map(Part, [0, *ends], ends, self.players))

    def own_marks(self) -> tuple[int, ...]:
        return (sum(self.spans),)

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        inner = np.minimum(step, float(sum(self.spans)))
        return pieces(inner, base, [(part.start, part.schedule.formula) for part in self.parts()])
