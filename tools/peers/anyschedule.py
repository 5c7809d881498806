"""AnySchedule: schedules for any hyperparameter of an optimizer, configured by tables."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._stepping import stepped

Spec = dict[str, Any]

BASES = (0.1, 3e-4)


def rates(row: Row) -> Curves:
    """Step the class of AnySchedule."""
    return stepped(row, vars(import_module("anyschedule")))


def _call(mode: str, **fields: Any) -> str:
    """A schedule of the rate, whose values are all factors of the base rate."""
    config = {"lr": {"mode": mode, **fields}}
    return f"AnySchedule(optimizer, {config=})"


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total_steps: int, **fields: Any) -> Spec:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _hold(factor: float = 1.0) -> Spec:
    return {"kind": "HoldLR", "factor": factor}


def _sequence(schedulers: list[Spec], milestones: list[int]) -> Spec:
    return {"kind": "SequentialLR", "schedulers": schedulers, "milestones": milestones}


def _at_least(factor: float, scheduler: Spec) -> Spec:
    return {"kind": "MaximumLR", "schedulers": [scheduler, _hold(factor)]}


def _every(steps: int, scheduler: Spec) -> Spec:
    return {"kind": "TimeLR", "scheduler": scheduler, "every": steps}


def _decay(warmup: int, total: int, **fields: Any) -> Spec:
    return {"kind": "WarmupDecayLR", "warmup_steps": warmup, "total_steps": total, **fields}


RISES = "AnySchedule rises again after the end; olm stays at the minimum"
BACK = "AnySchedule jumps back to the base rate after the last schedule; olm holds its end"
BEFORE = "AnySchedule rises from minus the base rate before the start; olm holds zero"

RISE = _ramp(5, start_factor=0.0, end_factor=1.0)

ROWS = [
    Row(
        _call("constant", value=0.8, warmup=5, init_value=0.2),
        _ramp(5, start_factor=0.2, end_factor=0.8),
        BASES,
        _up_to(20),
    ),
    Row(
        _call("cosine", end=30, warmup=5, min_value=0.1),
        _decay(5, 30, decay="cosine", end_factor=0.1),
        BASES,
        _up_to(40),
    ),
    Row(
        # Stairs of four steps; six of them fit between the warm-up and the end.
        _call("cosine", end=30, warmup=5, min_value=0.1, step_size=4),
        _sequence(
            [
                RISE,
                _every(4, _ramp(24, end_factor=0.1, ease="cosine")),
            ],
            [5],
        ),
        BASES,
        _up_to(40),
    ),
    Row(
        _call("polynomial", end=30, warmup=5),
        _decay(5, 30, decay="linear"),
        BASES,
        _up_to(40),
    ),
    Row(
        _call("polynomial", end=25, power=3, min_value=0.05),
        _ramp(25, end_factor=0.05, ease="polynomial", power=3.0),
        BASES,
        _up_to(35),
    ),
    Row(
        _call("polynomial", end=25, power=2, min_value=0.05),
        _ramp(25, end_factor=0.05, ease="polynomial", power=2.0),
        BASES,
        _up_to(25),
    ),
    Row(
        _call("polynomial", end=25, power=2, min_value=0.05),
        _ramp(25, end_factor=0.05, ease="polynomial", power=2.0),
        BASES,
        _up_to(35),
        RISES,
    ),
    Row(
        _call("power", warmup=6, s0=8, b=-0.51, min_value=0.5),
        _sequence(
            [
                _ramp(6, start_factor=0.0, end_factor=1.0),
                _at_least(0.5, {"kind": "PowerLR", "power": 0.51, "decay_steps": 8}),
            ],
            [6],
        ),
        BASES,
        _up_to(50),
    ),
    Row(
        _call("step", gamma=0.7, step_size=5, min_value=0.2),
        _at_least(0.2, {"kind": "StepLR", "step_size": 5, "gamma": 0.7}),
        BASES,
        _up_to(50),
    ),
    Row(
        _call("step", warmup=5),
        _sequence([RISE, {"kind": "ExponentialLR", "gamma": 0.95}], [5]),
        BASES,
        _up_to(40),
    ),
    Row(
        _call("constant", start=5, warmup=5),
        {"kind": "TimeLR", "scheduler": RISE, "shift": -5},
        BASES,
        _up_to(20),
        BEFORE,
    ),
]


def _trapezoid(total: int) -> Spec:
    lengths = {"warmup_steps": 5, "total_steps": total, "decay_steps": total - 20}
    return {"kind": "WarmupStableDecayLR", **lengths, "decay": "cosine", "end_factor": 0.1}


COMPOSED = [
    Row(
        _call(
            "composer",
            end=40,
            schedules=[
                {"mode": "constant", "end": 0.5, "warmup": 5},
                {"mode": "cosine", "end": 1.0, "min_value": 0.1},
            ],
        ),
        _trapezoid(40),
        BASES,
        _up_to(50),
    ),
    Row(
        _call(
            "composer",
            schedules=[
                {"mode": "constant", "end": 20, "warmup": 5},
                {"mode": "cosine", "end": 36, "min_value": 0.1},
            ],
        ),
        _trapezoid(36),
        BASES,
        _up_to(50),
        BACK,
    ),
    Row(
        # From step 10 to 15, for which nothing is configured, it uses the base rate.
        _call(
            "composer",
            end=30,
            schedules=[
                {"mode": "constant", "value": 0.5, "end": 10},
                {"mode": "polynomial", "value": 0.8, "start": 15, "end": 30, "warmup": 5},
            ],
        ),
        _sequence(
            [
                _hold(0.5),
                _hold(),
                _ramp(5, start_factor=0.5, end_factor=0.8),
                _ramp(10, start_factor=0.8),
            ],
            [10, 15, 20],
        ),
        BASES,
        _up_to(40),
    ),
]

PEER = Peer(
    distribution="anyschedule",
    version="0.1.0",
    tolerance=1e-12,
    rows=[*ROWS, *COMPOSED],
    rates=rates,
    refused=[
        Refused(
            _call("step", warmup=-2, gamma=0.9),
            {"kind": "WarmupDecayLR", "warmup_steps": -2, "total_steps": 20},
            argument="warmup_steps",
            instead="AnySchedule starts inside the decay; olm requires at least 0",
        ),
        Refused(
            _call("polynomial", end=20, power=-1),
            _ramp(20, ease="polynomial", power=-1.0),
            argument="power",
            instead=(
                "AnySchedule rises without bound, and divides by zero at the end; olm requires a "
                "power above 0"
            ),
        ),
    ],
    needs=["torch", "numpy", "toml==0.10.2"],
    dependencies=False,
)
