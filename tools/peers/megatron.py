"""Megatron: `OptimizerParamScheduler`, one class whose `lr_decay_style` selects the curve.

Its runs with a growing batch are in `_megatron_runs.py`, and those of the arguments that
`olm export` writes in `_megatron_exports.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._megatron_exports import exported
from peers._megatron_runs import RUNS, core, trained
from peers._stepping import stepped

BASES = (0.1, 3e-4)
"""The base rates of two param groups; in Megatron, each is the `max_lr` of its group."""

Spec = dict[str, Any]


def rates(row: Row) -> Curves:
    """Step the class of Megatron by one; it can count steps or samples."""
    names = {"OptimizerParamScheduler": _scheduler, "weight_decay_of": _WeightDecay}
    return stepped(row, names)


@dataclass
class _ByOnes:
    """A scheduler of Megatron with the interface of torch."""

    scheduler: Any

    def step(self) -> None:
        self.scheduler.step(1)


class _WeightDecay:
    """A scheduler of Megatron whose weight decays are written as rates, to be compared like them.

    Each base rate stands for a group's own weight decay, which is `end_wd` times its `wd_mult`.
    """

    def __init__(self, scheduler: _ByOnes) -> None:
        self.scheduler = scheduler
        of_megatron = scheduler.scheduler
        for group in of_megatron.optimizer.param_groups:
            group["wd_mult"] = group["max_lr"] / of_megatron.end_wd
        of_megatron.step(0)
        self._write()

    def step(self) -> None:
        self.scheduler.step()
        self._write()

    def _write(self) -> None:
        for group in self.scheduler.scheduler.optimizer.param_groups:
            group["lr"] = group["weight_decay"]


def _scheduler(optimizer: Any, **arguments: Any) -> _ByOnes:
    for group in optimizer.param_groups:
        group["max_lr"] = group["lr"]
    return _ByOnes(
        core("optimizer_param_scheduler").OptimizerParamScheduler(optimizer, **arguments)
    )


def _text(
    style: str, warmup: float, total: int, low: float = 0.0, start: float = 0.0, **more: Any
) -> str:
    arguments = {
        "init_lr": start,
        "max_lr": BASES[0],
        "min_lr": low,
        "lr_warmup_steps": warmup,
        "lr_decay_steps": total,
        "lr_decay_style": style,
        **more,
        "start_wd": 0.0,
        "end_wd": 0.0,
        "wd_incr_steps": total,
        "wd_incr_style": "constant",
    }
    written = (f"{key}={value!r}" for key, value in arguments.items())
    return f"OptimizerParamScheduler({', '.join(['optimizer', *written])})"


def _wsd(warmup: int, total: int, decay: int, style: str, low: float = 0.0) -> str:
    return _text("WSD", warmup, total, low, wsd_decay_steps=decay, lr_wsd_decay_style=style)


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _phases(*parts: tuple[Spec, int]) -> Spec:
    specs, lengths = zip(*parts, strict=True)
    return {"kind": "PhasesLR", "schedulers": [*specs], "lengths": [*lengths]}


def _stable(decay: str, **more: Any) -> Spec:
    """A rise of 6 steps, 12 steps at the top, a decay of 12."""
    lengths = {"warmup_steps": 6, "total_steps": 30, "decay_steps": 12}
    return {"kind": "WarmupStableDecayLR", **lengths, "decay": decay, **more}


def _rise(steps: int, **start: float) -> Spec:
    return {"kind": "RampLR", "total_steps": steps, **start, "end_factor": 1.0}


def _floor(rate: float) -> Spec:
    return {"kind": "HoldLR", "fixed_lr": rate}


def _rising(style: str, ease: str) -> Row:
    """A weight decay that goes up from a third in 20 steps."""
    arguments = _text("constant", 0, 20).partition("start_wd")[0]
    changed = f"start_wd=0.033, end_wd=0.1, wd_incr_steps=20, wd_incr_style={style!r})"
    spec = {"kind": "RampLR", "total_steps": 20, "start_factor": 0.33, "end_factor": 1.0}
    text = f"weight_decay_of({arguments}{changed})"
    return Row(text, {**spec, "ease": ease}, (0.1, 0.05), _up_to(30))


ROOT = {"kind": "PowerLR", "power": 0.5, "decay_steps": 8, "decay_rate": 1.0}
"""The inverse square root after a warm-up of 8 steps."""

CLIFF = (
    "Megatron drops to min_lr at the step after lr_decay_steps; olm continues along the inverse "
    "square root"
)

FLAT = [
    Row(_text("constant", 0, 10), {"kind": "HoldLR"}, BASES, _up_to(20)),
    Row(_text("constant", 8, 20, start=1e-5), _rise(8, start_lr=1e-5), BASES, _up_to(30)),
]

DECAYS = [
    Row(
        _text("linear", 0, 20, low=1e-5),
        {"kind": "LinearLR", "total_steps": 20, "end_lr": 1e-5},
        BASES,
        _up_to(30),
    ),
    Row(
        _text("linear", 5, 30),
        {"kind": "WarmupDecayLR", "warmup_steps": 5, "total_steps": 30, "decay": "linear"},
        BASES,
        _up_to(40),
    ),
    Row(
        _text("cosine", 0, 20, low=1e-5),
        {"kind": "CosineAnnealingLR", "T_max": 20, "eta_min": 1e-5},
        BASES,
        _up_to(30),
    ),
    Row(
        _text("cosine", 5, 30, low=1e-5, start=1e-6),
        _phases(
            (_rise(5, start_lr=1e-6), 5),
            ({"kind": "CosineAnnealingLR", "T_max": 25, "eta_min": 1e-5}, 25),
        ),
        BASES,
        _up_to(40),
    ),
]

INVERSE_ROOT = [
    Row(
        _text("inverse-square-root", 8, 50),
        {"kind": "InverseSqrtLR", "warmup_steps": 8},
        BASES,
        _up_to(50),
    ),
    Row(
        _text("inverse-square-root", 8, 30),
        _phases((_rise(8, start_factor=0.0), 8), (ROOT, 23), (_floor(0.0), 1)),
        BASES,
        _up_to(40),
    ),
    Row(
        _text("inverse-square-root", 8, 50, low=0.05),
        _phases(
            (_rise(8, start_factor=0.0), 8),
            ({"kind": "MaximumLR", "schedulers": [ROOT, _floor(0.05)]}, 42),
        ),
        BASES[:1],
        _up_to(59),
    ),
    Row(
        _text("inverse-square-root", 0, 20),
        {"kind": "TimeLR", "scheduler": {"kind": "PowerLR"}, "shift": -1},
        BASES,
        _up_to(20),
    ),
    Row(
        _text("inverse-square-root", 8, 30),
        {"kind": "InverseSqrtLR", "warmup_steps": 8},
        BASES,
        _up_to(40),
        CLIFF,
    ),
]

STABLE = [
    Row(_wsd(6, 30, 12, "exponential"), _stable("exponential"), BASES, _up_to(40)),
    Row(_wsd(6, 30, 12, "linear"), _stable("linear"), BASES, _up_to(40)),
    Row(_wsd(6, 30, 12, "cosine"), _stable("cosine"), BASES, _up_to(40)),
    Row(
        _wsd(6, 30, 12, "minus_sqrt", low=0.01),
        _stable("sqrt", end_factor=0.1),
        BASES[:1],
        _up_to(40),
    ),
    Row(
        _wsd(6, 30, 24, "exponential", low=0.01),
        {
            "kind": "WarmupDecayLR",
            "warmup_steps": 6,
            "total_steps": 30,
            "decay": "exponential",
            "end_factor": 0.1,
        },
        BASES[:1],
        _up_to(40),
    ),
]

WEIGHT_DECAYS = [_rising("cosine", "cosine"), _rising("linear", "linear")]
"""Weight decays, which a target of olm's schedules by the same kinds."""

PEER = Peer(
    distribution="megatron-core",
    version="0.16.1",
    tolerance=1e-12,
    rows=[*FLAT, *DECAYS, *INVERSE_ROOT, *STABLE, *WEIGHT_DECAYS],
    rates=rates,
    refused=[
        Refused(
            _text("linear", 2.5, 30),
            {"kind": "WarmupDecayLR", "warmup_steps": 2.5, "total_steps": 30, "decay": "linear"},
            argument="warmup_steps",
            instead=(
                "Megatron accepts half a step, a fraction of the decay; olm requires whole steps"
            ),
        ),
        Refused(
            _wsd(6, 30, 27, "linear"),
            {**_stable("linear"), "decay_steps": 27},
            argument="decay_steps",
            instead=(
                "Megatron drops from the base rate into the middle of the decay; olm requires that "
                "the decay fits after the warm-up"
            ),
        ),
    ],
    runs=RUNS,
    trained=trained,
    exported=exported,
    needs=["torch", "numpy"],
    dependencies=False,
)
