"""pytorch_optimizer: the schedulers of a library of optimizers."""

from __future__ import annotations

from importlib import import_module
from math import cos, pi
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._stepping import stepped

BASES = (0.1, 3e-4)
"""The base rates of two param groups."""

PEAK = (0.1,)
"""A base rate that equals the peak of the schedulers that have one peak for every group."""

FLOOR = 1e-3
"""The rate at the end of a decay."""


def rates(row: Row) -> Curves:
    """Step the class of pytorch_optimizer."""
    return stepped(row, vars(import_module("pytorch_optimizer.lr_scheduler")))


def _row(
    name: str,
    olm: dict[str, Any],
    last: int,
    instead: str = "",
    base_lrs: tuple[float, ...] = PEAK,
    **arguments: Any,
) -> Row:
    return Row(_call(name, arguments), olm, base_lrs, tuple(range(last + 1)), instead)


def _call(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(['optimizer', *(f'{k}={v!r}' for k, v in arguments.items())])})"


def _sequence(schedulers: list[dict[str, Any]], milestone: int) -> dict[str, Any]:
    return {"kind": "SequentialLR", "schedulers": schedulers, "milestones": [milestone]}


def _ramp(total_steps: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _later(scheduler: dict[str, Any]) -> dict[str, Any]:
    """A spec that takes its first step twice."""
    return {"kind": "TimeLR", "scheduler": scheduler, "shift": -1}


def _warmed(then: dict[str, Any]) -> dict[str, Any]:
    """A rise of five steps from the floor, and then another spec."""
    return _sequence([_ramp(5, start_lr=FLOOR, end_factor=1.0), then], 5)


def _cycle(length: int, peak: float = 1.0) -> dict[str, Any]:
    """A rise of three steps from the floor to a share of the base rate, and half a cosine down."""
    up = _ramp(3, start_lr=FLOOR, end_factor=peak)
    return _sequence([up, _ramp(length - 3, start_factor=peak, end_lr=FLOOR, ease="cosine")], 3)


def _stable(decay: str, end_factor: float = 0.0) -> dict[str, Any]:
    lengths = {"warmup_steps": 5, "total_steps": 30, "decay_steps": 10}
    return {"kind": "WarmupStableDecayLR", **lengths, "decay": decay, "end_factor": end_factor}


def _chebyshev() -> dict[str, Any]:
    """The factors of eight steps: the reciprocals of Chebyshev nodes between 0.05 and 1."""
    factors = [1 / (0.525 - 0.475 * cos((k + 0.5) * pi / 8)) for k in (0, 7, 3, 4, 1, 6, 2, 5)]
    return {"kind": "TableLR", "milestones": [0, *range(3, 10)], "factors": factors}


LINEAR = "LinearScheduler"
COSINE = "CosineScheduler"
POLY = "PolyScheduler"
RESTARTS = "CosineAnnealingWarmupRestarts"
REX = "REXScheduler"
STABLE = "get_wsd_schedule"

LENGTHS: dict[str, Any] = {
    "t_max": 30,
    "max_lr": 0.1,
    "min_lr": FLOOR,
    "init_lr": FLOOR,
    "warmup_steps": 5,
}
"""The lengths of the schedulers that take their first step twice, and so are one step late."""

WSD: dict[str, Any] = {"num_warmup_steps": 5, "num_stable_steps": 15, "num_decay_steps": 10}

BELOW = "pytorch_optimizer continues below the floor, to negative rates; olm holds the floor"
RISES = "pytorch_optimizer rises again after the end; olm holds the floor"
GROWS = (
    "pytorch_optimizer multiplies the peak by a power of the number of steps, and rises without "
    "bound; olm falls along the polynomial"
)
DIPS = "pytorch_optimizer is at the floor for the first step; olm starts at the peak"
LEAVES_OUT = (
    "pytorch_optimizer falls below the floor and then jumps up to it; "
    "olm falls no further than the floor"
)

ROWS = [
    _row(LINEAR, _later(_warmed(_ramp(25, end_lr=FLOOR))), 31, **LENGTHS),
    _row(LINEAR, _later(_warmed(_ramp(25, end_lr=FLOOR))), 45, BELOW, **LENGTHS),
    _row(COSINE, _later(_warmed(_ramp(25, end_lr=FLOOR, ease="cosine"))), 31, **LENGTHS),
    _row(COSINE, _later(_warmed(_ramp(25, end_lr=FLOOR, ease="cosine"))), 45, RISES, **LENGTHS),
    _row(
        POLY,
        _later(_warmed(_ramp(25, end_lr=FLOOR, ease="polynomial", power=0.5))),
        45,
        GROWS,
        **LENGTHS,
    ),
    _row(
        RESTARTS,
        {"kind": "RepeatLR", "scheduler": _cycle(15), "period": 15, "shrink": 0.5},
        50,
        first_cycle_steps=15,
        max_lr=0.1,
        min_lr=FLOOR,
        warmup_steps=3,
        gamma=0.5,
    ),
    # Only the part after the warm-up grows: 7, 14, 28.
    _row(
        RESTARTS,
        {
            "kind": "PhasesLR",
            "schedulers": [_cycle(10), _cycle(17, 0.5), _cycle(31, 0.25)],
            "lengths": [10, 17, 31],
        },
        57,
        first_cycle_steps=10,
        cycle_mult=2.0,
        max_lr=0.1,
        min_lr=FLOOR,
        warmup_steps=3,
        gamma=0.5,
    ),
    _row(
        RESTARTS,
        {
            "kind": "CosineAnnealingWarmRestarts",
            "T_0": 10,
            "T_mult": 2,
            "eta_min": FLOOR,
        },
        40,
        DIPS,
        first_cycle_steps=10,
        cycle_mult=2.0,
        max_lr=0.1,
        min_lr=FLOOR,
        gamma=1.0,
    ),
    _row(REX, {"kind": "RexLR", "total_steps": 20}, 30, DIPS, total_steps=20, max_lr=0.1),
    _row(
        REX,
        _sequence(
            [
                {"kind": "HoldLR", "fixed_lr": 0.0},
                {"kind": "TimeLR", "scheduler": {"kind": "RexLR", "total_steps": 20}, "shift": 1},
            ],
            1,
        ),
        30,
        total_steps=20,
        max_lr=0.1,
    ),
    _row(STABLE, _stable("sqrt"), 40, base_lrs=BASES, **WSD),
    _row(STABLE, _stable("linear"), 40, base_lrs=BASES, **WSD, cooldown_type="linear"),
    _row(STABLE, _stable("square"), 40, base_lrs=BASES, **WSD, cooldown_type="1-square"),
    _row(
        STABLE,
        _stable("cosine", 0.1),
        40,
        base_lrs=BASES,
        **WSD,
        cooldown_type="cosine",
        min_lr_ratio=0.1,
    ),
    _row(STABLE, _stable("sqrt", 0.1), 40, LEAVES_OUT, base_lrs=BASES, **WSD, min_lr_ratio=0.1),
    _row("get_chebyshev_schedule", _chebyshev(), 20, base_lrs=BASES, num_epochs=8),
]

PEER = Peer(
    distribution="pytorch_optimizer",
    version="4.1.0",
    tolerance=1e-12,
    rows=ROWS,
    rates=rates,
    refused=[
        Refused(
            _call(COSINE, {"t_max": 5, "max_lr": 0.1, "warmup_steps": 5}),
            {"kind": "WarmupDecayLR", "warmup_steps": 5, "total_steps": 5},
            argument="warmup_steps",
            instead=(
                "pytorch_optimizer divides by zero after the warm-up; olm requires a shorter "
                "warm-up"
            ),
        ),
        Refused(
            _call(RESTARTS, {"first_cycle_steps": 10, "gamma": -0.5}),
            {
                "kind": "RepeatLR",
                "scheduler": {"kind": "CosineAnnealingLR", "T_max": 10, "eta_min": 1e-6},
                "period": 10,
                "shrink": -0.5,
            },
            argument="shrink",
            instead="pytorch_optimizer returns negative rates; olm requires at least 0",
        ),
    ],
    needs=["torch", "numpy"],
    dependencies=False,
)
