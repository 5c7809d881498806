"""Cosine annealing with restarts."""

from itertools import accumulate
from math import pi
from typing import Annotated, Literal

from olm.schedule import (
    MAX_STEPS,
    Array,
    Number,
    PositiveSteps,
    Rate,
    Schedule,
    cycles,
    half_cosine,
    line,
)


class CosineWarmRestarts(Schedule):
    """Half a cosine wave from the base rate to ``eta_min``, again and again, each time longer.

    >>> schedule = CosineWarmRestarts(T_0=2, T_mult=2)
    >>> schedule.lr([0, 1, 2, 3, 4, 5, 6], base=0.5).round(3)
    array([0.5  , 0.25 , 0.5  , 0.427, 0.25 , 0.073, 0.5  ])

    Source: Loshchilov and Hutter, SGDR (2017), equation 5; torch 2.13,
    ``torch.optim.lr_scheduler.CosineAnnealingWarmRestarts``. torch's ``step(epoch)`` is in the
    wrong cycle at some restarts because it rounds a logarithm.
    """

    kind: Literal["CosineAnnealingWarmRestarts"] = "CosineAnnealingWarmRestarts"
    T_0: PositiveSteps
    """The length of the first wave, in steps."""
    T_mult: Annotated[int, Number(1, 1_000_000, whole=True)] = 1
    """The length of each wave, divided by that of the one before."""
    eta_min: Rate = 0.0
    """The rate that each wave falls towards; at its end the next wave starts."""

    group = "cyclic"
    periods = ("T_0",)
    words = (
        "half a cosine from the base rate to {eta_min} in {T_0} steps, "
        "then again, each {T_mult} × as long as the one before"
    )
    examples = [{"T_0": 50}, {"T_0": 10, "T_mult": 2, "eta_min": 1e-5}]

    def holds_from(self) -> None:
        return None

    def own_marks(self) -> list[int]:
        ends = accumulate(self.T_0 * self.T_mult**wave for wave in range(3))
        return [min(end, MAX_STEPS) for end in ends]

    def horizon(self) -> int:
        return self.own_marks()[-1]

    def wording(self) -> str:
        return (
            self.words if self.T_mult > 1 else f"{self.words.partition(', ')[0]}, again and again"
        )

    def formula(self, step: Array, base: Array) -> Array:
        _, start, length = cycles(step, self.T_0, float(self.T_mult))
        left = half_cosine(pi * (step - start) / (self.T_0 * length)) / 2
        return line(self.eta_min, base, left)
