"""Rates that stay."""

from typing import Literal

from olm.schedule import Array, Factor, Schedule, Steps, where


class Constant(Schedule):
    """The base rate times ``factor``, until it is released at step ``total_iters``.

    >>> Constant(factor=0.5, total_iters=2).lr([0, 1, 2, 9], base=0.5)
    array([0.25, 0.25, 0.5 , 0.5 ])

    Source: torch 2.13, ``torch.optim.lr_scheduler.ConstantLR``. Where torch divides by ``factor:
    0``, the base rate is released all the same; and ``total_iters: 0`` is the base rate from step 0
    on, where torch never releases it.
    """

    kind: Literal["ConstantLR"] = "ConstantLR"
    factor: Factor = 1 / 3
    """What the base rate is multiplied by before ``total_iters``."""
    total_iters: Steps = 5
    """The step at which the base rate takes over."""

    group = "warm-up"
    words = "{factor} × base, and the base rate from step {total_iters} on"
    examples = [{"factor": 1.0, "total_iters": 0}, {"factor": 0.5, "total_iters": 10}]

    def formula(self, step: Array, base: Array) -> Array:
        return where(step < self.total_iters, base * self.factor, base)
