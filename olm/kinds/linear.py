"""Straight lines."""

from typing import Literal

from olm.schedule import Array, Factor, PositiveSteps, Rate, Schedule, line, ramp


class Linear(Schedule):
    """A straight line from ``start_factor`` times the base rate to ``end_lr``.

    >>> Linear(total_steps=4, end_lr=0.1).lr([0, 1, 2, 3, 4, 9], base=0.5)
    array([0.5, 0.4, 0.3, 0.2, 0.1, 0.1])

    Source: OpenLanguageModel 2.2.1, ``olm.train.schedulers.LinearLR``, to the bit. torch's class of
    this name has other arguments. ``total_steps: 0``, by which OLM divides, is an error.
    """

    kind: Literal["LinearLR"] = "LinearLR"
    total_steps: PositiveSteps
    """The step at which the rate reaches ``end_lr``, where it holds."""
    end_lr: Rate = 0.0
    """The rate at ``total_steps`` and after."""
    start_factor: Factor = 1.0
    """What the base rate is multiplied by at step 0."""

    group = "decay"
    words = (
        "a straight line from {start_factor} × base to {end_lr} at step {total_steps}, which holds"
    )
    examples = [{"total_steps": 100}, {"total_steps": 10, "end_lr": 1e-5, "start_factor": 0.5}]

    def floor(self) -> str | None:
        # From below the base rate the line may rise, and end anywhere.
        return "end_lr" if self.start_factor >= 1 else None

    def formula(self, step: Array, base: Array) -> Array:
        return line(base * self.start_factor, self.end_lr, ramp(step, self.total_steps))


class LinearDecay(Schedule):
    """A straight line from the base rate to zero.

    >>> LinearDecay(total_steps=4).lr([0, 1, 2, 3, 4, 9], base=0.5)
    array([0.5  , 0.375, 0.25 , 0.125, 0.   , 0.   ])

    Source: OpenLanguageModel 2.2.1, ``olm.train.schedulers.LinearDecayLR``, to the bit.
    ``total_steps: 0``, for which OLM's rate is 0 from step 0 on, is an error.
    """

    kind: Literal["LinearDecayLR"] = "LinearDecayLR"
    total_steps: PositiveSteps
    """The step at which the rate reaches 0, where it holds."""

    group = "decay"
    words = "a straight line from the base rate to 0 at step {total_steps}, which holds"
    examples = [{"total_steps": 100}]

    def formula(self, step: Array, base: Array) -> Array:
        return base * (1 - ramp(step, self.total_steps))
