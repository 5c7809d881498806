"""OLMo-core: its schedules, functions of the base rate, the step and the trainer's last step."""

from __future__ import annotations

import sys
import warnings
from functools import cache
from importlib import import_module
from importlib.metadata import distribution
from math import cos, pi
from types import ModuleType
from typing import Any

from peers import Curves, Peer, Refused, Row

Spec = dict[str, Any]

BASES = (0.1, 3e-4)
"""Two base rates; a row whose absolute rate depends on the base rate has only one."""


def rates(row: Row) -> Curves:
    """Call `get_lr` of OLMo-core at each step."""
    names = vars(_schedulers())
    # It warns that it ignores `t_max`.
    warnings.simplefilter("ignore")
    return [_curve(row, {**names, "initial_lr": base}) for base in row.base_lrs]


def _curve(row: Row, names: dict[str, Any]) -> list[float | None]:
    """The rates up to the first error, and None from there on."""
    curve: list[float | None] = []
    for step in row.steps:
        try:
            curve.append(float(eval(row.peer, {**names, "current": step})))
        except (ArithmeticError, AssertionError):
            break
    return curve + [None] * (len(row.steps) - len(curve))


@cache
def _schedulers() -> ModuleType:
    """`olmo_core.optim.scheduler`, without the models and the trainer."""
    from enum import StrEnum

    installed = distribution("ai2-olmo-core")
    for name in ("olmo_core", "olmo_core.optim", "olmo_core.distributed"):
        package = ModuleType(name)
        package.__path__ = [str(installed.locate_file(name.replace(".", "/")))]
        sys.modules[name] = package
    _stub(
        "olmo_core.config", Config=type("Config", (), {}), Registrable=_Registrable, StrEnum=StrEnum
    )
    _stub("olmo_core.distributed.utils", get_rank=lambda: 0)
    _stub("olmo_core.optim.config", INITIAL_LR_FIELD="initial_lr", LR_FIELD="lr")
    return import_module("olmo_core.optim.scheduler")


class _Registrable:
    """A class that accepts names for its subclasses and ignores them."""

    @classmethod
    def register(cls, name: str) -> Any:
        return lambda subclass: subclass


def _stub(name: str, **members: Any) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def _call(scheduler: str, t_max: int) -> str:
    """The call that returns the rate of a scheduler at a step."""
    return f"{scheduler}.get_lr(initial_lr, current, t_max={t_max})"


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total_steps: int, **fields: Any) -> Spec:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _hold(factor: float = 1.0) -> Spec:
    return {"kind": "HoldLR", "factor": factor}


def _later(scheduler: Spec) -> Spec:
    """The same, one step ahead."""
    return {"kind": "TimeLR", "scheduler": scheduler, "shift": 1}


def _phases(*phases: tuple[Spec, int]) -> Spec:
    schedulers, lengths = zip(*phases, strict=True)
    return {"kind": "PhasesLR", "schedulers": [*schedulers], "lengths": [*lengths]}


def _decay(warmup: int, total: int, decay: str, end_factor: float) -> Spec:
    lengths = {"warmup_steps": warmup, "total_steps": total}
    return {"kind": "WarmupDecayLR", **lengths, "decay": decay, "end_factor": end_factor}


def _trapezoid(warmup: int, total: int, decay: int) -> Spec:
    lengths = {"warmup_steps": warmup, "total_steps": total, "decay_steps": decay}
    return {"kind": "WarmupStableDecayLR", **lengths}


BELOW_ZERO = "OLMo-core continues below zero after t_max; olm stays at zero"
DIVIDES = (
    "OLMo-core divides by zero at step 0, which its own trainer skips; olm starts at the base rate"
)
RAISES = "OLMo-core raises AssertionError after t_max; olm stays at its last rate"

WARMUP = [
    Row(
        _call("ConstantWithWarmup(warmup_fraction=0.25, warmup_min_lr=1e-5)", 30),
        # OLMo-core rounds 7.5 steps to the even number.
        _ramp(8, start_lr=1e-5, end_factor=1.0),
        BASES,
        _up_to(38),
    ),
    Row(_call("ConstantWithWarmup(warmup=0)", 20), _hold(), BASES, _up_to(8), DIVIDES),
    Row(
        _call("ExponentialScheduler(lr_min=1e-7)", 20),
        _ramp(20, start_lr=1e-7, end_factor=1.0, space="log"),
        BASES,
        _up_to(28),
    ),
]

DECAY = [
    Row(
        # The trainer of OLMo-core counts its first step as 1.
        "LinearWithWarmup(warmup=5).get_lr(initial_lr, current + 1, t_max=30)",
        _later(_decay(5, 30, "linear", end_factor=0.1)),
        BASES,
        _up_to(40),
    ),
    Row(
        _call("CosWithWarmup(warmup_fraction=0.1, alpha_f=0.05)", 45),
        _decay(4, 45, "cosine", end_factor=0.05),
        BASES,
        _up_to(54),
    ),
    Row(
        # The warm-up reaches the middle of the cosine, where its second half begins.
        _call("HalfCosWithWarmup(warmup=5)", 30),
        _phases(
            (_ramp(5, start_factor=0.0, end_factor=0.55), 5),
            (_ramp(50, end_factor=0.1, ease="cosine", offset=25), 25),
        ),
        BASES,
        _up_to(40),
    ),
    Row(
        _call("InvSqrtWithWarmup(warmup=8, alpha_f=0.0)", 30),
        {"kind": "InverseSqrtLR", "warmup_steps": 8},
        BASES,
        _up_to(40),
    ),
    Row(
        _call("InvSqrtWithWarmup(warmup=8, alpha_f=0.1)", 30),
        {"kind": "InverseSqrtLR", "warmup_steps": 8, "end_factor": 0.1},
        BASES,
        _up_to(40),
    ),
]


STABLE = [
    Row(
        _call("WSD(warmup=5, decay=8, decay_fraction=None)", 30),
        _trapezoid(5, 30, 8),
        BASES,
        _up_to(40),
        BELOW_ZERO,
    ),
    Row(
        # Both fractions of 25 steps are 2.5, which OLMo-core rounds to 2.
        _call("WSD(warmup_fraction=0.1, warmup_min_lr=1e-5, decay_min_lr=2e-5)", 25),
        _phases(
            (_ramp(2, start_lr=1e-5, end_factor=1.0), 23),
            (_ramp(2, end_lr=2e-5), 2),
        ),
        BASES,
        _up_to(25),
    ),
    Row(
        _call("PowerLR(warmup=10, decay=8, decay_fraction=None)", 40),
        _phases(
            (_ramp(10, start_factor=0.0, end_factor=1.0), 10),
            # Ten steps in, 1 + (t - 10) / 10 is t / 10.
            ({"kind": "PowerLR", "power": 0.51, "decay_steps": 10}, 22),
            (_ramp(8, start_factor=(32 / 10) ** -0.51), 8),
        ),
        BASES,
        _up_to(40),
    ),
    Row(
        _call("CosWithWarmupAndLinearDecay(warmup=5, decay=6, decay_fraction=None)", 40),
        # Six steps before its end the cosine stops, and a line goes from there to zero.
        _phases(
            (_decay(5, 40, "cosine", end_factor=0.1), 34),
            (_ramp(6, start_factor=0.1 + 0.9 * (1 + cos(pi * 29 / 35)) / 2), 6),
        ),
        BASES,
        _up_to(40),
    ),
]

PERIODS = [
    Row(
        # Each period's last step is the trough, in place of the next one's step 0.
        _call("WSDS(period_lengths=[20, 15, 15], warmup=4, decay=5)", 50),
        _phases(
            (_trapezoid(4, 20, 5), 21),
            (_later(_trapezoid(0, 15, 5)), 15),
            (_later(_trapezoid(0, 15, 5)), 14),
        ),
        BASES,
        _up_to(58),
    ),
    Row(
        _call(
            "WSDS(period_lengths=[16, 20], period_lr_multipliers=[1.0, 0.5], warmup=4, "
            "decay_fraction=0.25, decay_min_lr=1e-5)",
            36,
        ),
        _phases(
            (_ramp(4, start_factor=0.0, end_factor=1.0), 12),
            (_ramp(4, end_lr=1e-5), 5),
            (_hold(0.5), 14),
            (_ramp(5, start_factor=0.5, end_lr=1e-5), 5),
        ),
        BASES,
        _up_to(44),
    ),
]

STAGES = (
    "ComposableScheduler(stages=["
    "ComposableSchedulerStage(duration=5, start_lr_fraction=0.0, end_lr_fraction=1.0), "
    "ComposableSchedulerStage(duration=12, end_lr_fraction=0.4, "
    "shape=ComposableSchedulerStageType.cosine), "
    "ComposableSchedulerStage(duration=10, start_lr=5e-5, end_lr=1e-5)], "
    "override_decay=OverrideDecay(start=21, duration=6, end_lr_fraction=0.1))"
)
"""A warm-up, half a cosine, and a line that starts at another rate and is cut off."""

TWICE = (
    "SequentialScheduler(schedulers=[LinearWithWarmup(warmup=4, alpha_f=0.5), "
    "LinearWithWarmup(warmup=4, alpha_f=0.2)], schedulers_max=[12])"
)
"""The second starts at half the base rate, where the first ends; its step 0 is never used."""

TWO = _phases(
    (_decay(4, 12, "linear", end_factor=0.5), 13),
    (
        {
            "kind": "ChainedScheduler",
            "schedulers": [_hold(0.5), _later(_decay(4, 18, "linear", end_factor=0.2))],
        },
        17,
    ),
)

COMPOSED = [
    Row(
        _call(STAGES, 27),
        _phases(
            (_ramp(5, start_factor=0.0, end_factor=1.0), 5),
            (_ramp(12, end_factor=0.4, ease="cosine"), 12),
            (_ramp(10, start_lr=5e-5, end_lr=1e-5), 4),
            # Four tenths of the way from 5e-5 to 1e-5, the override begins.
            (_ramp(6, start_lr=3.4e-5, end_factor=0.1), 6),
        ),
        BASES,
        _up_to(36),
    ),
    Row(_call(TWICE, 30), TWO, BASES, _up_to(30)),
    Row(_call(TWICE, 30), TWO, BASES, _up_to(38), RAISES),
]

PEER = Peer(
    distribution="ai2-olmo-core",
    version="3.0.0",
    tolerance=1e-12,
    rows=[*WARMUP, *DECAY, *STABLE, *PERIODS, *COMPOSED],
    rates=rates,
    refused=[
        Refused(
            _call("WSD(warmup=20, decay=20, decay_fraction=None)", 30),
            _trapezoid(20, 30, 20),
            argument="decay_steps",
            instead=(
                "OLMo-core skips the half of the decay that overlaps the warm-up, and jumps to the "
                "rest; olm requires a decay that fits"
            ),
        ),
        Refused(
            _call("LinearWithWarmup(warmup=30)", 20),
            _decay(30, 20, "linear", end_factor=0.1),
            argument="warmup_steps",
            instead=(
                "OLMo-core continues the warm-up after t_max and drops sharply; olm requires a "
                "warm-up below the total"
            ),
        ),
        Refused(
            _call("PowerLR(warmup=0, decay=8, decay_fraction=None)", 40),
            {"kind": "PowerLR", "power": 0.51, "decay_steps": 0},
            argument="decay_steps",
            instead="OLMo-core divides by zero at every step; olm requires at least 1",
        ),
    ],
    needs=["torch", "numpy"],
    dependencies=False,
)
