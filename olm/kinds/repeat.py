"""Schedules that start again after some steps."""

from fractions import Fraction
from math import ceil
from typing import Annotated, Literal

from olm.fields.durations import exact
from olm.schedule import (
    MAX_STEPS,
    Array,
    Child,
    NonNegative,
    Number,
    Part,
    PositiveCount,
    PositiveSteps,
    Schedule,
    cycles,
    rule,
)
from olm.schedule.curves import cycle_start, whole_on_paper

FEW_CYCLES = 64
"""The most cycles whose last one can be a step long to the digit."""


def _last_cycle(period: int, growth: float, count: int) -> Fraction | float:
    """How many steps the last of some cycles has, exactly where that may be one step."""
    return period * (exact(growth) if count <= FEW_CYCLES else growth) ** (count - 1)


@rule(
    "growth",
    "count",
    "period",
    holds=lambda growth, count, period: (
        growth >= 1 or (count is not None and _last_cycle(period, growth, count) >= 1)
    ),
    message="with {growth} below 1, {count} must end the cycles, the first of {period}, "
    "before one is shorter than a step",
)
class Repeat(Schedule):
    """A schedule that starts again every ``period`` steps, slower or lower each time if wanted.

    >>> from olm.kinds.cosine import CosineAnnealing
    >>> waves = Repeat(scheduler=CosineAnnealing(T_max=4), period=4, growth=2.0, shrink=0.5)
    >>> waves.lr([0, 2, 4, 8, 12], base=0.8).round(3)
    array([0.8, 0.4, 0.4, 0.2, 0.2])

    Source: olm's own; timm's ``cycle_mul`` and ``cycle_decay``, Keras' ``t_mul`` and ``m_mul`` are
    ``growth`` and ``shrink``.
    """

    kind: Literal["RepeatLR"] = "RepeatLR"
    scheduler: Child
    """The schedule to repeat."""
    period: PositiveSteps
    """The length of the first cycle, in steps."""
    growth: Annotated[float, Number(1e-6, 1e6)] = 1.0
    """The length of each cycle, divided by that of the one before: above 1, each is slower."""
    shrink: NonNegative = 1.0
    """What the base rate is multiplied by from cycle to cycle."""
    count: PositiveCount | None = None
    """How many cycles there are; by default they never end. The rate at the end holds."""

    group = "composition"
    periods = ("period",)
    words = "again every {period} steps"
    examples = [
        {"scheduler": {"kind": "CosineAnnealingLR", "T_max": 20}, "period": 20},
        {
            "scheduler": {"kind": "CosineAnnealingLR", "T_max": 20, "eta_min": 1e-5},
            "period": 20,
            "growth": 2.0,
            "shrink": 0.5,
            "count": 3,
        },
    ]
    own_clock = True

    def wording(self) -> str:
        if self.count == 1:
            return "the first {period} steps, after which the rate holds"
        words = [self.words]
        if self.growth != 1:
            words = ["again after {period} steps, each cycle {growth} × as long as the one before"]
        if self.shrink != 1:
            words.append("with {shrink} × its base rate")
        if self.count is not None:
            words.append("{count} times, after which the rate holds")
        return ", ".join(words)

    def formula(self, step: Array, base: Array) -> Array:
        number, own_step = self._cycle(step)
        bases = base if self.shrink == 1 else base * self.shrink**number
        return self.scheduler.formula(own_step, bases)

    def own_marks(self) -> list[int]:
        shown = min(self.count or 3, 100)
        ends = [self._end(number) for number in range(1, shown + 1)]
        return [end for end in ends if end < MAX_STEPS] or [MAX_STEPS]

    def holds_from(self) -> int | None:
        return None if self.count is None else min(self._end(self.count), MAX_STEPS)

    def ends_at(self) -> int | None:
        return self.holds_from()

    def horizon(self) -> int:
        return self.holds_from() or self.own_marks()[-1]

    def parts(self) -> list[Part]:
        return [Part(0, self.period, self.scheduler)]

    def part_steps(self, step: int) -> list[int | None]:
        import numpy as np

        _, own = self._cycle(np.array([float(step)]))
        return [int(own[0])]

    def part_ranges(self, first: int, last: int) -> list[tuple[int, int]]:
        return [(0, self.period)]

    def reached_at(self, part: Part, step: int) -> int | None:
        # The first cycle is as fast as the optimizer's steps.
        return step if step <= self.period else None

    def _cycle(self, step: Array) -> tuple[Array, Array]:
        """The number of the cycle, and the step of the repeated schedule in it."""
        import numpy as np

        number, start, length = cycles(step, self.period, self.growth)
        own_step = whole_on_paper(step - start if self.growth == 1 else (step - start) / length)
        if self.count is None:
            return number, own_step
        own_step = np.where(number < self.count, own_step, float(self.period))
        return np.minimum(number, self.count - 1.0), own_step

    def _end(self, number: int) -> int:
        """The step at which a number of cycles is over."""
        if self.growth == 1:
            return self.period * number
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            (end,) = cycle_start(np.array([float(number)]), self.period, self.growth)
        return ceil(min(float(end), MAX_STEPS))
