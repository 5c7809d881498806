"""A rate that falls when a metric stops improving."""

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

AT_ONCE = 1024
"""How many reductions are computed at once."""

MOST_REDUCTIONS = 100_000
"""The number of reductions after which the rate holds."""


class Plateau(Schedule):
    """The base rate, multiplied by ``factor`` whenever a metric stops improving.

    >>> schedule = Plateau(factor=0.5, patience=1)
    >>> for loss in (2.0, 1.0, 1.1, 1.2, 0.9):
    ...     schedule = schedule.observe(loss)
    ...     print(schedule.lr(0, base=0.8), schedule.best, schedule.num_bad_epochs)
    0.8 2.0 0
    0.8 1.0 0
    0.8 1.0 1
    0.4 1.0 0
    0.4 0.9 0

    The rate depends on the metrics that the schedule observes, not on the step. So the schedule can
    be part of a sequence or a product, with a step for each optimizer step and a metric for each
    evaluation. A metric that is not finite is never an improvement.

    Source: torch 2.13, ``torch.optim.lr_scheduler.ReduceLROnPlateau``. Before the
    first metric ``best`` is null, where torch's state has an infinity.
    """

    kind: Literal["ReduceLROnPlateau"] = "ReduceLROnPlateau"
    mode: Literal["min", "max"] = "min"
    """Whether a lower or a higher metric is better."""
    factor: PartialShare = 0.1
    """What the rate is multiplied by."""
    patience: Count = 10
    """How many metrics in a row may fail to improve; after one more, the rate falls."""
    threshold: NonNegative = 1e-4
    """By how much a metric must be better than the best one to be an improvement."""
    threshold_mode: Literal["rel", "abs"] = "rel"
    """Whether ``threshold`` is a share of the best metric or a difference from it."""
    cooldown: Count = 0
    """How many metrics after a reduction are ignored when ``patience`` is counted."""
    min_lr: Rate = 0.0
    """The rate below which no reduction goes."""
    eps: NonNegative = 1e-8
    """A reduction by this much or less is skipped."""
    best: Annotated[float, Memory(-MAX_RATE, MAX_RATE)] | None = None
    """The best metric so far; null before the first."""
    num_bad_epochs: Annotated[int, Memory(0, MAX_STEPS, whole=True)] = 0
    """How many metrics in a row failed to improve."""
    cooldown_counter: Annotated[int, Memory(0, MAX_STEPS, whole=True)] = 0
    """How many metrics of the cooldown are left."""
    num_reductions: Annotated[int, Memory(0, MOST_REDUCTIONS, whole=True)] = 0
    """How many times the rate has been reduced."""

    group = "metric-driven"
    words = "the base rate, times {factor} after more than {patience} metrics without improvement"
    examples = [
        {"factor": 0.5, "patience": 3},
        {"mode": "max", "patience": 2, "cooldown": 1, "min_lr": 1e-6},
    ]

    def wording(self) -> str:
        bad = self.patience + 1
        metrics = f"{bad:,} metrics in a row" if bad > 1 else "every metric"
        least = ", but not below {min_lr}" if self.min_lr else ""
        return f"the base rate, times {{factor}} after {metrics} without improvement{least}"

    def formula(self, step: Array, base: Array) -> Array:
        return reduced(base, self.num_reductions, self.factor, min_lr=self.min_lr, eps=self.eps)

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


def reduced(
    base: Array, reductions: int, factor: float, *, min_lr: float = 0.0, eps: float = 0.0
) -> Array:
    """The base rates after reductions by a factor, each computed from the rate before it."""
    import numpy as np

    if not reductions:
        return base
    # Steps and groups share few base rates, and a reduction takes as long for one as for many.
    rates, places = np.unique(base, return_inverse=True)
    while reductions > 0:
        count = min(reductions, AT_ONCE)
        rates, falling = _reduced_at_once(rates, count, factor, min_lr, eps)
        reductions = reductions - count if falling else 0
    return rates[places].reshape(base.shape)


def _reduced_at_once(
    rates: Array, count: int, factor: float, min_lr: float, eps: float
) -> tuple[Array, bool]:
    """The rates after some reductions, and whether any of them could fall further."""
    import numpy as np

    # Row k has the rates after k reductions, each computed from the one before.
    factors = np.full((count, rates.size), factor)
    chain = np.multiply.accumulate(np.vstack([rates[None], factors]), axis=0)
    falls = (chain[:-1] - chain[1:] > eps) & (chain[1:] > min_lr)
    ended = ~falls.all(axis=0)
    last = np.where(ended, falls.argmin(axis=0), count)
    columns = np.arange(rates.size)
    reached, below = chain[last, columns], chain[np.minimum(last + 1, count), columns]
    to_floor = ended & (below <= min_lr) & (reached - min_lr > eps)
    return where(to_floor, min_lr, reached), not ended.all()
