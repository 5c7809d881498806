"""Curves of every kind as one writes them in numpy: from whole steps, in place, unchecked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]
Rates = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Curve:
    """A schedule, and the same curve by hand."""

    kind: str
    fields: Mapping[str, Any]
    formula: Callable[[Steps], Rates]

    @property
    def spec(self) -> dict[str, Any]:
        """The document of the schedule."""
        return {"kind": self.kind, **self.fields}

    @property
    def title(self) -> str:
        """The kind, with a field where several curves are of this kind."""
        chosen = [f"`{key}: {self.fields[key]}`" for key in CHOICES if key in self.fields]
        return ", ".join([f"`{self.kind}`", *chosen])

    @property
    def name(self) -> str:
        """The title as plain text."""
        return self.title.replace("`", "")


CHOICES = ("between", "ease", "axis")
"""The fields by which two curves of one kind differ."""


STEPS = 1_000_000
BASE, END = 0.5, 0.1
WARMUP, DECAY = 2000, 200_000
CYCLE = 50_000
POWER, GAMMA = 0.9, 0.999_999


def _done(step: Steps, start: int, end: int) -> Rates:
    """The progress from one step to another."""
    done = (step - float(start)) if start else step.astype(float)
    done /= end - start
    np.clip(done, 0, 1, out=done)
    return done


def _line(start: float, end: float, done: Rates) -> Rates:
    """A straight line, in the array of its progress."""
    risen = done * end
    np.subtract(1, done, out=done)
    done *= start
    done += risen
    return done


def _cosine(start: float, end: float, done: Rates) -> Rates:
    """Half a cosine wave, in the array of its progress."""
    done *= pi
    np.cos(done, out=done)
    np.subtract(1, done, out=done)
    done /= 2
    return _line(start, end, done)


def _warmed(rates: Rates, step: Steps) -> Rates:
    """A straight rise from 0 to the base rate in place of the first steps."""
    rising = step < WARMUP
    rates[rising] = BASE * (step[rising] / WARMUP)
    return rates


def linear(step: Steps) -> Rates:
    """`LinearLR`."""
    done = step / STEPS
    np.minimum(done, 1, out=done)
    return _line(BASE, END, done)


def linear_decay(step: Steps) -> Rates:
    """`LinearDecayLR`."""
    rates = step / STEPS
    np.minimum(rates, 1, out=rates)
    np.subtract(1, rates, out=rates)
    rates *= BASE
    return rates


def linear_factor(step: Steps) -> Rates:
    """`LinearFactorLR`."""
    done = step / WARMUP
    np.minimum(done, 1, out=done)
    return _line(BASE * END, BASE, done)


def cosine(step: Steps) -> Rates:
    """`CosineAnnealingLR`."""
    rates = step * pi
    rates /= STEPS
    np.cos(rates, out=rates)
    rates += 1
    rates *= BASE - END
    rates /= 2
    rates += END
    rates[step >= STEPS] = END
    rates[step == 0] = BASE
    return rates


def warmup(step: Steps) -> Rates:
    """`WarmupLR`."""
    rates = step + 1.0
    rates /= WARMUP
    rates *= BASE - END
    rates += END
    rates[step >= WARMUP] = BASE
    return rates


def warmup_cosine(step: Steps) -> Rates:
    """`WarmupCosineScheduler`."""
    rates = step - float(WARMUP)
    rates /= STEPS - WARMUP
    np.minimum(rates, 1, out=rates)
    rates *= pi
    np.cos(rates, out=rates)
    rates += 1
    rates *= (BASE - END) * 0.5
    rates += END
    rising = step < WARMUP
    rates[rising] = (step[rising] + 1.0) / WARMUP * BASE
    return rates


def warmup_decay(step: Steps) -> Rates:
    """`WarmupDecayLR` with a cosine."""
    rates = _cosine(BASE, 0.0, _done(step, WARMUP, STEPS))
    return _warmed(rates, step)


def warmup_stable_decay(step: Steps) -> Rates:
    """`WarmupStableDecayLR` with a straight line."""
    rates = _line(BASE, 0.0, _done(step, STEPS - DECAY, STEPS))
    return _warmed(rates, step)


def tri_stage(step: Steps) -> Rates:
    """`TriStageLR`."""
    rates = np.full(len(step), BASE)
    rising = step < WARMUP
    rates[rising] = _line(BASE * 0.01, BASE, step[rising] / WARMUP)
    falling = step >= STEPS - DECAY
    done = step[falling] - float(STEPS - DECAY)
    done /= DECAY
    left = 1 - done
    np.power(BASE, left, out=left)
    np.power(BASE * 0.01, done, out=done)
    left *= done
    rates[falling] = left
    return rates


def constant(step: Steps) -> Rates:
    """`ConstantLR`."""
    rates = np.full(len(step), BASE)
    rates[step < WARMUP] = BASE * 0.25
    return rates


def hold(step: Steps) -> Rates:
    """`HoldLR`, and the kinds that observe a metric, before the first one."""
    return np.full(len(step), BASE)


def polynomial(step: Steps) -> Rates:
    """`PolynomialLR`."""
    rates = step / STEPS
    np.minimum(rates, 1, out=rates)
    np.subtract(1, rates, out=rates)
    rates **= POWER
    rates *= BASE
    return rates


def power(step: Steps) -> Rates:
    """`PowerLR`."""
    rates = step * 0.5
    rates /= WARMUP
    rates += 1
    rates **= -POWER
    rates *= BASE
    return rates


def inverse_sqrt(step: Steps) -> Rates:
    """`InverseSqrtLR`."""
    rates = np.maximum(step, WARMUP).astype(float)
    np.divide(WARMUP, rates, out=rates)
    np.sqrt(rates, out=rates)
    rates *= BASE
    return _warmed(rates, step)


def noam(step: Steps) -> Rates:
    """`NoamLR`."""
    peak = BASE / sqrt(512 * WARMUP)
    number = step + 1.0
    rates = WARMUP / number
    np.sqrt(rates, out=rates)
    rates *= peak
    rising = number < WARMUP
    rates[rising] = peak * (number[rising] / WARMUP)
    return rates


def cyclic(step: Steps) -> Rates:
    """`CyclicLR`."""
    rates = (step % CYCLE).astype(float)
    rates -= CYCLE / 2
    np.abs(rates, out=rates)
    rates /= CYCLE / 2
    np.subtract(1, rates, out=rates)
    return _line(END, BASE, rates)


def one_cycle(step: Steps) -> Rates:
    """`OneCycleLR`."""
    peak, last = 0.3 * STEPS - 1, BASE / 25 / 1e4
    rates = step - peak
    rates /= STEPS - 1 - peak
    _cosine_in_place(BASE, last, rates)
    rising = step <= peak
    rates[rising] = _cosine(BASE / 25, BASE, step[rising] / peak)
    return rates


def _cosine_in_place(start: float, end: float, done: Rates) -> None:
    done *= pi
    np.cos(done, out=done)
    done += 1
    done *= (start - end) / 2
    done += end


def flat_cosine(step: Steps) -> Rates:
    """`FlatCosineLR`."""
    return _cosine(BASE, 0.0, _done(step, DECAY, STEPS))


def rex(step: Steps) -> Rates:
    """`RexLR`."""
    rates = step / STEPS
    np.minimum(rates, 1, out=rates)
    np.subtract(1, rates, out=rates)
    below = rates * 0.5
    below += 0.5
    rates /= below
    rates *= BASE
    return rates


def tanh(step: Steps) -> Rates:
    """`TanhLR`."""
    rates = step / STEPS
    rates *= 10.0
    rates -= 7.0
    np.tanh(rates, out=rates)
    np.subtract(1, rates, out=rates)
    rates *= BASE / 2
    rates[step >= STEPS] = 0.0
    return rates


def table(step: Steps) -> Rates:
    """`TableLR`, whose factors hold."""
    factors = np.array([1.0, 0.5, 0.25, 0.1]) * BASE
    rates: Rates = factors[np.searchsorted(POINTS[1:], step, side="right")]
    return rates


POINTS = np.array([0, 250_000, 500_000, 750_000])


def curved_table(step: Steps) -> Rates:
    """`TableLR` with straight lines."""
    rates: Rates = np.interp(step, POINTS, [1.0, 0.5, 0.25, 0.1])
    rates *= BASE
    return rates


def ramp(step: Steps) -> Rates:
    """`RampLR`."""
    return _line(BASE, BASE * 0.1, _done(step, 0, STEPS))


def cosine_ramp(step: Steps) -> Rates:
    """`RampLR` along a cosine."""
    return _cosine(BASE, BASE * 0.1, _done(step, 0, STEPS))


def restarts(step: Steps) -> Rates:
    """`CosineAnnealingWarmRestarts`."""
    rates = (step % CYCLE).astype(float)
    rates /= CYCLE
    _cosine_in_place(BASE, END, rates)
    return rates


def stairs(step: Steps) -> Rates:
    """`StepLR`."""
    rates = (step // CYCLE).astype(float)
    np.power(0.9, rates, out=rates)
    rates *= BASE
    return rates


def milestones(step: Steps) -> Rates:
    """`MultiStepLR`."""
    rates = np.searchsorted(POINTS[1:], step, side="right").astype(float)
    np.power(0.1, rates, out=rates)
    rates *= BASE
    return rates


def exponential(step: Steps) -> Rates:
    """`ExponentialLR`."""
    rates = step.astype(float)
    np.power(GAMMA, rates, out=rates)
    rates *= BASE
    return rates


def sequence(step: Steps) -> Rates:
    """`SequentialLR` of a `WarmupLR` and a `CosineAnnealingLR`; `PhasesLR`, `ContinueLR`."""
    rates = np.maximum(step, WARMUP) - float(WARMUP)
    rates *= pi
    rates /= STEPS - WARMUP
    np.cos(rates, out=rates)
    rates += 1
    rates *= BASE / 2
    rising = step < WARMUP
    rates[rising] = BASE * ((step[rising] + 1.0) / WARMUP)
    return rates


def product(step: Steps) -> Rates:
    """`ChainedScheduler` of a `LinearDecayLR` and an `ExponentialLR`."""
    rates = linear_decay(step)
    factors = step.astype(float)
    np.power(GAMMA, factors, out=factors)
    rates *= factors
    return rates


def minimum(step: Steps) -> Rates:
    """`MinimumLR` of a `LinearDecayLR` and a `ConstantLR`."""
    rates = linear_decay(step)
    np.minimum(rates, constant(step), out=rates)
    return rates


def maximum(step: Steps) -> Rates:
    """`MaximumLR` of a `LinearDecayLR` and a `ConstantLR`."""
    rates = linear_decay(step)
    np.maximum(rates, constant(step), out=rates)
    return rates


def repeated(step: Steps) -> Rates:
    """`RepeatLR` of a `LinearDecayLR`."""
    rates = (step % CYCLE) / CYCLE
    np.subtract(1, rates, out=rates)
    rates *= BASE
    return rates


def slowed(step: Steps) -> Rates:
    """`TimeLR` of a `LinearDecayLR`, every 100 steps."""
    rates = (step // 100 * 100) / STEPS
    np.subtract(1, rates, out=rates)
    rates *= BASE
    return rates


TOKENS_PER_STEP = [(0, 1024), (100_000, 4096)]
TOKENS = 1024 * 100_000 + 4096 * (STEPS - 100_000)


def along_tokens(step: Steps) -> Rates:
    """`TimeLR` of a `LinearDecayLR` along tokens, in two stages of the batch."""
    (_, few), (change, many) = TOKENS_PER_STEP
    tokens = np.where(step < change, step * few, change * few + (step - change) * many)
    rates = tokens / TOKENS
    np.subtract(1, rates, out=rates)
    rates *= BASE
    return rates


def decay(total: int) -> dict[str, Any]:
    """A `LinearDecayLR`."""
    return {"kind": "LinearDecayLR", "total_steps": total}


_STAGES = [
    {"kind": "WarmupLR", "warmup_steps": WARMUP},
    {"kind": "CosineAnnealingLR", "T_max": STEPS - WARMUP},
]
_CONSTANT = {"kind": "ConstantLR", "factor": 0.25, "total_iters": WARMUP}
_AFTER = {"warmup_steps": WARMUP, "total_steps": STEPS}

LEAVES = [
    Curve("LinearLR", {"total_steps": STEPS, "end_lr": END}, linear),
    Curve("LinearDecayLR", {"total_steps": STEPS}, linear_decay),
    Curve("LinearFactorLR", {"start_factor": END, "total_iters": WARMUP}, linear_factor),
    Curve("CosineAnnealingLR", {"T_max": STEPS, "eta_min": END}, cosine),
    Curve("WarmupLR", {"warmup_steps": WARMUP, "start_lr": END}, warmup),
    Curve("WarmupCosineScheduler", {**_AFTER, "min_lr": END}, warmup_cosine),
    Curve("WarmupDecayLR", _AFTER, warmup_decay),
    Curve("WarmupStableDecayLR", {**_AFTER, "decay_steps": DECAY}, warmup_stable_decay),
    Curve(
        "TriStageLR",
        {"warmup_steps": WARMUP, "hold_steps": STEPS - DECAY - WARMUP, "decay_steps": DECAY},
        tri_stage,
    ),
    Curve("ConstantLR", {"factor": 0.25, "total_iters": WARMUP}, constant),
    Curve("HoldLR", {}, hold),
    Curve("TableLR", {"milestones": POINTS.tolist(), "factors": [1.0, 0.5, 0.25, 0.1]}, table),
    Curve(
        "TableLR",
        {"milestones": POINTS.tolist(), "factors": [1.0, 0.5, 0.25, 0.1], "between": "linear"},
        curved_table,
    ),
    Curve("RampLR", {"total_steps": STEPS, "end_factor": 0.1}, ramp),
    Curve("RampLR", {"total_steps": STEPS, "end_factor": 0.1, "ease": "cosine"}, cosine_ramp),
    Curve("PolynomialLR", {"total_iters": STEPS, "power": POWER}, polynomial),
    Curve("PowerLR", {"power": POWER, "decay_steps": WARMUP, "decay_rate": 0.5}, power),
    Curve("InverseSqrtLR", {"warmup_steps": WARMUP}, inverse_sqrt),
    Curve("NoamLR", {"d_model": 512, "warmup_steps": WARMUP}, noam),
    Curve("FlatCosineLR", {"flat_steps": DECAY, "total_steps": STEPS}, flat_cosine),
    Curve("RexLR", {"total_steps": STEPS}, rex),
    Curve("TanhLR", {"total_steps": STEPS}, tanh),
    Curve("CyclicLR", {"base_lr": END, "max_lr": BASE, "step_size_up": CYCLE // 2}, cyclic),
    Curve("OneCycleLR", {"max_lr": BASE, "total_steps": STEPS}, one_cycle),
    Curve("CosineAnnealingWarmRestarts", {"T_0": CYCLE, "eta_min": END}, restarts),
    Curve("StepLR", {"step_size": CYCLE, "gamma": 0.9}, stairs),
    Curve("MultiStepLR", {"milestones": POINTS[1:].tolist()}, milestones),
    Curve("ExponentialLR", {"gamma": GAMMA}, exponential),
    Curve("ReduceLROnPlateau", {}, hold),
    Curve("NewBobLR", {}, hold),
    Curve("KLAdaptiveLR", {"target_kl": 0.01, "max_lr": 1.0}, hold),
]
"""The kinds that are no compositions, with fields, and the same curve."""

COMPOSITIONS = [
    Curve("SequentialLR", {"schedulers": _STAGES, "milestones": [WARMUP]}, sequence),
    Curve("PhasesLR", {"schedulers": _STAGES, "lengths": [WARMUP, STEPS - WARMUP]}, sequence),
    Curve("ContinueLR", {"schedulers": _STAGES, "milestones": [WARMUP]}, sequence),
    Curve(
        "ChainedScheduler",
        {"schedulers": [decay(STEPS), {"kind": "ExponentialLR", "gamma": GAMMA}]},
        product,
    ),
    Curve("MinimumLR", {"schedulers": [decay(STEPS), _CONSTANT]}, minimum),
    Curve("MaximumLR", {"schedulers": [decay(STEPS), _CONSTANT]}, maximum),
    Curve("RepeatLR", {"scheduler": decay(CYCLE), "period": CYCLE}, repeated),
    Curve("TimeLR", {"scheduler": decay(STEPS), "every": 100}, slowed),
    Curve(
        "TimeLR",
        {"scheduler": decay(TOKENS), "axis": "tokens", "per_step": TOKENS_PER_STEP},
        along_tokens,
    ),
]
"""The kinds that are made of others."""
