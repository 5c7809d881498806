"""ColossalAI: torch's schedulers with `total_steps`, and the same after a warm-up or a hold."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._stepping import stepped
from peers._stubs import stub_module, stub_packages

BASES = (0.1, 3e-4)
"""The base rates of two param groups."""

Spec = dict[str, Any]


def rates(row: Row) -> Curves:
    """Step the class of ColossalAI."""
    return stepped(row, vars(_schedulers()))


@cache
def _schedulers() -> ModuleType:
    """The package of the schedulers, without the rest of ColossalAI and its requirements."""
    stub_packages("colossalai", "colossalai", "colossalai.nn")
    stub_module("colossalai.logging", get_dist_logger=None)
    return import_module("colossalai.nn.lr_scheduler")


def _text(name: str, **arguments: Any) -> str:
    written = (f"{key}={value!r}" for key, value in arguments.items())
    return f"{name}({', '.join(['optimizer', *written])})"


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _one_cycle(total: int, **more: Any) -> Spec:
    return {"kind": "OneCycleLR", "max_lr": BASES[0], "total_steps": total, **more}


def _warm(steps: int, after: Spec) -> Spec:
    warmup = {"kind": "WarmupLR", "warmup_steps": steps}
    return {"kind": "SequentialLR", "schedulers": [warmup, after], "milestones": [steps]}


def _linear(total: int, warmup: int) -> Spec:
    """A warm-up that would end one step later, and a decay."""
    up = {"start_factor": 0.0, "end_factor": 1.0, "offset": 1}
    schedulers = [
        {"kind": "RampLR", "total_steps": warmup + 1, **up},
        {"kind": "RampLR", "total_steps": total - warmup},
    ]
    return {"kind": "SequentialLR", "schedulers": schedulers, "milestones": [warmup]}


def _cosine(total: int, low: float = 0.0) -> Spec:
    return {"kind": "CosineAnnealingLR", "T_max": total, "eta_min": low}


def _polynomial(total: int, power: float, low: float) -> Spec:
    shape = {"ease": "polynomial", "power": power, "end_lr": low}
    return {"kind": "RampLR", "total_steps": total, **shape}


RISES = "ColossalAI rises again after total_steps; olm stays at eta_min"
NEGATIVE = "ColossalAI goes below zero after total_steps; olm stays at zero"
ABOVE = (
    "ColossalAI starts the cosine above the base rate, by the recursion of torch, and stays too "
    "high; olm starts it at the base rate"
)
IGNORED = "ColossalAI silently ignores three_phase; olm applies it"

CLOSED = [
    Row(_text("LinearWarmupLR", total_steps=30, warmup_steps=5), _linear(30, 5), BASES, _up_to(30)),
    Row(
        _text("LinearWarmupLR", total_steps=30, warmup_steps=5),
        _linear(30, 5),
        BASES,
        _up_to(40),
        NEGATIVE,
    ),
    Row(
        _text("PolynomialLR", total_steps=20, power=2.0),
        _polynomial(20, 2.0, 1e-4),
        BASES,
        _up_to(30),
    ),
    Row(
        _text("PolynomialWarmupLR", total_steps=30, warmup_steps=5, end_lr=1e-5, power=0.9),
        _warm(5, _polynomial(25, 0.9, 1e-5)),
        BASES,
        _up_to(40),
    ),
]

TORCH = [
    Row(
        _text("StepLR", total_steps=30, step_size=8, gamma=0.5),
        {"kind": "StepLR", "step_size": 8, "gamma": 0.5},
        BASES,
        _up_to(40),
    ),
    Row(
        _text("MultiStepLR", total_steps=30, milestones=[6, 18]),
        {"kind": "MultiStepLR", "milestones": [6, 18]},
        BASES,
        _up_to(40),
    ),
    Row(
        _text("MultiStepWarmupLR", total_steps=30, warmup_steps=5, milestones=[2, 10, 20]),
        _warm(5, {"kind": "MultiStepLR", "milestones": [5, 15]}),
        BASES,
        _up_to(40),
    ),
    Row(
        _text("ExponentialLR", total_steps=30, gamma=0.9),
        {"kind": "ExponentialLR", "gamma": 0.9},
        BASES,
        _up_to(40),
    ),
    Row(
        _text("CosineAnnealingLR", total_steps=20, eta_min=1e-5),
        _cosine(20, 1e-5),
        BASES,
        _up_to(20),
    ),
    Row(
        _text("CosineAnnealingLR", total_steps=20, eta_min=1e-5),
        _cosine(20, 1e-5),
        BASES,
        _up_to(40),
        RISES,
    ),
    Row(
        _text("OneCycleLR", total_steps=30, cycle_momentum=False),
        _one_cycle(30),
        BASES[:1],
        _up_to(29),
    ),
    Row(
        _text("OneCycleLR", total_steps=30, cycle_momentum=False, three_phase=True),
        _one_cycle(30, three_phase=True),
        BASES[:1],
        _up_to(29),
        IGNORED,
    ),
]

ANNEALED = [
    Row(
        _text("CosineAnnealingWarmupLR", total_steps=30, warmup_steps=5, eta_min=1e-5),
        _warm(5, _cosine(25, 1e-5)),
        BASES,
        _up_to(30),
        ABOVE,
    ),
    Row(
        _text("FlatAnnealingLR", total_steps=25),
        {"kind": "FlatCosineLR", "flat_steps": 18, "total_steps": 25},
        BASES,
        _up_to(25),
        ABOVE,
    ),
    Row(
        _text("FlatAnnealingWarmupLR", total_steps=30, warmup_steps=5),
        _warm(5, {"kind": "FlatCosineLR", "flat_steps": 18, "total_steps": 25}),
        BASES,
        _up_to(30),
        ABOVE,
    ),
]

PEER = Peer(
    distribution="colossalai",
    version="0.5.0",
    tolerance=1e-11,
    rows=[*CLOSED, *TORCH, *ANNEALED],
    rates=rates,
    refused=[
        Refused(
            _text("FlatAnnealingLR", total_steps=25, pct_start=1.0),
            {"kind": "FlatCosineLR", "flat_steps": 25, "total_steps": 25},
            argument="flat_steps",
            instead=(
                "ColossalAI divides by zero at the end; olm requires a cosine of at least one step"
            ),
        ),
    ],
    needs=["torch", "numpy", "packaging"],
    dependencies=False,
)
