"""Other decays: flat and then a cosine, REX, a hyperbolic tangent."""

from math import tanh
from typing import Annotated, Literal

from olm.schedule import (
    MAX_RATE,
    Array,
    Factor,
    Number,
    PositiveSteps,
    Rate,
    Schedule,
    Share,
    Steps,
    eased,
    fits,
    line,
    ramp,
    rule,
    where,
)


@rule(
    "flat_steps",
    "total_steps",
    holds=lambda flat_steps, total_steps: flat_steps < total_steps,
    message="{flat_steps} must be below {total_steps}",
)
@fits("flat_steps", into="total_steps")
class FlatCosine(Schedule):
    """The base rate for ``flat_steps``, then half a cosine wave down to a share of it.

    >>> FlatCosine(flat_steps=2, total_steps=6).lr([0, 2, 3, 4, 5, 6, 9], base=0.8).round(3)
    array([0.8  , 0.8  , 0.683, 0.4  , 0.117, 0.   , 0.   ])

    Source: fastai, ``fit_flat_cos``.
    """

    kind: Literal["FlatCosineLR"] = "FlatCosineLR"
    flat_steps: Steps
    """How many steps the base rate holds."""
    total_steps: PositiveSteps
    """The step at which the wave ends. The rate holds from there on."""
    end_factor: Factor = 0.0
    """What the base rate is multiplied by at ``total_steps`` and after."""

    group = "decay"
    words = "half a cosine to {end_factor} × base at step {total_steps}, which holds"
    examples = [{"flat_steps": 70, "total_steps": 100}]

    def wording(self) -> str:
        if self.flat_steps:
            return f"the base rate for {{flat_steps}} steps, then {self.words}"
        return self.words.replace("cosine", "cosine from the base rate")

    def formula(self, step: Array, base: Array) -> Array:
        done = ramp(step - self.flat_steps, self.total_steps - self.flat_steps)
        return line(base, base * self.end_factor, eased("cosine", done))


class Rex(Schedule):
    """Slow at first and fast at the end: a reflection of the exponential decay.

    >>> Rex(total_steps=4).lr([0, 1, 2, 3, 4, 9], base=0.6)
    array([0.6       , 0.51428571, 0.4       , 0.24      , 0.        ,
           0.        ])

    Source: Chen et al., REX: Revisiting budgeted training with an improved schedule (2021),
    where ``beta`` is 0.5.
    """

    kind: Literal["RexLR"] = "RexLR"
    total_steps: PositiveSteps
    """The step at which the decay ends. The rate holds from there on."""
    beta: Share = 0.5
    """How late the rate falls: 0 is a straight line; near 1 it falls at the very end."""
    end_factor: Factor = 0.0
    """What the base rate is multiplied by at ``total_steps`` and after."""

    group = "decay"
    words = "from the base rate to {end_factor} × base at step {total_steps}, which holds"
    examples = [{"total_steps": 100}, {"total_steps": 100, "beta": 0.9, "end_factor": 0.1}]

    def wording(self) -> str:
        way = "slowly at first and fast at the end," if self.beta else "a straight line"
        return f"{way} {self.words}"

    def formula(self, step: Array, base: Array) -> Array:
        left = 1 - ramp(step, self.total_steps)
        weight = where(left > 0, lambda: left / ((1 - self.beta) + self.beta * left), 0.0)
        return line(base * self.end_factor, base, weight)


@rule("lb", "ub", holds=lambda lb, ub: lb < ub, message="{lb} must be below {ub}")
class Tanh(Schedule):
    """A decay along a hyperbolic tangent, slow at both ends.

    >>> Tanh(total_steps=4).lr([0, 1, 2, 3, 4, 9], base=0.8).round(3)
    array([0.8  , 0.8  , 0.786, 0.215, 0.   , 0.   ])

    The tangent never reaches its limits: the decay starts slightly below the base rate, and jumps
    to ``end_lr`` at the end.

    Source: Hsueh et al., Stochastic gradient descent with hyperbolic-tangent decay (2019); timm,
    ``TanhLRScheduler``.
    """

    kind: Literal["TanhLR"] = "TanhLR"
    total_steps: PositiveSteps
    """The step at which the rate reaches ``end_lr``, where it holds."""
    lb: Annotated[float, Number(-MAX_RATE, MAX_RATE)] = -7.0
    """The point on the tangent at which the decay starts."""
    ub: Annotated[float, Number(-MAX_RATE, MAX_RATE)] = 3.0
    """The point on the tangent at which the decay ends."""
    end_lr: Rate = 0.0
    """The rate at ``total_steps`` and after."""

    group = "decay"
    words = (
        "along a hyperbolic tangent, {lb} to {ub}, to {end_lr} at step {total_steps}, which holds"
    )
    examples = [{"total_steps": 100}, {"total_steps": 100, "lb": -3.0, "ub": 3.0, "end_lr": 1e-5}]

    def floor(self) -> str:
        return "end_lr"

    def left_at_end(self) -> tuple[str, float]:
        return "ub", (1 - tanh(self.ub)) / 2

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        done = ramp(step, self.total_steps)
        return where(
            done < 1,
            lambda: line(self.end_lr, base, (1 - np.tanh(line(self.lb, self.ub, done))) / 2),
            self.end_lr,
        )
