"""A decay along a power of the remaining share of the steps."""

from typing import Literal

from olm.schedule import Array, Exponent, PositiveSteps, Schedule, default, ramp


class Polynomial(Schedule):
    """The base rate times a power of the share of ``total_iters`` that remains.

    >>> Polynomial(total_iters=4, power=2.0).lr([0, 1, 2, 3, 4, 9], base=0.5)
    array([0.5    , 0.28125, 0.125  , 0.03125, 0.     , 0.     ])

    Source: torch 2.13, ``torch.optim.lr_scheduler.PolynomialLR``. ``total_iters: 0``, for which
    torch holds the base rate, is an error.
    """

    kind: Literal["PolynomialLR"] = "PolynomialLR"
    total_iters: PositiveSteps = default(5)
    """The step at which the rate reaches 0, where it holds."""
    power: Exponent = 1.0
    """The exponent: 1 is a straight line, above 1 the rate falls fast first, 0 is no decay."""

    group = "decay"
    words = (
        "base × (1 - step / {total_iters}) to the power of {power}, 0 from step {total_iters} on"
    )
    examples = [{"total_iters": 100}, {"total_iters": 10, "power": 2.0}]
    length_fields = ("total_iters",)

    def wording(self) -> str:
        return self.words if self.power else "the base rate"

    def formula(self, step: Array, base: Array) -> Array:
        return base * (1 - ramp(step, self.total_iters)) ** self.power
