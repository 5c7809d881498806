"""A rate that a metric moves both ways, to keep the metric near a target."""

from typing import Annotated, Literal, Self

from olm.schedule import (
    MAX_RATE,
    Array,
    Memory,
    Number,
    Positive,
    Rate,
    Schedule,
    metric_of,
    rule,
)

AtLeastOne = Annotated[float, Number(1.0, MAX_RATE)]


@rule(
    "min_lr",
    "max_lr",
    holds=lambda min_lr, max_lr: min_lr <= max_lr,
    message="{min_lr} must be at most {max_lr}",
)
class KLAdaptive(Schedule):
    """The base rate, lowered when a KL divergence is above its target and raised when below.

    >>> schedule = KLAdaptive(target_kl=0.01, max_lr=0.5)
    >>> for kl in (0.03, 0.03, 0.01, 0.001, 0.001, 0.001):
    ...     schedule = schedule.observe(kl)
    ...     print(round(schedule.lr(0, base=0.36), 6), schedule.scale)
    0.24 0.6666666666666666
    0.16 0.4444444444444444
    0.16 0.4444444444444444
    0.24 0.6666666666666666
    0.36 1.0
    0.5 1.5

    The rate depends on the metrics that the schedule observes, not on the step, and several metrics
    may be observed at one step. Any metric with a target will do. With ``above: raise`` the number
    rises when the metric is too high, as the coefficient of a KL penalty does. A metric that is
    NaN changes nothing.

    The memory is three numbers: whatever was observed, the rate is ``scale`` times the base rate,
    but at least ``low`` and at most ``high``. So one schedule is exact for param groups with
    different base rates. ``scale``, ``low`` and ``high`` are multiplied and divided in the order in
    which skrl changes its rate. So a rate that a limit has cut off is skrl's to the bit. Any other
    rate may differ from skrl's in the last digits, by at most 2.3e-16 of it per change.

    Source: skrl 2.1.1, ``KLAdaptiveLR``, whose ``kl_threshold``, ``kl_factor`` and ``lr_factor``
    are ``target_kl``, ``tolerance`` and ``factor``. rsl_rl 5.5.1, ``PPO.update``, has the same rule
    with ``positive_only``, ``min_lr: 1e-5`` and ``max_lr: 1e-2``. The penalty coefficient of
    Schulman et al. 2017 (arXiv:1707.06347), section 4, has ``above: raise``, ``tolerance: 1.5`` and
    ``factor: 2``.
    """

    kind: Literal["KLAdaptiveLR"] = "KLAdaptiveLR"
    target_kl: Positive
    """The metric to keep near, such as a KL divergence."""
    max_lr: Rate
    """The rate above which no rise goes."""
    min_lr: Rate = 0.0
    """The rate below which no fall goes."""
    tolerance: AtLeastOne = 2.0
    """The rate holds while the metric is at most this many times above or below the target."""
    factor: AtLeastOne = 1.5
    """What the rate is multiplied by when it rises and divided by when it falls."""
    above: Literal["lower", "raise"] = "lower"
    """Whether a metric above the target lowers or raises the rate; one below does the opposite."""
    positive_only: bool = False
    """Whether metrics of 0 or less are ignored; otherwise they are below the target."""
    scale: Annotated[float, Memory(0.0, MAX_RATE)] = 1.0
    """What the base rate is multiplied by so far."""
    low: Annotated[float, Memory(0.0, MAX_RATE)] = 0.0
    """The lowest rate that any base rate can have now."""
    high: Annotated[float, Memory(0.0, MAX_RATE)] | None = None
    """The highest rate that any base rate can have now; null before the first rise."""

    group = "metric-driven"
    words = (
        "the base rate, divided by {factor} after a metric above {tolerance} × {target_kl} and "
        "multiplied by {factor} after one below {target_kl} / {tolerance}"
    )
    examples = [
        {"target_kl": 0.008, "min_lr": 1e-6, "max_lr": 1e-2},
        {"target_kl": 0.01, "min_lr": 1e-5, "max_lr": 1e-2, "positive_only": True},
        {"target_kl": 0.02, "max_lr": 10.0, "tolerance": 1.5, "factor": 2.0, "above": "raise"},
    ]

    def wording(self) -> str:
        falls, rises = (f"{verb} by {{factor}}" for verb in ("divided", "multiplied"))
        high, low = (falls, rises) if self.above == "lower" else (rises, falls)
        positive = " and above 0" if self.positive_only else ""
        least = "not below {min_lr} when it falls and " if self.min_lr else ""
        return (
            f"the base rate, {high} after a metric above {{tolerance}} × {{target_kl}} and {low} "
            f"after one below {{target_kl}} / {{tolerance}}{positive}, but {least}not above "
            "{max_lr} when it rises"
        )

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        scaled = np.maximum(base * self.scale, self.low)
        return scaled if self.high is None else np.minimum(scaled, self.high)

    @property
    def metric_driven(self) -> bool:
        return True

    def observe(self, metric: float, step: int = 0) -> Self:
        value = metric_of(metric)
        too_high = value > self.target_kl * self.tolerance
        too_low = value < self.target_kl / self.tolerance and (value > 0 or not self.positive_only)
        if not too_high and not too_low:
            return self
        return self._raised() if too_high == (self.above == "raise") else self._lowered()

    def _raised(self) -> Self:
        # Clamping at `max_lr` after clamping to `low` and `high` is clamping to other limits.
        high = MAX_RATE if self.high is None else self.high
        memory = {
            "scale": min(self.scale * self.factor, MAX_RATE),
            "low": min(self.low * self.factor, self.max_lr),
            "high": min(high * self.factor, self.max_lr),
        }
        return self.model_copy(update=memory)

    def _lowered(self) -> Self:
        memory = {
            "scale": self.scale / self.factor,
            "low": max(self.low / self.factor, self.min_lr),
            "high": None if self.high is None else max(self.high / self.factor, self.min_lr),
        }
        return self.model_copy(update=memory)
