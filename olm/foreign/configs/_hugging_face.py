"""The schedules of transformers and diffusers: functions of the warm-up and the run length."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from olm.fields.durations import exact
from olm.foreign.configs._config import Config
from olm.foreign.configs._documents import Document, ramp, rise, sequence
from olm.problem import Path

WARMUP_SHAPES: dict[str, dict[str, Any]] = {
    "linear": {},
    "cosine": {"ease": "cosine"},
    "1-sqrt": {"ease": "polynomial", "power": 0.5},
}
DECAY_SHAPES = {"linear": "linear", "cosine": "cosine", "1-sqrt": "sqrt"}


@dataclass(frozen=True)
class Run:
    """What a schedule depends on besides its own arguments."""

    config: Config
    lr: float
    warmup: int | str
    """The steps of the warm-up, or a share of the run."""
    total: int | str
    """The steps of the run, or the whole of it where the length is not known."""
    at: Path
    """The key that names the schedule."""

    @property
    def never_warm(self) -> bool:
        """Whether the run ends before the warm-up does."""
        both = isinstance(self.warmup, int) and isinstance(self.total, int)
        return both and int(self.warmup) >= int(self.total)

    def counted(self, why: str) -> tuple[int, int]:
        """The steps of the warm-up and those after it.

        Args:
            why: what needs them, for the refusal.

        Raises:
            Refusal: the length of the run is not known.
        """
        if not isinstance(self.warmup, int) or not isinstance(self.total, int):
            self.config.need("total_steps", f"the length of the run, which {why} needs", *self.at)
        return int(self.warmup), int(self.total) - int(self.warmup)


def decayed(run: Run, decay: str, **fields: Any) -> Document:
    """A warm-up from zero and a decay that ends with the run."""
    if run.never_warm:
        return rise(run.warmup)
    lengths = {"warmup_steps": run.warmup, "total_steps": run.total}
    return {"kind": "WarmupDecayLR", **lengths, "decay": decay, **fields}


def constant_with_warmup(run: Run) -> Document:
    """A warm-up from zero, after which the base rate holds."""
    return {"kind": "HoldLR"} if run.warmup == 0 else rise(run.warmup)


def cosine(run: Run, cycles: float, floor: float = 0.0) -> Document:
    """A warm-up from zero and some waves of a cosine, by default half a wave."""
    if cycles == 0.5 or run.never_warm:
        return decayed(run, "cosine", **({"end_factor": floor} if floor else {}))
    warmup, steps = run.counted("num_cycles")
    return sequence((rise(warmup), warmup), last=waves(steps, cycles, floor))


def waves(steps: int, cycles: float, floor: float, offset: int = 0) -> Document:
    """Whole waves of a cosine, from the base rate down to the floor and back.

    Args:
        steps: the steps of all waves.
        cycles: how many waves there are.
        floor: the lowest factor of the base rate.
        offset: how many steps are done at step 0.
    """
    ahead = {"offset": offset} if offset else {}
    half = Fraction(steps) / exact(2 * cycles)
    fields = {"end_factor": floor, "ease": "cosine", "past": "mirror"}
    if half.denominator == 1:
        return ramp(int(half), **fields, **ahead)
    # A half wave that ends between two steps is whole on a finer clock.
    ahead = {name: value * half.denominator for name, value in ahead.items()}
    return _finer(half.denominator, ramp(half.numerator, **fields, **ahead))


def restarts(run: Run, cycles: float) -> Document:
    """A warm-up from zero and half waves of a cosine, each from the base rate.

    Raises:
        Refusal: the length of the run is not known, or the library is in the wrong half wave at a
            step because it rounds.
    """
    if run.never_warm:
        return rise(run.warmup)
    if cycles == 1:
        return decayed(run, "cosine")
    warmup, steps = run.counted("num_cycles")
    period = Fraction(steps) / exact(cycles)
    _check_restarts(run, warmup, steps, cycles, period)
    wave = {"kind": "CosineAnnealingLR", "T_max": period.numerator}
    repeated = {"kind": "RepeatLR", "scheduler": wave, "period": period.numerator}
    finer = repeated if period.denominator == 1 else _finer(period.denominator, repeated)
    return sequence((rise(warmup), warmup), last=finer)


def _check_restarts(run: Run, warmup: int, steps: int, cycles: float, period: Fraction) -> None:
    """Refuse restarts that the library, which divides floats, does not reach."""
    start = period.numerator
    while start < steps and start <= 10**7:
        if (float(cycles) * (float(start) / float(steps))) % 1.0 > 0.5:
            text = f"by rounding, the rate is 0 at the restart at step {warmup + start:,}"
            raise run.config.refusal("unsupported-key", text, run.at)
        start += period.numerator


def _finer(per_step: int, document: Document) -> Document:
    """A schedule on a clock that counts several samples per step."""
    return {
        "kind": "TimeLR",
        "axis": "samples",
        "per_step": [[0, per_step]],
        "scheduler": document,
    }


def polynomial(run: Run, lr_end: float, power: float) -> Document:
    """A warm-up from zero and a polynomial decay to a rate.

    Raises:
        Refusal: the rate at the end is not below the base rate.
    """
    if lr_end >= run.lr:
        text = f"lr_end ({lr_end}) must be below the learning rate ({run.lr})"
        raise run.config.refusal("type", text, run.at)
    return decayed(run, "polynomial", power=power, end_factor=lr_end / run.lr)


def cosine_one_step_ahead(
    run: Run, cycles: float, floor: float, warmup_floor: float | None
) -> Document:
    """A warm-up and a cosine that are both one step ahead: `cosine_warmup_with_min_lr`."""
    warmup, steps = run.counted("cosine_warmup_with_min_lr")
    if warmup_floor is None:
        up: Document = {"kind": "WarmupLR", "warmup_steps": warmup}
    elif warmup == 1:
        up = {"kind": "HoldLR", "factor": warmup_floor}
    else:
        up = ramp(warmup - 1, start_factor=warmup_floor, end_factor=1.0)
    if run.never_warm:
        return up
    if cycles == 0.5:
        down = ramp(steps, end_factor=floor, ease="cosine", offset=1)
    else:
        down = waves(steps, cycles, floor, offset=1)
    return sequence((up, warmup), last=down)


def warmup_stable_decay(
    run: Run,
    decay: int,
    stable: int | None,
    shapes: tuple[str, str],
    floor: float,
    cycles: float,
) -> Document:
    """A warm-up, a plateau and a decay.

    Args:
        run: the run.
        decay: the steps of the decay.
        stable: those of the plateau; by default what remains of the run.
        shapes: the names of the shapes of the warm-up and the decay.
        floor: the factor of the base rate at both ends.
        cycles: the waves of a cosine.

    Raises:
        Refusal: the stages do not fit into the run, or its length is needed and not known.
    """
    whole = shapes[1] != "cosine" or cycles == 0.5
    if stable is None and shapes[0] == "linear" and whole and not isinstance(run.total, int):
        return _stages(run.warmup, run.total, decay, shapes[1], floor)
    warmup, left = run.counted("warmup_stable_decay") if stable is None else (run.warmup, 0)
    if not isinstance(warmup, int):
        warmup, left = run.counted("warmup_steps")
    plateau = left - decay if stable is None else stable
    if plateau < 0:
        text = "the warm-up and the decay are longer than the run"
        raise run.config.refusal("unsupported-key", text, run.at)
    if shapes[0] == "linear" and whole:
        return _stages(warmup, warmup + plateau + decay, decay, shapes[1], floor)
    up = ramp(warmup, start_factor=floor, end_factor=1.0, **WARMUP_SHAPES[shapes[0]])
    if whole:
        last = _stages(0, plateau + decay, decay, shapes[1], floor)
        return sequence((up, warmup), last=last)
    end = {"kind": "HoldLR", "factor": floor}
    hold = {"kind": "HoldLR"}
    down = waves(decay, cycles, floor)
    return sequence((up, warmup), (hold, plateau), (down, decay), last=end)


def _stages(warmup: int | str, total: int | str, decay: int, shape: str, floor: float) -> Document:
    ends = {"start_factor": floor} if floor and warmup != 0 else {}
    ends |= {"end_factor": floor} if floor else {}
    lengths = {"warmup_steps": warmup, "total_steps": total, "decay_steps": decay}
    return {"kind": "WarmupStableDecayLR", **lengths, "decay": DECAY_SHAPES[shape], **ends}
