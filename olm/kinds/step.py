"""Decays by a factor: at equal distances, at given steps, or at every step."""

from collections.abc import Iterable, Iterator
from math import ceil, log
from typing import Literal

from olm.problem import Path
from olm.schedule import (
    MAX_STEPS,
    Array,
    NonNegative,
    PositiveSteps,
    Schedule,
    StepIndices,
    ascending,
    covering,
    quotient,
)


class Step(Schedule):
    """The base rate, multiplied by ``gamma`` every ``step_size`` steps.

    >>> Step(step_size=2, gamma=0.5).lr([0, 1, 2, 3, 4, 9], base=0.8)
    array([0.8 , 0.8 , 0.4 , 0.4 , 0.2 , 0.05])

    Source: torch 2.13, ``torch.optim.lr_scheduler.StepLR``. ``step_size: 0``, by which torch
    divides, is an error.
    """

    kind: Literal["StepLR"] = "StepLR"
    step_size: PositiveSteps
    """How many steps each rate holds."""
    gamma: NonNegative = 0.1
    """What the rate is multiplied by."""

    group = "decay"
    periods = ("step_size",)
    words = "the base rate, times {gamma} every {step_size} steps"
    examples = [{"step_size": 30}, {"step_size": 10, "gamma": 0.5}]

    def holds_from(self) -> int | None:
        return super().holds_from() if self.gamma == 1 else None

    def jumps(self) -> Iterator[tuple[Path, int]]:
        if self.gamma != 1:
            yield ("step_size",), self.step_size

    def formula(self, step: Array, base: Array) -> Array:
        return base * self.gamma ** quotient(step, self.step_size)


@ascending("milestones", strictly=False)
class MultiStep(Schedule):
    """The base rate, multiplied by ``gamma`` at every milestone.

    >>> MultiStep(milestones=[2, 4], gamma=0.5).lr([0, 1, 2, 3, 4, 9], base=0.8)
    array([0.8, 0.8, 0.4, 0.4, 0.2, 0.2])

    Source: torch 2.13, ``torch.optim.lr_scheduler.MultiStepLR``. A milestone that is listed
    twice counts twice, as in torch.
    """

    kind: Literal["MultiStepLR"] = "MultiStepLR"
    milestones: StepIndices
    """The steps at which the rate is multiplied once more."""
    gamma: NonNegative = 0.1
    """What the rate is multiplied by."""

    group = "decay"
    words = "the base rate, times {gamma} at each of the steps {milestones}"
    examples = [{"milestones": [30, 80]}, {"milestones": [10, 20, 25], "gamma": 0.5}]

    def jumps(self) -> Iterator[tuple[Path, int]]:
        yield from ((("milestones", index), step) for index, step in enumerate(self.milestones))

    def wording(self) -> str:
        return self.words if self.milestones else "the base rate"

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        passed = covering((0, *self.milestones), step)
        if len(passed) == 1:
            return base * self.gamma ** np.array([float(passed.start)])
        some = self.milestones[passed.start : passed.stop - 1]
        count = passed.start + np.searchsorted(some, step, side="right")
        return base * self.gamma ** count.astype(float)


class Exponential(Schedule):
    """The base rate, multiplied by ``gamma`` at every step.

    >>> Exponential(gamma=0.5).lr([0, 1, 2, 3, 9], base=0.8)
    array([0.8      , 0.4      , 0.2      , 0.1      , 0.0015625])

    Source: torch 2.13, ``torch.optim.lr_scheduler.ExponentialLR``.
    """

    kind: Literal["ExponentialLR"] = "ExponentialLR"
    gamma: NonNegative
    """What the rate is multiplied by."""

    group = "decay"
    words = "the base rate, times {gamma} at every step"
    examples = [{"gamma": 0.95}]

    def holds_from(self) -> int | None:
        return super().holds_from() if self.gamma == 1 else None

    def own_marks(self) -> Iterable[int]:
        if not 0 < self.gamma < 1:
            return ()
        # A quarter of the steps to 0.1 % of the base rate.
        return (min(ceil(log(0.001) / log(self.gamma) / 4), MAX_STEPS),)

    def formula(self, step: Array, base: Array) -> Array:
        return base * self.gamma**step
