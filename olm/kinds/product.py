"""Schedules that apply together: their product, the smallest, the largest."""

from functools import reduce
from typing import Annotated, Literal

from olm.schedule import Array, Children, Length, Schedule, where


class Chained(Schedule):
    """The product of schedules: each multiplies the base rate by its own factor.

    >>> from olm.kinds.ramp import LinearFactor
    >>> from olm.kinds.step import Exponential
    >>> product = Chained(schedulers=[LinearFactor(start_factor=0.5), Exponential(gamma=0.9)])
    >>> product.lr([0, 1, 5, 9], base=0.8).round(4)
    array([0.4   , 0.432 , 0.4724, 0.3099])

    With a base rate of 0 the rate is 0.

    Source: torch 2.13, ``torch.optim.lr_scheduler.ChainedScheduler``, for schedulers that multiply
    the rate. In torch, schedulers that set the rate, such as ``CosineAnnealingWarmRestarts``,
    overwrite one another; here they multiply, too.
    """

    kind: Literal["ChainedScheduler"] = "ChainedScheduler"
    schedulers: Annotated[Children, Length(1)]
    """The schedules, all of which start at step 0."""

    group = "composition"
    words = "the product of these"
    examples = [
        {
            "schedulers": [
                {"kind": "WarmupLR", "warmup_steps": 10},
                {"kind": "StepLR", "step_size": 30, "gamma": 0.5},
            ],
        }
    ]

    def formula(self, step: Array, base: Array) -> Array:
        first, *others = (child.formula(step, base) for child in self.schedulers)
        product = reduce(lambda rate, other: rate * (other / base), others, first)
        return where(base > 0, product, 0.0)


class Minimum(Schedule):
    """At each step the lowest of the rates of some schedules.

    >>> from olm.kinds.hold import Hold
    >>> from olm.kinds.linear import LinearDecay
    >>> Minimum(schedulers=[Hold(fixed_lr=0.3), LinearDecay(total_steps=4)]).lr([0, 2, 3], base=0.8)
    array([0.3, 0.3, 0.2])

    Source: olm's own; the Transformer's schedule is the lower of a rise and a decay.
    """

    kind: Literal["MinimumLR"] = "MinimumLR"
    schedulers: Annotated[Children, Length(1)]
    """The schedules, all of which start at step 0."""

    group = "composition"
    words = "the lowest of these"
    examples = [
        {
            "schedulers": [
                {"kind": "WarmupLR", "warmup_steps": 10},
                {"kind": "PowerLR", "decay_steps": 5},
            ],
        }
    ]

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        return reduce(np.minimum, (child.formula(step, base) for child in self.schedulers))


class Maximum(Schedule):
    """At each step the highest of the rates of some schedules.

    >>> from olm.kinds.hold import Hold
    >>> from olm.kinds.linear import LinearDecay
    >>> Maximum(schedulers=[Hold(fixed_lr=0.3), LinearDecay(total_steps=4)]).lr([0, 2, 3], base=0.8)
    array([0.8, 0.4, 0.3])

    Source: olm's own; Megatron and NeMo bound an inverse square root by a floor like this.
    """

    kind: Literal["MaximumLR"] = "MaximumLR"
    schedulers: Annotated[Children, Length(1)]
    """The schedules, all of which start at step 0."""

    group = "composition"
    words = "the highest of these"
    examples = [
        {
            "schedulers": [
                {"kind": "ExponentialLR", "gamma": 0.9},
                {"kind": "HoldLR", "fixed_lr": 1e-5},
            ],
        }
    ]
    takes_highest = True

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        return reduce(np.maximum, (child.formula(step, base) for child in self.schedulers))
