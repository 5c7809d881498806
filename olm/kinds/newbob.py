"""A rate that falls when a metric improves too little on the one before: new bob."""

from math import isfinite
from typing import Annotated, Literal, Self

from olm.kinds.plateau import MOST_REDUCTIONS, reduced
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
)


class NewBob(Schedule):
    """The base rate, multiplied by ``factor`` whenever a metric improves too little on the last.

    >>> schedule = NewBob(factor=0.5, threshold=0.1)
    >>> for loss in (10.0, 2.0, 2.5, 2.0, 1.9):
    ...     schedule = schedule.observe(loss)
    ...     print(schedule.lr(0, base=1.0), schedule.previous)
    1.0 10.0
    1.0 2.0
    0.5 2.5
    0.5 2.0
    0.25 1.9

    A metric is compared with the one before it, not with the best one as in `ReduceLROnPlateau`. It
    is compared as a share of the size of the one before; a metric after 0 has not improved. A
    metric that is not finite is never an improvement, and the next is compared with the last finite
    one. The rate depends on the metrics, not on the step.

    Source: SpeechBrain 1.1.2, ``speechbrain.nnet.schedulers.NewBobScheduler``, whose
    ``annealing_factor``, ``improvement_threshold`` and ``patient`` are ``factor``, ``threshold``
    and ``patience``. SpeechBrain takes a worse metric after a negative one for an improvement.
    """

    kind: Literal["NewBobLR"] = "NewBobLR"
    mode: Literal["min", "max"] = "min"
    """Whether a lower or a higher metric is better."""
    factor: PartialShare = 0.5
    """What the rate is multiplied by."""
    threshold: NonNegative = 0.0025
    """By what share of the last metric a metric must be better."""
    patience: Count = 0
    """How many metrics may fail to improve, in a row or not; after one more, the rate falls."""
    min_lr: Rate = 0.0
    """The rate below which no reduction goes."""
    previous: Annotated[float, Memory(-MAX_RATE, MAX_RATE)] | None = None
    """The last finite metric; null before the first."""
    num_bad_epochs: Annotated[int, Memory(0, MAX_STEPS, whole=True)] = 0
    """How many metrics since the last reduction failed to improve."""
    num_reductions: Annotated[int, Memory(0, MOST_REDUCTIONS, whole=True)] = 0
    """How many times the rate has been reduced."""

    group = "metric-driven"
    words = (
        "the base rate, times {factor} after a metric that improves on the one before by less than "
        "{threshold} of it"
    )
    examples = [{}, {"mode": "max", "factor": 0.8, "patience": 1, "min_lr": 1e-6}]

    def wording(self) -> str:
        bad = self.patience + 1
        metrics = f"{bad:,} metrics that improve" if bad > 1 else "every metric that improves"
        least = ", but not below {min_lr}" if self.min_lr else ""
        return (
            f"the base rate, times {{factor}} after {metrics} on the one before by less than "
            f"{{threshold}} of it{least}"
        )

    def formula(self, step: Array, base: Array) -> Array:
        return reduced(base, self.num_reductions, self.factor, min_lr=self.min_lr)

    @property
    def metric_driven(self) -> bool:
        return True

    def observe(self, metric: float, step: int = 0) -> Self:
        value = metric_of(metric)
        bad = self.num_bad_epochs + (not self._is_better(value))
        falls = bad > self.patience
        memory = {
            "previous": value if isfinite(value) else self.previous,
            "num_bad_epochs": 0 if falls else bad,
            "num_reductions": min(self.num_reductions + falls, MOST_REDUCTIONS),
        }
        return self.model_copy(update=memory)

    def _is_better(self, value: float) -> bool:
        if self.previous is None or not isfinite(value):
            return isfinite(value)
        better = self.previous - value if self.mode == "min" else value - self.previous
        share = better / abs(self.previous) if self.previous else 0.0
        return share >= self.threshold
