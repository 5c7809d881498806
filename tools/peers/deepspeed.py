"""DeepSpeed: five schedulers; the first two steps of their warm-ups have the same rate."""

from __future__ import annotations

import logging
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
    """Step the class of DeepSpeed."""
    return stepped(row, vars(_schedules()))


@cache
def _schedules() -> ModuleType:
    """The module of the schedulers, without the rest of DeepSpeed, which compiles and logs."""
    stub_packages("deepspeed", "deepspeed", "deepspeed.runtime")
    logger = logging.getLogger("deepspeed")
    logger.setLevel(logging.ERROR)
    stub_module("deepspeed.utils", logger=logger)
    return import_module("deepspeed.runtime.lr_schedules")


def _text(name: str, **arguments: Any) -> str:
    written = (f"{key}={value!r}" for key, value in arguments.items())
    return f"{name}({', '.join(['optimizer', *written])})"


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _late(scheduler: Spec) -> Spec:
    """The same spec, one step late: DeepSpeed is at step 0 before and after its first step."""
    return {"kind": "TimeLR", "scheduler": scheduler, "shift": -1}


def _every(steps: int, scheduler: Spec) -> Spec:
    return {"kind": "TimeLR", "scheduler": scheduler, "every": steps}


def _phases(*parts: tuple[Spec, int]) -> Spec:
    specs, lengths = zip(*parts, strict=True)
    return {"kind": "PhasesLR", "schedulers": [*specs], "lengths": [*lengths]}


def _ramp(total: int, **more: Any) -> Spec:
    return {"kind": "RampLR", "total_steps": total, **more}


def _logarithmic(steps: int, **start: float) -> Spec:
    """A warm-up by the logarithm of the step, which ends one step early."""
    return _ramp(steps - 1, **start, end_factor=1.0, ease="logarithmic")


def _cosine(steps: int, low: float) -> Spec:
    """The decay of WarmupCosineLR, whose first step is already below the base rate."""
    return _ramp(steps, end_factor=low, ease="cosine", offset=1)


def _cycle(up: Spec, down: Spec, tail: Spec) -> Spec:
    """10 steps up, 20 down, and a tail without end."""
    return {"kind": "SequentialLR", "schedulers": [up, down, tail], "milestones": [10, 30]}


UP = _ramp(10, start_lr=0.01, end_factor=1.0)
DOWN = _ramp(20, end_lr=0.01)
LOW = {"kind": "HoldLR", "fixed_lr": 0.01}
CYCLE = {
    "cycle_min_lr": 0.01,
    "cycle_max_lr": 0.1,
    "cycle_first_step_size": 10,
    "cycle_second_step_size": 20,
    "cycle_momentum": False,
}

TWO = "DeepSpeed warms up for two steps if one is configured; olm for one"
ZERO = (
    "DeepSpeed takes its first step at zero, whatever warmup_min_ratio is; olm starts at that ratio"
)

WARM = [
    Row(
        _text("WarmupLR", warmup_num_steps=10, warmup_type="linear"),
        _late(_ramp(10, start_factor=0.0, end_factor=1.0)),
        BASES,
        _up_to(20),
    ),
    Row(
        _text("WarmupLR", warmup_min_lr=1e-5, warmup_max_lr=0.1, warmup_num_steps=20),
        _late(_logarithmic(20, start_lr=1e-5)),
        BASES[:1],
        _up_to(30),
    ),
    Row(
        _text("WarmupLR", warmup_num_steps=1, warmup_type="linear"),
        _late(_ramp(2, start_factor=0.0, end_factor=1.0)),
        BASES,
        _up_to(10),
    ),
    Row(
        _text("WarmupLR", warmup_num_steps=1, warmup_type="linear"),
        _late(_ramp(1, start_factor=0.0, end_factor=1.0)),
        BASES,
        _up_to(10),
        TWO,
    ),
]

DECAY = [
    Row(
        _text(
            "WarmupDecayLR",
            total_num_steps=40,
            warmup_max_lr=None,
            warmup_num_steps=10,
            warmup_type="linear",
        ),
        _late({"kind": "WarmupDecayLR", "warmup_steps": 10, "total_steps": 40, "decay": "linear"}),
        BASES,
        _up_to(50),
    ),
    Row(
        _text(
            "WarmupDecayLR",
            total_num_steps=30,
            warmup_min_lr=1e-5,
            warmup_max_lr=0.1,
            warmup_num_steps=10,
        ),
        _late(
            _phases(
                (_logarithmic(10, start_lr=1e-5), 10),
                ({"kind": "LinearLR", "total_steps": 20, "end_lr": 1e-5}, 20),
            )
        ),
        BASES[:1],
        _up_to(40),
    ),
]

COSINE = [
    Row(
        _text("WarmupCosineLR", total_num_steps=40, warmup_num_steps=10),
        _late(_phases((_logarithmic(10, start_factor=0.0), 10), (_cosine(30, 0.0001), 30))),
        BASES,
        _up_to(50),
    ),
    Row(
        _text(
            "WarmupCosineLR",
            total_num_steps=30,
            warmup_num_steps=5,
            cos_min_ratio=0.1,
            warmup_type="linear",
        ),
        _late(_phases((_ramp(5, start_factor=0.0, end_factor=1.0), 5), (_cosine(25, 0.1), 25))),
        BASES,
        _up_to(40),
    ),
    Row(
        _text("WarmupCosineLR", total_num_steps=30, warmup_min_ratio=0.1, warmup_num_steps=5),
        _late(_phases((_logarithmic(5, start_factor=0.1), 5), (_cosine(25, 0.0001), 25))),
        BASES,
        _up_to(40),
        ZERO,
    ),
]

RANGE = _ramp(10, start_lr=0.001, end_lr=0.003, past="extrapolate")

TEST = [
    Row(
        _text(
            "LRRangeTest",
            lr_range_test_min_lr=0.001,
            lr_range_test_step_size=10,
            lr_range_test_step_rate=2.0,
        ),
        RANGE,
        BASES,
        _up_to(50),
    ),
    Row(
        _text(
            "LRRangeTest",
            lr_range_test_min_lr=0.001,
            lr_range_test_step_size=10,
            lr_range_test_step_rate=2.0,
            lr_range_test_staircase=True,
        ),
        _every(10, RANGE),
        BASES,
        _up_to(50),
    ),
]

ONE_CYCLE = [
    Row(_text("OneCycle", **CYCLE), _cycle(UP, DOWN, LOW), BASES[:1], _up_to(40)),
    Row(
        _text("OneCycle", **CYCLE, decay_step_size=5, decay_lr_rate=0.5),
        _cycle(
            UP,
            DOWN,
            _ramp(5, start_lr=0.01, end_lr=0.01 / 1.5, space="inverse", past="extrapolate"),
        ),
        BASES[:1],
        _up_to(55),
    ),
    Row(
        _text("OneCycle", **CYCLE, cycle_first_stair_count=5, cycle_second_stair_count=4),
        _cycle(_every(2, UP), {"kind": "TimeLR", "scheduler": _every(5, DOWN), "shift": 4}, LOW),
        BASES[:1],
        _up_to(40),
    ),
]

PEER = Peer(
    distribution="deepspeed",
    version="0.19.8",
    tolerance=1e-12,
    rows=[*WARM, *DECAY, *COSINE, *TEST, *ONE_CYCLE],
    rates=rates,
    refused=[
        Refused(
            _text("WarmupLR", warmup_num_steps=10, warmup_type="exponential"),
            _late(_ramp(10, start_factor=0.0, end_factor=1.0, ease="exponential")),
            argument="ease",
            instead=(
                "DeepSpeed uses the logarithm and logs that it does; olm reports the shapes that "
                "exist"
            ),
        ),
        Refused(
            _text("WarmupDecayLR", total_num_steps=10, warmup_num_steps=10, warmup_type="linear"),
            _late(
                {"kind": "WarmupDecayLR", "warmup_steps": 10, "total_steps": 10, "decay": "linear"}
            ),
            argument="warmup_steps",
            instead=(
                "DeepSpeed falls from the last step of the warm-up to zero; olm requires that the "
                "decay ends after the warm-up"
            ),
        ),
    ],
    needs=["torch", "numpy"],
    dependencies=False,
)
