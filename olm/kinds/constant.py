"""A constant factor for a number of steps."""

from typing import Literal

from olm.schedule import Array, Factor, Schedule, Steps, default, where


class Constant(Schedule):
    """The base rate times ``factor`` before step ``total_iters``, then the base rate.

    >>> Constant(factor=0.5, total_iters=2).lr([0, 1, 2, 9], base=0.5)
    array([0.25, 0.25, 0.5 , 0.5 ])

    Source: torch 2.13, ``torch.optim.lr_scheduler.ConstantLR``. With ``factor: 0`` torch divides by
    zero; here the base rate follows as usual. With ``total_iters: 0`` the base rate applies from
    step 0 on; in torch it never applies.
    """

    kind: Literal["ConstantLR"] = "ConstantLR"
    factor: Factor = 1 / 3
    """What the base rate is multiplied by before ``total_iters``."""
    total_iters: Steps = default(5)
    """The step from which on the base rate applies."""

    group = "warm-up"
    words = "{factor} × base, then the base rate from step {total_iters} on"
    examples = [{"factor": 1.0, "total_iters": 0}, {"factor": 0.5, "total_iters": 10}]

    def wording(self) -> str:
        return self.words if self.total_iters else "the base rate"

    def formula(self, step: Array, base: Array) -> Array:
        return where(step < self.total_iters, base * self.factor, base)
