# Written by tools/generate.py from the kinds: change those, not this.
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch.optim import Optimizer

import olm.kinds.adaptive
import olm.kinds.constant
import olm.kinds.continuing
import olm.kinds.cyclic
import olm.kinds.decays
import olm.kinds.hold
import olm.kinds.newbob
import olm.kinds.phases
import olm.kinds.polynomial
import olm.kinds.power
import olm.kinds.product
import olm.kinds.ramp
import olm.kinds.repeat
import olm.kinds.restarts
import olm.kinds.sequence
import olm.kinds.step
import olm.kinds.time
import olm.kinds.warmup_decay
from olm.schedule.schedule import Schedule
from olm.train.schedulers.base import SchedulerBase as SchedulerBase
from olm.train.schedulers.cosine import CosineAnnealingLR as CosineAnnealingLR
from olm.train.schedulers.factory import build as build
from olm.train.schedulers.linear import LinearDecayLR as LinearDecayLR
from olm.train.schedulers.linear import LinearLR as LinearLR
from olm.train.schedulers.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from olm.train.schedulers.schedule_lr import ScheduleLR as ScheduleLR
from olm.train.schedulers.warmup import WarmupCosineScheduler as WarmupCosineScheduler
from olm.train.schedulers.warmup import WarmupLR as WarmupLR

class ChainedScheduler(ScheduleLR):
    """The product of schedules: each multiplies the base rate by its own factor."""
    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Mapping[str, Any] | Schedule | ScheduleLR],
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.product.Chained: ...

class ConstantLR(ScheduleLR):
    """The base rate times ``factor`` before step ``total_iters``, then the base rate."""
    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 0.3333333333333333,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.constant.Constant: ...

class ContinueLR(ScheduleLR):
    """One schedule after another, each with a base rate of its own: the rate that was reached."""
    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Mapping[str, Any] | Schedule | ScheduleLR],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.continuing.Continue: ...

class CosineAnnealingWarmRestarts(ScheduleLR):
    """Half a cosine wave from the base rate to ``eta_min``, again and again, each time longer."""
    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.restarts.CosineWarmRestarts: ...

class CyclicLR(ScheduleLR):
    """Straight up from ``base_lr`` to ``max_lr`` and down again, without an end."""
    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float,
        max_lr: float,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.cyclic.Cyclic: ...

class ExponentialLR(ScheduleLR):
    """The base rate, multiplied by ``gamma`` at every step."""
    def __init__(
        self,
        optimizer: Optimizer,
        gamma: float,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.step.Exponential: ...

class FlatCosineLR(ScheduleLR):
    """The base rate for ``flat_steps``, then half a cosine wave down to a share of it."""
    def __init__(
        self,
        optimizer: Optimizer,
        flat_steps: int,
        total_steps: int,
        end_factor: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.decays.FlatCosine: ...

class HoldLR(ScheduleLR):
    """A constant rate: the base rate, a multiple of it, or a fixed rate."""
    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0,
        fixed_lr: float | None = None,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.hold.Hold: ...

class InverseSqrtLR(ScheduleLR):
    """A straight rise to the base rate, then a decay with the inverse square root of the step."""
    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        timescale: int | None = None,
        start_factor: float = 0.0,
        end_factor: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.power.InverseSqrt: ...

class KLAdaptiveLR(ScheduleLR):
    """The base rate, lowered when a KL divergence is above its target and raised when below."""
    def __init__(
        self,
        optimizer: Optimizer,
        target_kl: float,
        max_lr: float,
        min_lr: float = 0.0,
        tolerance: float = 2.0,
        factor: float = 1.5,
        above: Literal["lower", "raise"] = "lower",
        positive_only: bool = False,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.adaptive.KLAdaptive: ...

class LinearFactorLR(ScheduleLR):
    """A straight line from one share of the base rate to another: torch's ``LinearLR``."""
    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 0.3333333333333333,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.ramp.LinearFactor: ...

class MaximumLR(ScheduleLR):
    """At each step the highest of the rates of some schedules."""
    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Mapping[str, Any] | Schedule | ScheduleLR],
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.product.Maximum: ...

class MinimumLR(ScheduleLR):
    """At each step the lowest of the rates of some schedules."""
    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Mapping[str, Any] | Schedule | ScheduleLR],
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.product.Minimum: ...

class MultiStepLR(ScheduleLR):
    """The base rate, multiplied by ``gamma`` at every milestone."""
    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.step.MultiStep: ...

class NewBobLR(ScheduleLR):
    """The base rate, multiplied by ``factor`` whenever a metric improves too little on the last."""
    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.5,
        threshold: float = 0.0025,
        patience: int = 0,
        min_lr: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.newbob.NewBob: ...

class NoamLR(ScheduleLR):
    """The Transformer's: a straight rise, then a decay with the inverse square root of the step."""
    def __init__(
        self,
        optimizer: Optimizer,
        d_model: int,
        warmup_steps: int,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.power.Noam: ...

class OneCycleLR(ScheduleLR):
    """Up to ``max_lr`` from a share of it, then down to a small share of the first rate."""
    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.cyclic.OneCycle: ...

class PhasesLR(ScheduleLR):
    """One schedule after another, each for a number of steps, from its own step 0 on."""
    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Mapping[str, Any] | Schedule | ScheduleLR],
        lengths: Sequence[int],
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.phases.Phases: ...

class PolynomialLR(ScheduleLR):
    """The base rate times a power of the share of ``total_iters`` that remains."""
    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.polynomial.Polynomial: ...

class PowerLR(ScheduleLR):
    """The base rate over a power of the steps, ``(1 + decay_rate × step / decay_steps)^power``."""
    def __init__(
        self,
        optimizer: Optimizer,
        power: float = 0.5,
        decay_steps: int = 1,
        decay_rate: float = 1.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.power.Power: ...

class RampLR(ScheduleLR):
    """From one rate to another, along one of several curves. Both ends are exact."""
    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        start_factor: float = 1.0,
        start_lr: float | None = None,
        end_factor: float = 0.0,
        end_lr: float | None = None,
        ease: Literal["linear", "cosine", "polynomial", "power", "logarithmic"] = "linear",
        power: float = 2.0,
        space: Literal["linear", "log", "inverse"] = "linear",
        offset: int = 0,
        past: Literal["hold", "mirror", "repeat", "extrapolate"] = "hold",
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.ramp.Ramp: ...

class RepeatLR(ScheduleLR):
    """A schedule that starts again every ``period`` steps, slower or lower each time if wanted."""
    def __init__(
        self,
        optimizer: Optimizer,
        scheduler: Mapping[str, Any] | Schedule | ScheduleLR,
        period: int,
        growth: float = 1.0,
        shrink: float = 1.0,
        count: int | None = None,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.repeat.Repeat: ...

class RexLR(ScheduleLR):
    """Slow at first and fast at the end: a reflection of the exponential decay."""
    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        beta: float = 0.5,
        end_factor: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.decays.Rex: ...

class SequentialLR(ScheduleLR):
    """One schedule after another: at each milestone the next takes over, at its own step 0."""
    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Mapping[str, Any] | Schedule | ScheduleLR],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.sequence.Sequential: ...

class StepLR(ScheduleLR):
    """The base rate, multiplied by ``gamma`` every ``step_size`` steps."""
    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.step.Step: ...

class TableLR(ScheduleLR):
    """A table of factors of the base rate: each from its step on, or a curve through the points."""
    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        factors: Sequence[float],
        between: Literal["hold", "linear", "cosine"] = "hold",
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.hold.Table: ...

class TanhLR(ScheduleLR):
    """A decay along a hyperbolic tangent, slow at both ends."""
    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        lb: float = -7.0,
        ub: float = 3.0,
        end_lr: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.decays.Tanh: ...

class TimeLR(ScheduleLR):
    """A schedule on another clock: shifted, in larger steps, along samples or tokens."""
    def __init__(
        self,
        optimizer: Optimizer,
        scheduler: Mapping[str, Any] | Schedule | ScheduleLR,
        shift: int = 0,
        every: int = 1,
        first: int = 0,
        last: int | None = None,
        axis: Literal["steps", "samples", "tokens"] = "steps",
        per_step: list[list[float]] | dict[str, int] | None = None,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.time.Time: ...

class TriStageLR(ScheduleLR):
    """A straight rise, a plateau, a geometric decay: the three stages of speech models."""
    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        hold_steps: int,
        decay_steps: int,
        start_factor: float = 0.01,
        end_factor: float = 0.01,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.warmup_decay.TriStage: ...

class WarmupDecayLR(ScheduleLR):
    """A straight rise to the base rate, then a decay to a share of it, as for most models."""
    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        total_steps: int,
        decay: Literal[
            "linear",
            "cosine",
            "sqrt",
            "square",
            "polynomial",
            "exponential",
            "geometric",
            "harmonic",
        ] = "cosine",
        start_factor: float = 0.0,
        end_factor: float = 0.0,
        power: float = 2.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.warmup_decay.WarmupDecay: ...

class WarmupStableDecayLR(ScheduleLR):
    """A straight rise to the base rate, which holds, then a decay to a share of it: WSD."""
    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        total_steps: int,
        decay_steps: int,
        decay: Literal[
            "linear",
            "cosine",
            "sqrt",
            "square",
            "polynomial",
            "exponential",
            "geometric",
            "harmonic",
        ] = "linear",
        start_factor: float = 0.0,
        end_factor: float = 0.0,
        power: float = 2.0,
        decay_ratio: float = 0.5,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.warmup_decay.WarmupStableDecay: ...
