"""mmengine: schedulers that are active from `begin` to `end`, several of them on one optimizer.

It computes each rate from the previous one, as torch does. `end` is the step after the last one
that a scheduler sets: ramps reach their end one step earlier, and the rate then holds.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._stepping import stepped

BASES = (0.1, 3e-4)


class _Together:
    """Schedulers that are stepped one after another, as by mmengine's runner."""

    def __init__(self, *schedulers: Any) -> None:
        self.schedulers = schedulers

    def step(self) -> None:
        """Take a step."""
        try:
            for scheduler in self.schedulers:
                scheduler.step()
        except ValueError as error:  # what mmengine raises after the last step of its OneCycleLR
            raise ArithmeticError from error


def rates(row: Row) -> Curves:
    """Step the classes of mmengine."""
    module = import_module("mmengine.optim.scheduler.lr_scheduler")
    together = replace(row, peer=f"_Together({row.peer})")
    return stepped(together, {**vars(module), "_Together": _Together})


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total_steps: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _time(scheduler: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"kind": "TimeLR", "scheduler": scheduler, **fields}


def _phases(lengths: list[int], *schedulers: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PhasesLR", "schedulers": [*schedulers], "lengths": lengths}


def _product(*schedulers: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "ChainedScheduler", "schedulers": [*schedulers]}


FREEZES = "mmengine stays at the rate of the last step before `end`; olm decays to the end"
DIVIDES = "mmengine divides by the factor at step {}; olm {}"

CONSTANT = [
    Row(
        "ConstantLR(optimizer, factor=0.5, begin=0, end=10)",
        {"kind": "ConstantLR", "factor": 0.5, "total_iters": 9},
        BASES,
        _up_to(18),
    ),
    Row("ConstantLR(optimizer)", {"kind": "HoldLR", "factor": 1 / 3}, BASES, _up_to(10)),
    Row(
        "ConstantLR(optimizer, factor=0.0, begin=0, end=5)",
        {"kind": "ConstantLR", "factor": 0.0, "total_iters": 4},
        BASES,
        _up_to(12),
        DIVIDES.format(4, "releases the base rate there"),
    ),
]

COSINE = [
    Row(
        "CosineAnnealingLR(optimizer, T_max=20, eta_min_ratio=0.1)",
        _ramp(20, end_factor=0.1, ease="cosine", past="mirror"),
        BASES,
        _up_to(50),
    ),
    Row(
        "CosineAnnealingLR(optimizer, T_max=20)",
        {"kind": "CosineAnnealingLR", "T_max": 20},
        BASES,
        _up_to(40),
        "mmengine rises again after T_max; olm stays at eta_min",
    ),
    Row(
        "CosineAnnealingLR(optimizer, eta_min=1e-5, begin=0, end=20)",
        _time({"kind": "CosineAnnealingLR", "T_max": 20, "eta_min": 1e-5}, last=19),
        BASES,
        _up_to(30),
    ),
    Row(
        "CosineAnnealingLR(optimizer, eta_min=1e-5, begin=0, end=20)",
        {"kind": "CosineAnnealingLR", "T_max": 20, "eta_min": 1e-5},
        BASES,
        _up_to(30),
        FREEZES,
    ),
]

WEIGHTS = (1.0, 0.5, 0.25)
PERIODS = (5, 10, 15)
RESTARTS = _phases(
    [*PERIODS],
    *(
        _ramp(period, start_factor=weight, end_lr=1e-5, ease="cosine")
        for period, weight in zip(PERIODS, WEIGHTS, strict=True)
    ),
)
RESTART_TEXT = f"periods={[*PERIODS]}, restart_weights={[*WEIGHTS]}, eta_min=1e-5"
DOUBLED = {
    "kind": "RepeatLR",
    "scheduler": _ramp(5, end_lr=1e-5, ease="cosine"),
    "period": 5,
    "growth": 2.0,
    "shrink": 0.5,
    "count": 3,
}

CYCLES = [
    Row(
        f"CosineRestartLR(optimizer, {RESTART_TEXT})",
        _time(RESTARTS, last=29),
        BASES,
        _up_to(40),
    ),
    Row(f"CosineRestartLR(optimizer, {RESTART_TEXT})", RESTARTS, BASES, _up_to(40), FREEZES),
    Row(
        "CosineRestartLR(optimizer, [5, 10, 20], [1.0, 0.5, 0.25], eta_min=1e-5)",
        _time(DOUBLED, last=34),
        BASES,
        _up_to(45),
    ),
    Row(
        "OneCycleLR(optimizer, eta_max=0.4, total_steps=30, pct_start=0.25)",
        {"kind": "OneCycleLR", "max_lr": 0.4, "total_steps": 30, "pct_start": 0.25},
        (0.1,),
        _up_to(29),
    ),
    Row(
        "OneCycleLR(optimizer, eta_max=0.4, begin=0, end=30, pct_start=0.4, "
        "anneal_strategy='linear', div_factor=10.0, final_div_factor=100.0, three_phase=True)",
        {
            "kind": "OneCycleLR",
            "max_lr": 0.4,
            "total_steps": 30,
            "pct_start": 0.4,
            "anneal_strategy": "linear",
            "div_factor": 10.0,
            "final_div_factor": 100.0,
            "three_phase": True,
        },
        (0.1,),
        _up_to(40),
    ),
    Row(
        "OneCycleLR(optimizer, eta_max=0.4, total_steps=30)",
        {"kind": "OneCycleLR", "max_lr": 0.4, "total_steps": 30},
        (0.1,),
        _up_to(40),
        "mmengine rises at the step after the last, then raises ValueError; olm holds the end",
    ),
]

RAMPS = [
    Row(
        "LinearLR(optimizer, start_factor=0.1, begin=0, end=11)",
        {"kind": "LinearFactorLR", "start_factor": 0.1, "end_factor": 1.0, "total_iters": 10},
        BASES,
        _up_to(20),
    ),
    Row(
        "LinearLR(optimizer, start_factor=0.9, end_factor=0.3, begin=6, end=16)",
        _phases([6, 9], {"kind": "HoldLR"}, _ramp(9, start_factor=0.9, end_factor=0.3)),
        BASES,
        _up_to(24),
    ),
    Row(
        "LinearLR(optimizer, start_factor=0.0, begin=0, end=5)",
        _ramp(4, start_factor=0.0, end_factor=1.0),
        BASES,
        _up_to(10),
        DIVIDES.format(1, "rises from zero"),
    ),
    Row(
        "PolyLR(optimizer, eta_min=1e-4, power=0.9, begin=0, end=21)",
        _ramp(20, end_lr=1e-4, ease="polynomial", power=0.9),
        BASES,
        _up_to(30),
    ),
]

STEPS = [
    Row(
        "StepLR(optimizer, step_size=5, gamma=0.5, begin=4, end=18)",
        _time({"kind": "StepLR", "step_size": 5, "gamma": 0.5}, shift=-4, last=13),
        BASES,
        _up_to(30),
    ),
    Row(
        "MultiStepLR(optimizer, milestones=[3, 8, 8], gamma=0.3)",
        {"kind": "MultiStepLR", "milestones": [3, 8, 8], "gamma": 0.3},
        BASES,
        _up_to(18),
    ),
    Row(
        "ExponentialLR(optimizer, gamma=0.9, begin=5, end=15)",
        _time({"kind": "ExponentialLR", "gamma": 0.9}, shift=-5, last=9),
        BASES,
        _up_to(25),
    ),
]

SEVERAL = [
    Row(
        "LinearLR(optimizer, start_factor=0.001, begin=0, end=10), "
        "CosineAnnealingLR(optimizer, eta_min_ratio=0.1, begin=10, end=40)",
        _phases(
            [10, 29],
            _ramp(9, start_factor=0.001, end_factor=1.0),
            _ramp(30, end_factor=0.1, ease="cosine"),
        ),
        BASES,
        _up_to(50),
    ),
    Row(
        "LinearLR.build_iter_from_epoch(optimizer, 0.001, begin=0, end=2, epoch_length=6), "
        "MultiStepLR.build_iter_from_epoch(optimizer, milestones=[3, 5], epoch_length=6)",
        _product(
            _ramp(11, start_factor=0.001, end_factor=1.0),
            {"kind": "MultiStepLR", "milestones": [18, 30]},
        ),
        BASES,
        _up_to(40),
    ),
    Row(
        "ConstantLR(optimizer, factor=0.5, begin=0, end=9), ExponentialLR(optimizer, gamma=0.9)",
        _product(
            {"kind": "ConstantLR", "factor": 0.5, "total_iters": 8},
            {"kind": "ExponentialLR", "gamma": 0.9},
        ),
        BASES,
        _up_to(20),
    ),
]

PEER = Peer(
    distribution="mmengine-lite",
    version="0.10.7",
    tolerance=1e-11,
    rows=[*CONSTANT, *COSINE, *CYCLES, *RAMPS, *STEPS, *SEVERAL],
    rates=rates,
    refused=[
        Refused(
            "PolyLR(optimizer, begin=0, end=1)",
            _ramp(0, ease="polynomial", power=1.0),
            argument="total_steps",
            instead="mmengine leaves the base rate forever; olm requires at least 1",
        ),
    ],
    # It imports packaging without requiring it.
    needs=["torch", "packaging"],
)
