"""transformers: the schedules of its Trainer, functions that return a LambdaLR of torch."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import distribution
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from peers import Curves, Peer, Refused, Row
from peers._stepping import stepped
from peers._transformers_durations import DURATIONS, answers

BASES = (0.1, 3e-4)
"""The base rates of two param groups."""

DEFAULT = (1e-3,)
"""The default rate of SGD in torch, by which transformers divides absolute rates."""


def rates(row: Row) -> Curves:
    """Step the scheduler that the function of transformers returns."""
    return stepped(row, vars(_optimization()))


def _optimization() -> ModuleType:
    """`transformers.optimization`, without the rest of transformers and its requirements."""
    package = ModuleType("transformers")
    package.__path__ = [str(distribution("transformers").locate_file("transformers"))]
    absent = ("trainer_pt_utils", "trainer_utils", "utils")
    sys.modules.setdefault("transformers", package)
    for name in absent:
        sys.modules.setdefault(f"transformers.{name}", MagicMock())
    return import_module("transformers.optimization")


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _row(
    name: str,
    olm: dict[str, Any],
    base_lrs: tuple[float, ...],
    last: int,
    instead: str = "",
    **arguments: Any,
) -> Row:
    return Row(_call(name, arguments), olm, base_lrs, _up_to(last), instead)


def _call(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(['optimizer', *(f'{k}={v!r}' for k, v in arguments.items())])})"


def _warmed(warmup_steps: int, then: dict[str, Any]) -> dict[str, Any]:
    """A rise from zero, and then another spec."""
    rise = _ramp(warmup_steps, start_factor=0.0, end_factor=1.0)
    return _sequence([rise, then], warmup_steps)


def _sequence(schedulers: list[dict[str, Any]], milestone: int) -> dict[str, Any]:
    return {"kind": "SequentialLR", "schedulers": schedulers, "milestones": [milestone]}


def _ramp(total_steps: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _stable(warmup: int, total: int, decay_steps: int, **fields: Any) -> dict[str, Any]:
    lengths = {"warmup_steps": warmup, "total_steps": total, "decay_steps": decay_steps}
    return {"kind": "WarmupStableDecayLR", **lengths, **fields}


def _decay(warmup_steps: int, total_steps: int, **fields: Any) -> dict[str, Any]:
    lengths = {"warmup_steps": warmup_steps, "total_steps": total_steps}
    return {"kind": "WarmupDecayLR", **lengths, **fields}


def _restarts(period: int, count: int) -> dict[str, Any]:
    cycle = {"kind": "CosineAnnealingLR", "T_max": period}
    return {"kind": "RepeatLR", "scheduler": cycle, "period": period, "count": count}


def _refused(
    name: str, olm: dict[str, Any], argument: str, instead: str, **arguments: Any
) -> Refused:
    return Refused(_call(name, arguments), olm, argument, instead)


LINEAR = "get_linear_schedule_with_warmup"
COSINE = "get_cosine_schedule_with_warmup"
RESTARTS = "get_cosine_with_hard_restarts_schedule_with_warmup"
POLYNOMIAL = "get_polynomial_decay_schedule_with_warmup"
INVERSE_SQRT = "get_inverse_sqrt_schedule"
MIN_LR = "get_cosine_with_min_lr_schedule_with_warmup"
WARMUP_RATE = "get_cosine_with_min_lr_schedule_with_warmup_lr_rate"
STABLE = "get_wsd_schedule"

RISES = "transformers rises again after the last training step; olm stays at the end"
LATE = (
    "transformers rounds the position in the cycle down at step 34, and is at zero where a cycle "
    "begins; olm is at the base rate there"
)
OTHERS = (
    "transformers divides the absolute rate by the default rate of the optimizer, so that groups "
    "with their own rate end elsewhere; olm ends each group at the specified rate"
)
JUMPS = (
    "transformers is back at the base rate when the decay ends, and jumps down from there; "
    "olm ends half a wave earlier"
)
CLIFF = (
    "transformers warms up past the end and drops to the end at once; olm requires a shorter "
    "warm-up"
)

ROWS = [
    Row("get_constant_schedule(optimizer)", {"kind": "HoldLR"}, BASES, _up_to(10)),
    _row(
        "get_constant_schedule_with_warmup",
        _ramp(6, start_factor=0.0, end_factor=1.0),
        BASES,
        15,
        num_warmup_steps=6,
    ),
    _row(
        LINEAR,
        _decay(5, 30, decay="linear"),
        BASES,
        40,
        num_warmup_steps=5,
        num_training_steps=30,
    ),
    _row(COSINE, _decay(5, 30), BASES, 30, num_warmup_steps=5, num_training_steps=30),
    _row(COSINE, _decay(5, 30), BASES, 40, RISES, num_warmup_steps=5, num_training_steps=30),
    # Back and forth over 10 steps, without end, as transformers does.
    _row(
        COSINE,
        _warmed(5, _ramp(10, ease="cosine", past="mirror")),
        BASES,
        50,
        num_warmup_steps=5,
        num_training_steps=35,
        num_cycles=1.5,
    ),
    _row(
        RESTARTS,
        _warmed(5, _restarts(10, count=3)),
        BASES,
        45,
        num_warmup_steps=5,
        num_training_steps=35,
        num_cycles=3,
    ),
    _row(
        RESTARTS,
        _warmed(4, _restarts(2, count=22)),
        BASES,
        56,
        LATE,
        num_warmup_steps=4,
        num_training_steps=48,
        num_cycles=22,
    ),
    _row(
        POLYNOMIAL,
        _warmed(5, _ramp(25, end_lr=1e-5, ease="polynomial", power=3.0)),
        DEFAULT,
        40,
        num_warmup_steps=5,
        num_training_steps=30,
        lr_end=1e-5,
        power=3.0,
    ),
    _row(
        POLYNOMIAL,
        _warmed(5, _ramp(25, end_lr=1e-5)),
        BASES,
        40,
        OTHERS,
        num_warmup_steps=5,
        num_training_steps=30,
        lr_end=1e-5,
    ),
    _row(
        INVERSE_SQRT,
        {"kind": "InverseSqrtLR", "warmup_steps": 6},
        BASES,
        50,
        num_warmup_steps=6,
    ),
    _row(
        INVERSE_SQRT,
        {"kind": "InverseSqrtLR", "warmup_steps": 6, "timescale": 20},
        BASES,
        50,
        num_warmup_steps=6,
        timescale=20,
    ),
    _row(
        MIN_LR,
        _decay(5, 30, end_factor=0.1),
        BASES,
        30,
        num_warmup_steps=5,
        num_training_steps=30,
        min_lr_rate=0.1,
    ),
    # Here, the warm-up and the cosine are one step ahead and end one step early.
    _row(
        WARMUP_RATE,
        _sequence(
            [
                {"kind": "WarmupLR", "warmup_steps": 5},
                _ramp(25, end_factor=0.1, ease="cosine", offset=1),
            ],
            5,
        ),
        BASES,
        29,
        num_warmup_steps=5,
        num_training_steps=30,
        min_lr_rate=0.1,
    ),
    _row(
        WARMUP_RATE,
        _sequence(
            [
                _ramp(4, start_factor=0.2, end_factor=1.0),
                _ramp(25, end_factor=0.1, ease="cosine", offset=1),
            ],
            5,
        ),
        BASES,
        29,
        num_warmup_steps=5,
        num_training_steps=30,
        min_lr_rate=0.1,
        warmup_lr_rate=0.2,
    ),
    _row(
        STABLE,
        _stable(5, 30, 10, decay="cosine"),
        BASES,
        40,
        num_warmup_steps=5,
        num_decay_steps=10,
        num_training_steps=30,
    ),
    _row(
        STABLE,
        _sequence(
            [
                _ramp(8, start_factor=0.1, end_factor=1.0, ease="cosine"),
                _stable(0, 22, 10, decay="sqrt", end_factor=0.1),
            ],
            8,
        ),
        BASES,
        40,
        num_warmup_steps=8,
        num_decay_steps=10,
        num_training_steps=30,
        warmup_type="cosine",
        decay_type="1-sqrt",
        min_lr_ratio=0.1,
    ),
    _row(
        STABLE,
        _sequence(
            [
                _ramp(8, start_factor=0.0, end_factor=1.0, ease="polynomial", power=0.5),
                _stable(0, 22, 10, decay="linear"),
            ],
            8,
        ),
        BASES,
        40,
        num_warmup_steps=8,
        num_decay_steps=10,
        num_training_steps=30,
        warmup_type="1-sqrt",
        decay_type="linear",
    ),
    _row(
        STABLE,
        _stable(5, 25, 5, decay="cosine", end_factor=0.1, start_factor=0.1),
        BASES,
        40,
        JUMPS,
        num_warmup_steps=5,
        num_decay_steps=10,
        num_training_steps=30,
        min_lr_ratio=0.1,
        num_cycles=1.0,
    ),
]


PEER = Peer(
    distribution="transformers",
    version="5.23.0",
    tolerance=1e-12,
    rows=ROWS,
    rates=rates,
    refused=[
        _refused(
            LINEAR,
            _decay(30, 20, decay="linear"),
            "warmup_steps",
            CLIFF,
            num_warmup_steps=30,
            num_training_steps=20,
        ),
        _refused(
            POLYNOMIAL,
            _decay(20, 20, decay="linear"),
            "warmup_steps",
            "transformers divides by zero at step 20; olm requires a shorter warm-up",
            num_warmup_steps=20,
            num_training_steps=20,
        ),
        _refused(
            STABLE,
            _stable(15, 20, 10),
            "decay_steps",
            "transformers jumps into the decay half way; olm requires parts that fit the total",
            num_warmup_steps=15,
            num_decay_steps=10,
            num_training_steps=20,
        ),
    ],
    durations=DURATIONS,
    answers=answers,
    needs=["torch", "numpy"],
    dependencies=False,
)
