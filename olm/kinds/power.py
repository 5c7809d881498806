"""Decays along a power of the step, which slow down and never end."""

from collections.abc import Iterable
from math import sqrt
from typing import Annotated, Literal

from olm.kinds.warmup import to_the_base_rate
from olm.schedule import (
    MAX_STEPS,
    Array,
    Exponent,
    Factor,
    NonNegative,
    Number,
    OptionalPositiveSteps,
    PositiveSteps,
    Schedule,
    Steps,
    default,
    line,
    ramp,
    rule,
    where,
)


class Power(Schedule):
    """The base rate over a power of the steps, ``(1 + decay_rate × step / decay_steps)^power``.

    >>> Power(decay_steps=3).lr([0, 9, 24, 45], base=0.8)
    array([0.8       , 0.4       , 0.26666667, 0.2       ])
    >>> Power(power=1.0, decay_steps=2, decay_rate=0.5).lr([0, 4, 12], base=0.8)
    array([0.8, 0.4, 0.2])

    Power 1 is inverse-time decay, power 0.5 the inverse square root.

    Source: Robbins and Monro (1951) for power 1; Keras 3, ``InverseTimeDecay``, for the fields.
    """

    kind: Literal["PowerLR"] = "PowerLR"
    power: Exponent = 0.5
    """The exponent."""
    decay_steps: PositiveSteps = default(1)
    """In how many steps the bracket grows by ``decay_rate``."""
    decay_rate: NonNegative = 1.0
    """By how much the bracket grows."""

    group = "decay"
    periods = ("decay_steps",)
    words = "base × (1 + {decay_rate} × step / {decay_steps}) to the power of -{power}"
    examples = [{"decay_steps": 100}, {"power": 1.0, "decay_steps": 50, "decay_rate": 0.5}]

    def holds_from(self) -> None:
        return None

    def formula(self, step: Array, base: Array) -> Array:
        return base * (1 + self.decay_rate * step / self.decay_steps) ** -self.power


@rule(
    "warmup_steps",
    "timescale",
    holds=lambda warmup_steps, timescale: warmup_steps > 0 or timescale is not None,
    message="{warmup_steps} must be above 0, or {timescale} be given: the decay needs one of them",
)
class InverseSqrt(Schedule):
    """A straight rise to the base rate, then a decay with the inverse square root of the step.

    >>> InverseSqrt(warmup_steps=4).lr([0, 2, 4, 16, 64], base=0.8)
    array([0. , 0.4, 0.8, 0.4, 0.2])

    Source: transformers 5, ``get_inverse_sqrt_schedule``; fairseq, ``inverse_sqrt``, whose
    ``timescale`` is the warm-up. T5 (Raffel et al., 2020, section 3.1.2) has a constant rate in
    place of the rise.
    """

    kind: Literal["InverseSqrtLR"] = "InverseSqrtLR"
    warmup_steps: Steps
    """The step at which the base rate is reached. 0 is no warm-up."""
    timescale: OptionalPositiveSteps = default(None)
    """The decay halves the rate in three times this many steps; by default ``warmup_steps``."""
    start_factor: Factor = 0.0
    """What the base rate is multiplied by at step 0."""
    end_factor: Factor = 0.0
    """The factor of the base rate that the decay approaches."""

    group = "decay"
    periods = ("timescale",)
    words = "then toward {end_factor} × base with the inverse square root of the step"
    examples = [{"warmup_steps": 10}, {"warmup_steps": 0, "timescale": 100}]

    def holds_from(self) -> None:
        return None

    def own_marks(self) -> Iterable[int]:
        return (self.warmup_steps, min(self.warmup_steps + 4 * self._scale, MAX_STEPS))

    @property
    def _scale(self) -> int:
        return self.timescale or self.warmup_steps

    def wording(self) -> str:
        return f"{to_the_base_rate(self.start_factor, self.warmup_steps)}, {self.words}"

    def formula(self, step: Array, base: Array) -> Array:
        begin = self.warmup_steps
        return where(
            step < begin,
            lambda: line(base * self.start_factor, base, ramp(step, begin)),
            lambda: line(
                base * self.end_factor, base, (self._scale / (self._scale + (step - begin))) ** 0.5
            ),
        )


class Noam(Schedule):
    """The Transformer's: a straight rise, then a decay with the inverse square root of the step.

    The base rate is only a factor, usually 1: the peak is ``base / sqrt(d_model × warmup_steps)``.

    >>> Noam(d_model=512, warmup_steps=4000).lr([0, 3999, 15999], base=1.0).round(6)
    array([0.      , 0.000699, 0.000349])

    Source: Vaswani et al., Attention is all you need (2017), equation 3, whose first step is 1.
    """

    kind: Literal["NoamLR"] = "NoamLR"
    d_model: Annotated[int, Number(1, MAX_STEPS, whole=True)]
    """The width of the model."""
    warmup_steps: PositiveSteps
    """How many steps the rise takes."""

    group = "decay"
    words = (
        "up in {warmup_steps} steps to base / sqrt({d_model} × {warmup_steps}), "
        "then down with the inverse square root of the step"
    )
    examples = [{"d_model": 512, "warmup_steps": 40}]

    def holds_from(self) -> None:
        return None

    def own_marks(self) -> Iterable[int]:
        return (self.warmup_steps - 1, min(4 * self.warmup_steps, MAX_STEPS))

    def formula(self, step: Array, base: Array) -> Array:
        number, peak = step + 1, base / sqrt(self.d_model * self.warmup_steps)
        return where(
            number < self.warmup_steps,
            lambda: peak * (number / self.warmup_steps),
            lambda: peak * (self.warmup_steps / number) ** 0.5,
        )
