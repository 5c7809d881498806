"""pytorch-ignite: handlers that set the rate of the next step, in cycles by default.

`lr` in a configuration is the base rate. The handlers are called as at the start of an iteration,
which is where ignite's documentation attaches them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peers import Curves, Peer, Refused, Row

BASES = (0.1, 3e-4)


def rates(row: Row) -> Curves:
    """Call the handler of ignite at every step, on an optimizer for each base rate."""
    return [_curve(row, lr) for lr in row.base_lrs]


def _curve(row: Row, lr: float) -> list[float | None]:
    import torch

    module = import_module("ignite.handlers.param_scheduler")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    handler = eval(row.peer, {**vars(module), "optimizer": optimizer, "lr": lr})
    curve: list[float | None] = []
    for step in range(row.steps[-1] + 1):
        try:
            handler(None)
        except ZeroDivisionError:
            break
        if step in row.steps:
            curve.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
    return curve + [None] * (len(row.steps) - len(curve))


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total_steps: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _cosine(total_steps: int, **fields: Any) -> dict[str, Any]:
    return _ramp(total_steps, ease="cosine", **fields)


def _phases(lengths: list[int], *schedulers: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PhasesLR", "schedulers": [*schedulers], "lengths": lengths}


def _repeat(period: int, scheduler: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"kind": "RepeatLR", "scheduler": scheduler, "period": period, **fields}


def _sequence(milestone: int, first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "SequentialLR", "schedulers": [first, second], "milestones": [milestone]}


UP = _ramp(15, start_factor=0.0, end_factor=1.0)

LINEAR = [
    Row(
        "LinearCyclicalScheduler(optimizer, 'lr', lr, 0.1 * lr, cycle_size=20)",
        _ramp(10, end_factor=0.1, past="mirror"),
        BASES,
        _up_to(50),
    ),
    Row(
        "LinearCyclicalScheduler(optimizer, 'lr', lr, 0.5 * lr, cycle_size=15)",
        _repeat(15, {"kind": "MaximumLR", "schedulers": [_ramp(15), UP]}),
        BASES,
        _up_to(40),
    ),
    Row(
        "LinearCyclicalScheduler(optimizer, 'lr', 0.1 * lr, lr, cycle_size=12, monotonic=True)",
        _ramp(12, start_factor=0.1, end_factor=1.0, past="repeat"),
        BASES,
        _up_to(40),
    ),
    Row(
        "LinearCyclicalScheduler(optimizer, 'lr', lr, 0.1 * lr, cycle_size=8, cycle_mult=2.0, "
        "start_value_mult=0.5, end_value_mult=0.5)",
        _repeat(8, _ramp(4, end_factor=0.1, past="mirror"), growth=2.0, shrink=0.5),
        BASES,
        _up_to(58),
    ),
]

COSINE = [
    Row(
        "CosineAnnealingScheduler(optimizer, 'lr', lr, 1e-5, cycle_size=10)",
        {"kind": "CosineAnnealingWarmRestarts", "T_0": 10, "eta_min": 1e-5},
        BASES,
        _up_to(35),
    ),
    Row(
        "CosineAnnealingScheduler(optimizer, 'lr', lr, 1e-5, cycle_size=7, cycle_mult=2.0)",
        {"kind": "CosineAnnealingWarmRestarts", "T_0": 7, "T_mult": 2, "eta_min": 1e-5},
        BASES,
        _up_to(58),
    ),
    Row(
        "CosineAnnealingScheduler(optimizer, 'lr', lr, 0.1 * lr, cycle_size=10, cycle_mult=1.5)",
        _phases([10, 15, 22], *(_cosine(length, end_factor=0.1) for length in (10, 15, 22))),
        BASES,
        _up_to(46),
    ),
    Row(
        "CosineAnnealingScheduler(optimizer, 'lr', lr, 0.1 * lr, cycle_size=15, warmup_duration=5)",
        _repeat(
            20,
            _phases(
                [15, 5],
                _cosine(15, end_factor=0.1),
                _ramp(5, start_factor=0.1, end_factor=1.0),
            ),
        ),
        BASES,
        _up_to(50),
    ),
    Row(
        "CosineAnnealingScheduler(optimizer, 'lr', lr, 0.1 * lr, cycle_size=10, "
        "start_value_mult=0.5, warmup_duration=4)",
        _phases(
            [10, 4, 10, 4],
            _cosine(10, end_factor=0.1),
            _ramp(4, start_factor=0.1, end_factor=0.5),
            _cosine(10, start_factor=0.5, end_factor=0.1),
            _ramp(4, start_factor=0.1, end_factor=0.25),
        ),
        BASES,
        _up_to(27),
    ),
    Row(
        "CosineAnnealingScheduler(optimizer, 'lr', lr, 0.1 * lr, cycle_size=4, cycle_mult=0.5)",
        _repeat(4, _cosine(4, end_factor=0.1), growth=0.5, count=3),
        BASES,
        _up_to(15),
        "ignite divides by a cycle of no steps at step 7; olm holds the end of the third cycle",
    ),
]

DECAY = "CosineAnnealingScheduler(optimizer, 'lr', lr, 0.1 * lr, cycle_size=20)"
FALL = _cosine(20, end_factor=0.1, past="repeat")

PIECES = [
    Row(
        "PiecewiseLinear(optimizer, 'lr', [(5, lr), (10, 0.5 * lr), (24, 0.1 * lr)])",
        {
            "kind": "TableLR",
            "milestones": [5, 10, 24],
            "factors": [1.0, 0.5, 0.1],
            "between": "linear",
        },
        BASES,
        _up_to(33),
    ),
    Row(
        f"ConcatScheduler([LinearCyclicalScheduler(optimizer, 'lr', lr, 0.5 * lr, 6), {DECAY}], "
        "durations=[9])",
        _sequence(9, _ramp(3, end_factor=0.5, past="mirror"), FALL),
        BASES,
        _up_to(40),
    ),
    Row(
        f"create_lr_scheduler_with_warmup({DECAY}, warmup_start_value=0.0, warmup_duration=10)",
        _sequence(9, _ramp(9, start_factor=0.0, end_factor=1.0), FALL),
        BASES,
        _up_to(40),
    ),
    Row(
        f"create_lr_scheduler_with_warmup({DECAY}, 0.1 * lr, 10, warmup_end_value=2 * lr)",
        _sequence(10, _ramp(9, start_factor=0.1, end_factor=2.0), FALL),
        BASES,
        _up_to(40),
    ),
]

TORCH = "torch.optim.lr_scheduler"

WRAPPED = [
    Row(
        f"LRScheduler({TORCH}.StepLR(optimizer, step_size=5, gamma=0.5))",
        {"kind": "StepLR", "step_size": 5, "gamma": 0.5},
        BASES,
        _up_to(20),
    ),
    Row(
        f"create_lr_scheduler_with_warmup({TORCH}.ExponentialLR(optimizer, gamma=0.9), 0.0, 6)",
        _sequence(
            5,
            _ramp(5, start_factor=0.0, end_factor=1.0),
            {"kind": "ExponentialLR", "gamma": 0.9},
        ),
        BASES,
        _up_to(20),
    ),
    Row(
        f"LRScheduler({TORCH}.LinearLR(optimizer, start_factor=0.5, total_iters=4))",
        {"kind": "LinearFactorLR", "start_factor": 0.5, "end_factor": 1.0, "total_iters": 4},
        BASES,
        _up_to(15),
        (
            "ignite applies the first factor twice and rises to half the base rate; olm rises to "
            "the base rate"
        ),
    ),
    Row(
        f"LRScheduler({TORCH}.CosineAnnealingLR(optimizer, T_max=10))",
        {"kind": "CosineAnnealingLR", "T_max": 10},
        BASES,
        _up_to(20),
        (
            "ignite starts above the base rate and rises again after T_max; olm starts at the base "
            "rate and stays at eta_min"
        ),
    ),
    Row(
        f"LRScheduler({TORCH}.CosineAnnealingWarmRestarts(optimizer, T_0=10, eta_min=1e-5))",
        {"kind": "CosineAnnealingWarmRestarts", "T_0": 10, "eta_min": 1e-5},
        BASES,
        _up_to(35),
        "ignite starts at the second rate of the curve; olm starts at the base rate",
    ),
    Row(
        f"LRScheduler({TORCH}.CosineAnnealingWarmRestarts(optimizer, T_0=10, eta_min=1e-5))",
        {
            "kind": "TimeLR",
            "scheduler": {"kind": "CosineAnnealingWarmRestarts", "T_0": 10, "eta_min": 1e-5},
            "shift": 1,
        },
        BASES,
        _up_to(35),
    ),
]

PEER = Peer(
    distribution="pytorch-ignite",
    version="0.5.5",
    tolerance=1e-12,
    rows=[*LINEAR, *COSINE, *PIECES, *WRAPPED],
    rates=rates,
    refused=[
        Refused(
            "PiecewiseLinear(optimizer, 'lr', [(0, lr), (8, 0.5 * lr), (8, 0.1 * lr)])",
            {
                "kind": "TableLR",
                "milestones": [0, 8, 8],
                "factors": [1.0, 0.5, 0.1],
                "between": "linear",
            },
            argument="milestones",
            instead="ignite uses the last of two rates for one step; olm requires ascending steps",
        ),
    ],
    needs=["torch", "numpy"],
)
