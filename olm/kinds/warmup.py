"""A rise from a low rate, alone or before a decay."""

from math import pi
from typing import Literal

from olm.schedule import (
    Array,
    PositiveSteps,
    Rate,
    Schedule,
    Steps,
    fits,
    half_cosine,
    ramp,
    rule,
    where,
)


def to_the_base_rate(start_factor: float, warmup_steps: object) -> str:
    """How a schedule comes to the base rate, in words with its fields in braces."""
    if warmup_steps == 0:
        return "the base rate"
    if start_factor == 1:
        return "the base rate for {warmup_steps} steps"
    way = "up" if start_factor < 1 else "down"
    return f"{way} from {{start_factor}} × base to the base rate in {{warmup_steps}} steps"


class Warmup(Schedule):
    """A straight rise from just above ``start_lr`` to the base rate, which then holds.

    Step 0 already trains one of ``warmup_steps`` equal increments above ``start_lr``.

    >>> Warmup(warmup_steps=4, start_lr=0.1).lr([0, 1, 2, 3, 4, 9], base=0.5)
    array([0.2, 0.3, 0.4, 0.5, 0.5, 0.5])

    Source: OpenLanguageModel 2.2.1, ``olm.train.schedulers.WarmupLR``, to the bit.
    """

    kind: Literal["WarmupLR"] = "WarmupLR"
    warmup_steps: Steps
    """How many steps the rise takes. 0 is no warm-up."""
    start_lr: Rate = 0.0
    """The rate one increment below that of step 0."""

    group = "warm-up"
    words = "from {start_lr} to the base rate in {warmup_steps} steps, which holds"
    examples = [{"warmup_steps": 100}, {"warmup_steps": 10, "start_lr": 1e-6}]

    def wording(self) -> str:
        if self.warmup_steps == 0:
            return "the base rate"
        return self.words if self.start_lr else f"up {self.words}"

    def formula(self, step: Array, base: Array) -> Array:
        # The rise ends at its last step: a slowed clock evaluates between that one and the next.
        return where(
            step <= self.warmup_steps - 1,
            lambda: self.start_lr + (base - self.start_lr) * ((step + 1) / self.warmup_steps),
            base,
        )


@rule(
    "warmup_steps",
    "total_steps",
    holds=lambda warmup_steps, total_steps: warmup_steps < total_steps,
    message="{warmup_steps} must be below {total_steps}",
)
@fits("warmup_steps", into="total_steps")
class WarmupCosine(Schedule):
    """A straight rise to the base rate, then half a cosine wave down to ``min_lr``.

    The base rate is reached at step ``warmup_steps - 1`` and used once more at step
    ``warmup_steps``.

    >>> schedule = WarmupCosine(warmup_steps=2, total_steps=6, min_lr=0.1)
    >>> schedule.lr([0, 1, 2, 3, 4, 5, 6, 9], base=0.5).round(3)
    array([0.25 , 0.5  , 0.5  , 0.441, 0.3  , 0.159, 0.1  , 0.1  ])

    Source: OpenLanguageModel 2.2.1, ``olm.train.schedulers.WarmupCosineScheduler``, to the bit.
    A warm-up as long as the whole, after which OLM's rate drops at once, is an error.
    """

    kind: Literal["WarmupCosineScheduler"] = "WarmupCosineScheduler"
    warmup_steps: Steps
    """How many steps the rise takes. 0 is no warm-up."""
    total_steps: PositiveSteps
    """The step at which the rate reaches ``min_lr``, where it holds. It includes the warm-up."""
    min_lr: Rate = 0.0
    """The rate at ``total_steps`` and after."""

    group = "warm-up"
    words = (
        "up from 0 to the base rate in {warmup_steps} steps, "
        "then half a cosine to {min_lr} at step {total_steps}, which holds"
    )
    examples = [
        {"warmup_steps": 10, "total_steps": 100},
        {"warmup_steps": 2000, "total_steps": 500000, "min_lr": 3e-5},
    ]

    def wording(self) -> str:
        words = self.words if self.min_lr else self.words.replace("cosine to", "cosine down to")
        if self.warmup_steps:
            return words
        fall = words.partition("then ")[2]
        return fall.replace("half a cosine", "half a cosine from the base rate")

    def formula(self, step: Array, base: Array) -> Array:
        height, length = (base - self.min_lr) * 0.5, self.total_steps - self.warmup_steps
        return where(
            step < self.warmup_steps,
            lambda: base * ramp(step + 1, self.warmup_steps),
            lambda: self.min_lr + height * half_cosine(pi * ramp(step - self.warmup_steps, length)),
        )
