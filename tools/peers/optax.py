"""optax: schedules that are functions of the step, computed by jax in float32.

`lr` in a configuration is the base rate. Close to zero, float32 has fewer digits than the tolerance
needs, so that most curves here end above zero.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._functions import called

BASES = (0.1, 3e-4)


def rates(row: Row) -> Curves:
    """Call the function of optax with each step."""
    return called(row, vars(import_module("optax.schedules")))


def _exported(text: str, steps: int) -> list[float]:
    """The rates of the schedule in a module."""
    names: dict[str, Any] = {}
    exec(text, names)
    return [float(names["schedule"](step)) for step in range(steps)]


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total_steps: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _warmup(total_steps: int, start_factor: float = 0.0) -> dict[str, Any]:
    return _ramp(total_steps, start_factor=start_factor, end_factor=1.0)


def _later(steps: int, scheduler: dict[str, Any]) -> dict[str, Any]:
    """The same spec, which holds its first rate for a few more steps."""
    return {"kind": "TimeLR", "scheduler": scheduler, "shift": -steps}


def _table(milestones: list[int], factors: list[float], between: str = "hold") -> dict[str, Any]:
    return {"kind": "TableLR", "milestones": milestones, "factors": factors, "between": between}


def _phases(lengths: list[int], *schedulers: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PhasesLR", "schedulers": [*schedulers], "lengths": lengths}


def _at_least(factor: float, scheduler: dict[str, Any]) -> dict[str, Any]:
    floor = {"kind": "HoldLR", "factor": factor}
    return {"kind": "MaximumLR", "schedulers": [scheduler, floor]}


GEOMETRIC = _ramp(10, end_factor=0.5, space="log", past="extrapolate")
STAIRS = {"kind": "StepLR", "step_size": 10, "gamma": 0.5}
COSINE = {"kind": "CosineAnnealingLR", "T_max": 20}

SINGLE = [
    Row("constant_schedule(lr)", {"kind": "HoldLR"}, BASES, _up_to(9)),
    Row(
        "linear_schedule(init_value=lr, end_value=0.1 * lr, transition_steps=20)",
        _ramp(20, end_factor=0.1),
        BASES,
        _up_to(28),
    ),
    Row(
        "linear_schedule(init_value=0.0, end_value=lr, transition_steps=16, transition_begin=4)",
        _later(4, _warmup(16)),
        BASES,
        _up_to(28),
    ),
    Row(
        "polynomial_schedule(lr, 1e-5, power=2.0, transition_steps=20, transition_begin=5)",
        _phases([5, 20], {"kind": "HoldLR"}, _ramp(20, end_lr=1e-5, ease="polynomial")),
        (0.1,),
        _up_to(33),
    ),
    Row(
        "cosine_decay_schedule(lr, decay_steps=20, alpha=0.1)",
        _ramp(20, end_factor=0.1, ease="cosine"),
        BASES,
        _up_to(28),
    ),
    Row(
        "cosine_decay_schedule(lr, decay_steps=20)",
        COSINE,
        BASES,
        # Rates before step 20, where float32 is inexact, are not compared.
        (*range(14), *range(20, 29)),
    ),
    Row(
        "cosine_decay_schedule(lr, decay_steps=20, exponent=2.0)",
        {"kind": "ChainedScheduler", "schedulers": [COSINE, COSINE]},
        BASES,
        (*range(12), *range(20, 29)),
    ),
]

EXPONENTIAL = [
    Row(
        "exponential_decay(lr, transition_steps=10, decay_rate=0.5, transition_begin=4)",
        _later(4, GEOMETRIC),
        BASES,
        _up_to(40),
    ),
    Row(
        "exponential_decay(lr, 10, 0.5, staircase=True, end_value=0.2 * lr)",
        _at_least(0.2, STAIRS),
        BASES,
        _up_to(45),
    ),
]

PIECEWISE = [
    Row(
        "piecewise_constant_schedule(lr, {10: 0.5, 20: 0.1})",
        _table([0, 10, 20], [1.0, 0.5, 0.05]),
        BASES,
        _up_to(28),
    ),
    Row(
        "piecewise_interpolate_schedule('linear', lr, {10: 0.5, 20: 0.4})",
        _table([0, 10, 20], [1.0, 0.5, 0.2], "linear"),
        BASES,
        _up_to(28),
    ),
    Row(
        "piecewise_interpolate_schedule('cosine', lr, {10: 2.0, 25: 0.1})",
        _table([0, 10, 25], [1.0, 2.0, 0.2], "cosine"),
        BASES,
        _up_to(33),
    ),
    Row(
        "linear_onecycle_schedule(40, peak_value=lr)",
        _table([0, 12, 34, 40], [1 / 25, 1.0, 1 / 25, 1 / 25e4], "linear"),
        BASES,
        _up_to(48),
    ),
    Row(
        "cosine_onecycle_schedule(42, lr, pct_start=0.25, div_factor=10.0, final_div_factor=1.0)",
        _table([0, 10, 42], [0.1, 1.0, 0.1], "cosine"),
        BASES,
        _up_to(50),
    ),
]

WARM = "warmup_constant_schedule(init_value=0.0, peak_value=lr, warmup_steps={})"

JOINED = [
    Row(WARM.format(8), _warmup(8), BASES, _up_to(16)),
    Row(
        WARM.format(0),
        {"kind": "WarmupLR", "warmup_steps": 0},
        BASES,
        _up_to(9),
        "optax stays at `init_value`, here zero, forever; olm is at the base rate from step 0 on",
    ),
    Row(
        "warmup_cosine_decay_schedule(0.0, lr, 10, decay_steps=40, end_value=0.1 * lr)",
        {
            "kind": "WarmupDecayLR",
            "warmup_steps": 10,
            "total_steps": 40,
            "decay": "cosine",
            "end_factor": 0.1,
        },
        BASES,
        _up_to(48),
    ),
    Row(
        "warmup_exponential_decay_schedule(0.1 * lr, lr, warmup_steps=8, transition_steps=10, "
        "decay_rate=0.5, transition_begin=3, end_value=0.2 * lr)",
        _phases([8, 100], _warmup(8, 0.1), _at_least(0.2, _later(3, GEOMETRIC))),
        BASES,
        _up_to(50),
    ),
    Row(
        "sgdr_schedule([dict(init_value=0.0, peak_value=peak, end_value=0.1 * peak, "
        "warmup_steps=4, decay_steps=20) for peak in (lr, 0.5 * lr)])",
        {
            "kind": "RepeatLR",
            "scheduler": _phases([4, 16], _warmup(4), _ramp(16, end_factor=0.1, ease="cosine")),
            "period": 20,
            "shrink": 0.5,
            "count": 2,
        },
        BASES,
        _up_to(50),
    ),
    Row(
        "join_schedules([constant_schedule(lr), exponential_decay(lr, 10, 0.5), "
        "linear_schedule(0.2 * lr, 0.1 * lr, 5)], boundaries=[6, 30])",
        {
            "kind": "SequentialLR",
            "schedulers": [
                {"kind": "HoldLR"},
                GEOMETRIC,
                _ramp(5, start_factor=0.2, end_factor=0.1),
            ],
            "milestones": [6, 30],
        },
        BASES,
        _up_to(42),
    ),
]

PEER = Peer(
    distribution="optax",
    version="0.2.8",
    tolerance=1e-6,
    rows=[*SINGLE, *EXPONENTIAL, *PIECEWISE, *JOINED],
    rates=rates,
    refused=[
        Refused(
            "linear_schedule(lr, 0.1 * lr, transition_steps=0)",
            _ramp(0, end_factor=0.1),
            argument="total_steps",
            instead="optax stays at the base rate forever; olm requires at least 1",
        ),
        Refused(
            "exponential_decay(lr, transition_steps=10, decay_rate=0.0)",
            _ramp(10, end_factor=0.0, space="log"),
            argument="space",
            instead="optax stays at the base rate forever; olm has no such ramp",
        ),
    ],
    exported=_exported,
    needs=["jax==0.10.2", "jaxlib==0.10.2"],
)
