"""The rate that falls when a metric stops getting better."""

from math import isfinite
from typing import Annotated, Literal, Self

from olm.schedule import (
    MAX_RATE,
    MAX_STEPS,
    Array,
    Count,
    Memory,
    NonNegative,
    PartialShare,
    Rate,
    Schedule,
    metric_of,
    where,
)

MOST_REDUCTIONS = 100_000
"""After so many the rate stays."""


class Plateau(Schedule):
    """The base rate, multiplied by ``factor`` whenever a metric has not got better for a while.

    >>> schedule = Plateau(factor=0.5, patience=1)
    >>> for loss in (2.0, 1.0, 1.1, 1.2, 0.9):
    ...     schedule = schedule.observe(loss)
    ...     print(schedule.lr(0, base=0.8), schedule.best, schedule.num_bad_epochs)
    0.8 2.0 0
    0.8 1.0 0
    0.8 1.0 1
    0.4 1.0 0
    0.4 0.9 0

    The steps do not matter: it changes with what it observes. So it may stand in a sequence or a
    product, be stepped once a step, and observe once an evaluation. A metric that is not finite is
    no better than any.

    Source: torch 2.13, ``torch.optim.lr_scheduler.ReduceLROnPlateau``. Where torch's state has an
    infinity, before the first metric, ``best`` is null.
    """

    kind: Literal["ReduceLROnPlateau"] = "ReduceLROnPlateau"
    mode: Literal["min", "max"] = "min"
    """Whether a lower or a higher metric is the better one."""
    factor: PartialShare = 0.1
    """What the rate is multiplied by."""
    patience: Count = 10
    """How many metrics in a row may be no better before the rate falls."""
    threshold: NonNegative = 1e-4
    """By how much a metric must be better than the best to count."""
    threshold_mode: Literal["rel", "abs"] = "rel"
    """Whether ``threshold`` is a share of the best metric or a difference from it."""
    cooldown: Count = 0
    """How many metrics after a fall are not counted as no better."""
    min_lr: Rate = 0.0
    """The rate below which it does not fall."""
    eps: NonNegative = 1e-8
    """A fall by no more than this is left out."""
    best: Annotated[float, Memory(-MAX_RATE, MAX_RATE)] | None = None
    """The best metric so far; null before the first."""
    num_bad_epochs: Annotated[int, Memory(0, MAX_STEPS, whole=True)] = 0
    """How many metrics in a row were no better."""
    cooldown_counter: Annotated[int, Memory(0, MAX_STEPS, whole=True)] = 0
    """How many metrics of the cooldown are left."""
    num_reductions: Annotated[int, Memory(0, MOST_REDUCTIONS, whole=True)] = 0
    """How often the rate has fallen."""

    group = "metric-driven"
    words = "the base rate, times {factor} after {patience} metrics that are no better"
    examples = [
        {"factor": 0.5, "patience": 3},
        {"mode": "max", "patience": 2, "cooldown": 1, "min_lr": 1e-6},
    ]

    def formula(self, step: Array, base: Array) -> Array:
        rates = base
        for _ in range(self.num_reductions):
            fallen = where(rates * self.factor > self.min_lr, rates * self.factor, self.min_lr)
            fall = rates - fallen > self.eps
            if not fall.any():
                break
            rates = where(fall, fallen, rates)
        return rates

    @property
    def metric_driven(self) -> bool:
        return True

    def observe(self, metric: float, step: int = 0) -> Self:
        value, cooling = metric_of(metric), self.cooldown_counter > 0
        better = self._is_better(value)
        bad = 0 if better or cooling else self.num_bad_epochs + 1
        falls = bad > self.patience
        memory = {
            "best": value if better else self.best,
            "num_bad_epochs": 0 if falls else bad,
            "cooldown_counter": self.cooldown if falls else self.cooldown_counter - cooling,
            "num_reductions": min(self.num_reductions + falls, MOST_REDUCTIONS),
        }
        return self.model_copy(update=memory)

    def _is_better(self, value: float) -> bool:
        if self.best is None or not isfinite(value):
            return isfinite(value)
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * value < sign * self.best * (1 - sign * self.threshold)
        return sign * value < sign * self.best - self.threshold
