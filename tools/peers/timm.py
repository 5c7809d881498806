"""timm: schedulers that are called with the step whose rate they set."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import distribution
from types import ModuleType
from typing import Any

from peers import Curves, Peer, Refused, Row, steps_around
from peers._stepping import stepped
from peers._timm_layer_decay import GROUPED, groups

BASES = (0.1, 3e-4)
"""The base rates of two param groups."""

FLOOR = 1e-5
"""The absolute rate at the end of a decay, for every group."""


class _Counting:
    """A scheduler of timm that counts its steps, as those of torch do."""

    def __init__(self, made_by: Callable[..., Any], *args: Any, **arguments: Any) -> None:
        self._scheduler = made_by(*args, **arguments)
        self._taken = 0

    def step(self) -> None:
        self._taken += 1
        self._scheduler.step(self._taken)


def rates(row: Row) -> Curves:
    """Step the class of timm."""
    names = vars(_schedulers())
    found = {name: cls for name, cls in names.items() if name.endswith("LRScheduler")}
    return stepped(row, {name: partial(_Counting, cls) for name, cls in found.items()})


def _schedulers() -> ModuleType:
    """`timm.scheduler`, without the models, which need torchvision."""
    package = ModuleType("timm")
    package.__path__ = [str(distribution("timm").locate_file("timm"))]
    sys.modules.setdefault("timm", package)
    return import_module("timm.scheduler")


def _row(
    name: str,
    olm: dict[str, Any],
    last: int,
    instead: str = "",
    base_lrs: tuple[float, ...] = BASES,
    **arguments: Any,
) -> Row:
    return Row(_call(name, arguments), olm, base_lrs, tuple(range(last + 1)), instead)


def _refused(
    name: str, olm: dict[str, Any], argument: str, instead: str, **arguments: Any
) -> Refused:
    return Refused(_call(name, arguments), olm, argument, instead)


def _call(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(['optimizer', *(f'{k}={v!r}' for k, v in arguments.items())])})"


def _warmed(warmup_t: int, then: dict[str, Any], init: float = 0.0) -> dict[str, Any]:
    """A rise from an absolute rate to the base rate, and then another spec."""
    return _sequence([_ramp(warmup_t, start_lr=init, end_factor=1.0), then], warmup_t)


def _sequence(schedulers: list[dict[str, Any]], milestone: int) -> dict[str, Any]:
    return {"kind": "SequentialLR", "schedulers": schedulers, "milestones": [milestone]}


def _ramp(total_steps: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _cosine(t_max: int, eta_min: float = 0.0) -> dict[str, Any]:
    return {"kind": "CosineAnnealingLR", "T_max": t_max, "eta_min": eta_min}


def _polynomial(total_steps: int, power: float) -> dict[str, Any]:
    return _ramp(total_steps, end_lr=FLOOR, ease="polynomial", power=power)


def _repeat(scheduler: dict[str, Any], period: int, count: int, **fields: Any) -> dict[str, Any]:
    cycles = {"scheduler": scheduler, "period": period, "count": count}
    return {"kind": "RepeatLR", **cycles, **fields}


def _later(scheduler: dict[str, Any], shift: int) -> dict[str, Any]:
    return {"kind": "TimeLR", "scheduler": scheduler, "shift": shift}


def _steps(step_size: int, gamma: float) -> dict[str, Any]:
    return {"kind": "StepLR", "step_size": step_size, "gamma": gamma}


def _milestones(milestones: list[int], gamma: float) -> dict[str, Any]:
    return {"kind": "MultiStepLR", "milestones": milestones, "gamma": gamma}


def _stable(total_steps: int, **fields: Any) -> dict[str, Any]:
    lengths = {"warmup_steps": 5, "total_steps": total_steps, "decay_steps": 10}
    return {"kind": "WarmupStableDecayLR", **lengths, **fields}


def _falling(power: float, timescale: int) -> dict[str, Any]:
    """A decay without end: `rsqrt` and `power` of timm."""
    return {"kind": "PowerLR", "power": power, "decay_steps": timescale}


COSINE = "CosineLRScheduler"
TANH = "TanhLRScheduler"
POLY = "PolyLRScheduler"
STEP = "StepLRScheduler"
MULTISTEP = "MultiStepLRScheduler"
STABLE = "WSDLRScheduler"

LATE = (
    "timm rounds a logarithm down at step 242, and is at the end of a cycle there; olm starts the "
    "next one"
)
NOT_YET = (
    "timm keeps the base rate until the first step is over; olm is on the curve, which starts "
    "slightly lower, from step 0 on"
)
CLIFF = "timm warms up past the end and drops to the end at once; olm requires a shorter warm-up"

ROWS = [
    _row(
        COSINE,
        _warmed(5, _cosine(20, FLOOR), init=1e-6),
        35,
        t_initial=20,
        lr_min=FLOOR,
        warmup_t=5,
        warmup_lr_init=1e-6,
        warmup_prefix=True,
    ),
    # The cosine also counts the steps of the warm-up: the rate jumps down at step 5.
    _row(COSINE, _warmed(5, _later(_cosine(20), 5)), 30, t_initial=20, warmup_t=5),
    _row(
        COSINE,
        _repeat(_cosine(10, FLOOR), 10, count=3, shrink=0.5),
        40,
        t_initial=10,
        lr_min=FLOOR,
        cycle_decay=0.5,
        cycle_limit=3,
    ),
    _row(
        COSINE,
        _warmed(4, _repeat(_cosine(6, FLOOR), 6, count=3, growth=2.0)),
        56,
        t_initial=6,
        lr_min=FLOOR,
        cycle_mul=2.0,
        cycle_limit=3,
        warmup_t=4,
        warmup_prefix=True,
    ),
    _row(
        COSINE,
        _repeat(_cosine(10), 10, count=3, growth=1.5, shrink=0.5),
        58,
        t_initial=10,
        cycle_mul=1.5,
        cycle_decay=0.5,
        cycle_limit=3,
    ),
    Row(
        _call(COSINE, {"t_initial": 2, "lr_min": FLOOR, "cycle_mul": 3.0, "cycle_limit": 6}),
        _repeat(_cosine(2, FLOOR), 2, count=6, growth=3.0),
        BASES,
        steps_around((0, 26, 80, 242, 728), 740, every=50),
        LATE,
    ),
    _row(
        TANH,
        _warmed(5, {"kind": "TanhLR", "total_steps": 20, "lb": -4.0, "ub": 2.0, "end_lr": FLOOR}),
        35,
        t_initial=20,
        lb=-4.0,
        ub=2.0,
        lr_min=FLOOR,
        warmup_t=5,
        warmup_prefix=True,
    ),
    _row(TANH, {"kind": "TanhLR", "total_steps": 20}, 30, NOT_YET, t_initial=20),
    _row(POLY, _polynomial(20, 0.5), 30, t_initial=20, lr_min=FLOOR),
    _row(
        POLY,
        _repeat(_polynomial(15, 2.0), 15, count=2, shrink=0.5),
        40,
        t_initial=15,
        power=2.0,
        lr_min=FLOOR,
        cycle_decay=0.5,
        cycle_limit=2,
    ),
    _row(POLY, _ramp(20, ease="power", power=2.0), 30, t_initial=20, power=1.0, k_decay=2.0),
    _row(
        STEP,
        _warmed(5, _steps(8, 0.5), init=1e-6),
        40,
        decay_t=8,
        decay_rate=0.5,
        warmup_t=5,
        warmup_lr_init=1e-6,
    ),
    _row(
        STEP,
        _warmed(5, _later(_steps(8, 0.5), 5)),
        40,
        decay_t=8,
        decay_rate=0.5,
        warmup_t=5,
        warmup_prefix=False,
    ),
    # In these, timm is one step ahead of torch.
    _row(
        MULTISTEP,
        _later(_milestones([10, 15, 22], 0.1), 1),
        30,
        decay_t=[10, 15, 22],
        decay_rate=0.1,
    ),
    _row(
        MULTISTEP,
        _warmed(5, _later(_milestones([10, 15], 0.1), 1)),
        30,
        decay_t=[10, 15],
        decay_rate=0.1,
        warmup_t=5,
    ),
    _row(STABLE, _stable(35, decay="sqrt"), 45, t_initial=30, decay_t=10, warmup_t=5),
    _row(
        STABLE,
        _stable(35, decay="exponential", decay_ratio=0.1, start_factor=1e-3, end_factor=0.01),
        45,
        base_lrs=(1e-3,),
        t_initial=30,
        decay_t=10,
        decay_fn="exp",
        lr_min=FLOOR,
        warmup_t=5,
        warmup_lr_init=1e-6,
    ),
    _row(
        STABLE,
        _warmed(
            5,
            {
                "kind": "ChainedScheduler",
                "schedulers": [
                    _falling(0.5, 5),
                    _sequence([{"kind": "HoldLR"}, _ramp(10)], 20),
                ],
            },
        ),
        45,
        t_initial=30,
        decay_t=10,
        stable_fn="rsqrt",
        decay_fn="linear",
        warmup_t=5,
    ),
    _row(
        STABLE,
        _warmed(
            5,
            {
                "kind": "MaximumLR",
                "schedulers": [_falling(2.0, 5), {"kind": "HoldLR", "fixed_lr": 1e-4}],
            },
        ),
        45,
        base_lrs=(1e-3,),
        t_initial=30,
        decay_t=10,
        stable_fn="power",
        stable_power=2.0,
        decay_fn="cosine",
        lr_min=1e-4,
        warmup_t=5,
    ),
]

PEER = Peer(
    distribution="timm",
    version="1.0.31",
    tolerance=1e-12,
    rows=ROWS,
    rates=rates,
    grouped=GROUPED,
    groups=groups,
    refused=[
        _refused(
            COSINE,
            {"kind": "WarmupDecayLR", "warmup_steps": 10, "total_steps": 5},
            "warmup_steps",
            CLIFF,
            t_initial=5,
            warmup_t=10,
        ),
        _refused(
            MULTISTEP,
            _later(_milestones([15, 10], 0.1), 1),
            "milestones",
            "timm drops twice at the earlier milestone; olm requires ascending milestones",
            decay_t=[15, 10],
            decay_rate=0.1,
        ),
        _refused(
            STEP,
            _steps(8, -0.5),
            "gamma",
            "timm returns negative rates; olm requires at least 0",
            decay_t=8,
            decay_rate=-0.5,
        ),
    ],
    needs=["torch", "numpy"],
    dependencies=False,
)
