"""The schedules of language models: a warm-up, sometimes a plateau, and a decay to a share."""

from typing import Literal, TypeAlias

from olm.kinds.warmup import to_the_base_rate
from olm.schedule import (
    Array,
    Exponent,
    Factor,
    PartialShare,
    PositiveFactor,
    PositiveSteps,
    Schedule,
    Steps,
    between,
    eased,
    fits,
    line,
    ramp,
    rule,
    stages,
    where,
)

Decay: TypeAlias = Literal[
    "linear", "cosine", "sqrt", "square", "polynomial", "exponential", "geometric", "harmonic"
]
"""The shapes of a decay: those of transformers, timm, Megatron, OLMo, nanotron and Lingua."""

ends_above_zero = rule(
    "decay",
    "end_factor",
    holds=lambda decay, end_factor: decay not in ("geometric", "harmonic") or end_factor > 0,
    message="a geometric or harmonic {decay} never reaches 0: {end_factor} must be above 0",
)
"""Equal factors, and equal differences of 1/rate, never lead to 0."""


def decayed(
    decay: str, done: Array, base: Array, end_factor: float, power: float, ratio: float
) -> Array:
    """The rates of a decay from the base rate to a share of it.

    Args:
        decay: the shape, one of `Decay`.
        done: the share of the steps of the decay that is done, from 0 to 1.
        base: the base rate.
        end_factor: what the base rate is multiplied by at the end.
        power: the exponent of ``polynomial``.
        ratio: the share of an ``exponential`` decay that is left at its end, before it is scaled.
    """
    end = base * end_factor
    match decay:
        case "geometric":
            return between(base, end, done, "log")
        case "harmonic":
            return between(base, end, done, "inverse")
        case "exponential":
            return line(base, end, _fallen(done, ratio))
        case "sqrt":
            return line(base, end, eased("power", done, 0.5))
        case "square":
            return line(base, end, eased("power", done, 2.0))
    return line(base, end, eased(decay, done, power))


def _fallen(done: Array, ratio: float) -> Array:
    """How much of an exponential decay to a ratio of 1 is over, from 0 to 1."""
    import numpy as np

    if ratio < 0.99:
        fallen: Array = (1 - ratio**done) / (1 - ratio)
    else:
        # Near 1 the difference of the powers would lose its digits.
        fallen = np.expm1(done * np.log(ratio)) / (ratio - 1)
    return fallen


@rule(
    "warmup_steps",
    "total_steps",
    holds=lambda warmup_steps, total_steps: warmup_steps < total_steps,
    message="{warmup_steps} must be below {total_steps}",
)
@fits("warmup_steps", into="total_steps")
@ends_above_zero
class WarmupDecay(Schedule):
    """A straight rise to the base rate, then a decay to a share of it, as for most models.

    >>> schedule = WarmupDecay(warmup_steps=2, total_steps=6, end_factor=0.1)
    >>> schedule.lr([0, 1, 2, 3, 4, 5, 6, 9], base=0.5).round(3)
    array([0.   , 0.25 , 0.5  , 0.434, 0.275, 0.116, 0.05 , 0.05 ])

    Step 0 trains with ``start_factor`` times the base rate, by default 0. `WarmupCosineScheduler`
    starts one increment above 0.

    Source: transformers 5, ``get_cosine_with_min_lr_schedule_with_warmup`` and its siblings.
    """

    kind: Literal["WarmupDecayLR"] = "WarmupDecayLR"
    warmup_steps: Steps
    """The step at which the base rate is reached. 0 is no warm-up."""
    total_steps: PositiveSteps
    """The step at which the decay ends, where the rate holds. It includes the warm-up."""
    decay: Decay = "cosine"
    """The shape of the decay."""
    start_factor: Factor = 0.0
    """What the base rate is multiplied by at step 0."""
    end_factor: Factor = 0.0
    """What the base rate is multiplied by at ``total_steps`` and after."""
    power: Exponent = 2.0
    """The exponent of a `polynomial` decay."""

    counts_with = {"power": ("decay", ("polynomial",))}
    group = "warm-up"
    words = "then a {decay} decay to {end_factor} × base at step {total_steps}, which holds"
    examples = [
        {"warmup_steps": 10, "total_steps": 100},
        {"warmup_steps": 10, "total_steps": 100, "decay": "linear", "end_factor": 0.1},
        {"warmup_steps": 0, "total_steps": 100, "decay": "polynomial", "power": 3.0},
    ]

    def wording(self) -> str:
        return f"{to_the_base_rate(self.start_factor, self.warmup_steps)}, {self.words}"

    def formula(self, step: Array, base: Array) -> Array:
        begin, length = self.warmup_steps, self.total_steps - self.warmup_steps
        return where(
            step < begin,
            lambda: line(base * self.start_factor, base, ramp(step, begin)),
            lambda: decayed(
                self.decay, ramp(step - begin, length), base, self.end_factor, self.power, 0.5
            ),
        )


@rule(
    "decay_steps",
    "warmup_steps",
    "total_steps",
    holds=lambda decay, warmup, total: decay + warmup <= total,
    message="{decay_steps} and {warmup_steps} together must not be above {total_steps}",
)
@fits("warmup_steps", "decay_steps", into="total_steps")
@ends_above_zero
class WarmupStableDecay(Schedule):
    """A straight rise to the base rate, which holds, then a decay to a share of it: WSD.

    >>> schedule = WarmupStableDecay(warmup_steps=2, total_steps=10, decay_steps=4)
    >>> schedule.lr([0, 1, 2, 6, 7, 8, 9, 10, 99], base=0.8)
    array([0. , 0.4, 0.8, 0.8, 0.6, 0.4, 0.2, 0. , 0. ])

    Source: Hu et al., MiniCPM (2024), section 4.2; Hägele et al., Scaling laws beyond fixed
    training durations (2024), for ``sqrt``; Megatron-LM for ``exponential``.
    """

    kind: Literal["WarmupStableDecayLR"] = "WarmupStableDecayLR"
    warmup_steps: Steps
    """The step at which the base rate is reached. 0 is no warm-up."""
    total_steps: PositiveSteps
    """The step at which the decay ends, where the rate holds. It includes all stages."""
    decay_steps: PositiveSteps
    """How many of the steps the decay takes."""
    decay: Decay = "linear"
    """The shape of the decay."""
    start_factor: Factor = 0.0
    """What the base rate is multiplied by at step 0."""
    end_factor: Factor = 0.0
    """What the base rate is multiplied by at ``total_steps`` and after."""
    power: Exponent = 2.0
    """The exponent of a `polynomial` decay."""
    decay_ratio: PartialShare = 0.5
    """The share of an `exponential` decay that is left at its end, before it is scaled."""

    counts_with = {
        "power": ("decay", ("polynomial",)),
        "decay_ratio": ("decay", ("exponential",)),
    }
    group = "warm-up"
    words = (
        "which holds, then a {decay} decay in {decay_steps} steps "
        "to {end_factor} × base at step {total_steps}, which holds"
    )
    examples = [
        {"warmup_steps": 10, "total_steps": 100, "decay_steps": 20},
        {"warmup_steps": 10, "total_steps": 100, "decay_steps": 50, "decay": "sqrt"},
        {
            "warmup_steps": 10,
            "total_steps": 100,
            "decay_steps": 20,
            "decay": "geometric",
            "end_factor": 0.1,
        },
    ]

    def own_marks(self) -> tuple[int, ...]:
        return (self.warmup_steps, self.total_steps - self.decay_steps, self.total_steps)

    def wording(self) -> str:
        return f"{to_the_base_rate(self.start_factor, self.warmup_steps)}, {self.words}"

    def formula(self, step: Array, base: Array) -> Array:
        begin = self.total_steps - self.decay_steps
        return where(
            step < self.warmup_steps,
            lambda: line(base * self.start_factor, base, ramp(step, self.warmup_steps)),
            lambda: where(step <= begin, base, lambda: self._decay(step - begin, base)),
        )

    def _decay(self, step: Array, base: Array) -> Array:
        """The rates of the decay, at steps counted from its start."""
        done = ramp(step, self.decay_steps)
        return decayed(self.decay, done, base, self.end_factor, self.power, self.decay_ratio)


@stages("warmup_steps", "hold_steps", "decay_steps")
class TriStage(Schedule):
    """A straight rise, a plateau, a geometric decay: the three stages of speech models.

    >>> stages = TriStage(warmup_steps=2, hold_steps=2, decay_steps=2, end_factor=0.25)
    >>> stages.lr([0, 1, 2, 4, 5, 6, 99], base=0.8).round(3)
    array([0.008, 0.404, 0.8  , 0.8  , 0.4  , 0.2  , 0.2  ])

    Source: Park et al., SpecAugment (2019), section 4.2; fairseq, ``tri_stage``.
    """

    kind: Literal["TriStageLR"] = "TriStageLR"
    warmup_steps: Steps
    """How many steps the rise takes."""
    hold_steps: Steps
    """How many steps the base rate holds."""
    decay_steps: PositiveSteps
    """How many steps the decay takes. The rate at its end holds."""
    start_factor: Factor = 0.01
    """What the base rate is multiplied by at step 0."""
    end_factor: PositiveFactor = 0.01
    """What the base rate is multiplied by at the end."""

    group = "warm-up"
    words = (
        "which holds for {hold_steps} steps, "
        "then a geometric decay to {end_factor} × base in {decay_steps} steps, which holds"
    )
    examples = [{"warmup_steps": 10, "hold_steps": 40, "decay_steps": 50}]
    length_fields = ("decay_steps",)

    def own_marks(self) -> tuple[int, ...]:
        held = self.warmup_steps + self.hold_steps
        return (self.warmup_steps, held, held + self.decay_steps)

    def wording(self) -> str:
        words = self.words if self.hold_steps else self.words.partition(", ")[2]
        return f"{to_the_base_rate(self.start_factor, self.warmup_steps)}, {words}"

    def formula(self, step: Array, base: Array) -> Array:
        begin, end = self.warmup_steps + self.hold_steps, base * self.end_factor
        return where(
            step < self.warmup_steps,
            lambda: line(base * self.start_factor, base, ramp(step, self.warmup_steps)),
            lambda: where(
                step <= begin,
                base,
                lambda: between(base, end, ramp(step - begin, self.decay_steps), "log"),
            ),
        )
