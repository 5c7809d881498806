"""pytorch-scheduler: torch schedulers that compute the rate from the step, with a warm-up."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._stepping import stepped

BASES = (0.1, 3e-4)
"""The base rates of two param groups."""

PEAK = (0.1,)
"""A base rate that equals the peak of the scheduler with one peak for every group."""

FLOOR = 1e-5
"""The absolute rate at the end of a decay, for every group."""


def rates(row: Row) -> Curves:
    """Step the class of pytorch-scheduler."""
    own = vars(import_module("pytorch_scheduler"))
    return stepped(row, {**vars(import_module("torch.optim.lr_scheduler")), **own})


def _row(
    name: str,
    olm: dict[str, Any],
    last: int,
    instead: str = "",
    base_lrs: tuple[float, ...] = BASES,
    **arguments: Any,
) -> Row:
    return Row(_call(name, arguments), olm, base_lrs, tuple(range(last + 1)), instead)


def _call(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(['optimizer', *(f'{k}={v!r}' for k, v in arguments.items())])})"


def _warmed(warmup_steps: int, then: dict[str, Any], **rise: Any) -> dict[str, Any]:
    """A rise to the base rate, by default from zero, and then another spec."""
    start = {} if "start_lr" in rise else {"start_factor": 0.0}
    up = _ramp(warmup_steps, **start, end_factor=1.0, **rise)
    return {"kind": "SequentialLR", "schedulers": [up, then], "milestones": [warmup_steps]}


def _ramp(total_steps: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _cosine(t_max: int, eta_min: float = FLOOR) -> dict[str, Any]:
    return {"kind": "CosineAnnealingLR", "T_max": t_max, "eta_min": eta_min}


def _decay(warmup_steps: int, total_steps: int, **fields: Any) -> dict[str, Any]:
    lengths = {"warmup_steps": warmup_steps, "total_steps": total_steps}
    return {"kind": "WarmupDecayLR", **lengths, **fields}


def _stable(warmup: int, total: int, decay_steps: int, **fields: Any) -> dict[str, Any]:
    lengths = {"warmup_steps": warmup, "total_steps": total, "decay_steps": decay_steps}
    return {"kind": "WarmupStableDecayLR", **lengths, **fields}


def _repeat(scheduler: dict[str, Any], period: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RepeatLR", "scheduler": scheduler, "period": period, **fields}


def _rex(total_steps: int) -> dict[str, Any]:
    return {"kind": "RexLR", "total_steps": total_steps}


def _cycle(length: int) -> dict[str, Any]:
    """A rise of three steps from an absolute floor, and half a cosine down to it."""
    return _warmed(3, _cosine(length - 3, 1e-3), start_lr=1e-3)


COSINE = "CosineWithWarmupScheduler"
STABLE = "WSDScheduler"
POLYNOMIAL = "PolynomialScheduler"
SLANTED = "SlantedTriangularScheduler"
POWER = "PowerDecayScheduler"
RESTARTS = "CosineAnnealingWarmupRestarts"

NO_RISE = (
    "pytorch-scheduler rounds the length of the rise down to zero, and still starts at the bottom "
    "for one step; olm starts at the peak"
)
DIPS = (
    "pytorch-scheduler is at the floor for the first step of each cycle, then near the peak; olm "
    "starts a cycle without warm-up at the peak"
)
LOWER = (
    "pytorch-scheduler passes the last rate of the warm-up to a recursive scheduler of torch, and "
    "never reaches the peak; the decay of olm starts at the base rate"
)

ROWS = [
    _row(COSINE, _warmed(5, _cosine(25)), 40, total_steps=30, warmup_steps=5, min_lr=FLOOR),
    _row(
        STABLE,
        _stable(5, 30, 10, decay="sqrt"),
        40,
        total_steps=30,
        warmup_steps=5,
        stable_steps=15,
        decay_type="sqrt",
    ),
    _row(
        "TrapezoidalScheduler",
        _stable(5, 30, 10, end_factor=0.01),
        40,
        base_lrs=(1e-3,),
        total_steps=30,
        warmup_steps=5,
        decay_steps=10,
        min_lr=FLOOR,
    ),
    _row(
        "FlatCosineScheduler",
        {"kind": "FlatCosineLR", "flat_steps": 21, "total_steps": 30},
        40,
        total_steps=30,
    ),
    _row(
        SLANTED,
        _decay(4, 40, decay="linear", start_factor=1 / 32, end_factor=1 / 32),
        50,
        total_steps=40,
    ),
    _row(SLANTED, _decay(0, 8, decay="linear", end_factor=1 / 32), 15, NO_RISE, total_steps=8),
    _row("RexScheduler", _rex(20), 30, total_steps=20),
    _row(
        "TanhDecayScheduler",
        {"kind": "TanhLR", "total_steps": 20, "lb": -3.0, "ub": 3.0, "end_lr": FLOOR},
        30,
        total_steps=20,
        min_lr=FLOOR,
    ),
    _row(
        POLYNOMIAL,
        _repeat(_decay(3, 15, decay="polynomial", power=2.0), 15),
        50,
        total_steps=15,
        power=2.0,
        warmup_steps=3,
        cycle=True,
    ),
    _row(
        "InverseSqrtScheduler",
        {"kind": "InverseSqrtLR", "warmup_steps": 6},
        50,
        warmup_steps=6,
    ),
    _row(POWER, {"kind": "PowerLR", "power": 0.5}, 40, total_steps=30),
    _row(
        POWER,
        _warmed(
            5,
            {
                "kind": "MaximumLR",
                "schedulers": [
                    {"kind": "PowerLR", "power": 1.0, "decay_steps": 5},
                    {"kind": "HoldLR", "fixed_lr": 1e-4},
                ],
            },
        ),
        50,
        base_lrs=(5e-4,),
        total_steps=30,
        warmup_steps=5,
        alpha=1.0,
        min_lr=1e-4,
    ),
    _row(
        RESTARTS,
        _repeat(_cycle(15), 15, shrink=0.5),
        50,
        base_lrs=PEAK,
        first_cycle_steps=15,
        warmup_steps=3,
        gamma=0.5,
    ),
    # Here, the warm-up does not grow with the cycle.
    _row(
        RESTARTS,
        {
            "kind": "PhasesLR",
            "schedulers": [_cycle(10), _cycle(20), _cycle(40)],
            "lengths": [10, 20, 40],
        },
        60,
        base_lrs=PEAK,
        first_cycle_steps=10,
        warmup_steps=3,
        cycle_mult=2.0,
    ),
    _row(
        RESTARTS,
        _repeat(_cosine(10, 1e-3), 10),
        40,
        DIPS,
        base_lrs=PEAK,
        first_cycle_steps=10,
    ),
    # An upper bound that is the number of steps leaves a straight line of the hyperbola, here on
    # a logarithmic scale.
    _row(
        "ExpHyperbolicLRScheduler",
        _ramp(20, end_lr=1e-6, space="log"),
        30,
        total_steps=20,
        upper_bound=20,
    ),
    Row(
        "WarmupScheduler(optimizer, RexScheduler(optimizer, total_steps=20), "
        "warmup_steps=6, warmup_type='cosine')",
        _warmed(6, _rex(20), ease="cosine"),
        BASES,
        tuple(range(36)),
    ),
    Row(
        "WarmupScheduler(optimizer, RexScheduler(optimizer, total_steps=20), "
        "warmup_steps=6, warmup_type='exponential')",
        _warmed(6, _rex(20), ease="power", power=2.0),
        BASES,
        tuple(range(36)),
    ),
    Row(
        "WarmupScheduler(optimizer, ExponentialLR(optimizer, gamma=0.9), warmup_steps=6)",
        _warmed(6, {"kind": "ExponentialLR", "gamma": 0.9}),
        BASES,
        tuple(range(30)),
        LOWER,
    ),
]

PEER = Peer(
    distribution="pytorch-scheduler",
    version="0.2.2",
    tolerance=1e-12,
    rows=ROWS,
    rates=rates,
    refused=[
        Refused(
            _call(RESTARTS, {"first_cycle_steps": 10, "cycle_mult": 0.5}),
            _repeat(_cosine(10, 1e-3), 10, growth=0.5),
            argument="growth",
            instead=(
                "pytorch-scheduler never returns once a cycle has no steps; olm requires that each "
                "cycle has at least one step"
            ),
        ),
        Refused(
            _call(
                STABLE,
                {"total_steps": 30, "warmup_steps": 5, "stable_steps": 15, "decay_type": "1-sqrt"},
            ),
            _stable(5, 30, 10, decay="1-sqrt"),
            argument="decay",
            instead=(
                "pytorch-scheduler treats every unknown word as 'sqrt'; olm reports the words that "
                "exist"
            ),
        ),
    ],
    needs=["torch", "numpy"],
    dependencies=False,
)
