"""Keras, on torch: objects that are functions of the step, computed in float32.

`lr` in a configuration is the base rate. Close to zero, float32 has fewer digits than the tolerance
needs, so that most curves here end above zero.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._functions import called

BASES = (0.1, 3e-4)


def rates(row: Row) -> Curves:
    """Call the object of Keras with each step."""
    return called(row, _schedules())


@cache
def _schedules() -> dict[str, Any]:
    os.environ["KERAS_BACKEND"] = "torch"
    # The folder where Keras writes its settings when it is imported.
    os.environ["KERAS_HOME"] = os.path.join(sys.prefix, "keras")  # noqa: PTH118
    return vars(import_module("keras.optimizers.schedules"))


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total_steps: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _cosine(total_steps: int, **fields: Any) -> dict[str, Any]:
    return _ramp(total_steps, ease="cosine", **fields)


def _time(scheduler: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"kind": "TimeLR", "scheduler": scheduler, **fields}


def _phases(lengths: list[int], *schedulers: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PhasesLR", "schedulers": [*schedulers], "lengths": lengths}


def _square(total_steps: int) -> dict[str, Any]:
    return _ramp(total_steps, end_factor=0.1, ease="polynomial")


INVERSE = {"kind": "PowerLR", "power": 1.0, "decay_steps": 10, "decay_rate": 0.5}
GEOMETRIC = _ramp(10, end_factor=0.5, space="log", past="extrapolate")

FALLING = [
    Row("ExponentialDecay(lr, decay_steps=10, decay_rate=0.5)", GEOMETRIC, BASES, _up_to(40)),
    Row(
        "ExponentialDecay(lr, decay_steps=10, decay_rate=0.5, staircase=True)",
        {"kind": "StepLR", "step_size": 10, "gamma": 0.5},
        BASES,
        _up_to(40),
    ),
    Row("InverseTimeDecay(lr, decay_steps=10, decay_rate=0.5)", INVERSE, BASES, _up_to(40)),
    Row(
        "InverseTimeDecay(lr, decay_steps=10, decay_rate=0.5, staircase=True)",
        _time(INVERSE, every=10),
        BASES,
        _up_to(40),
    ),
    Row(
        "PiecewiseConstantDecay(boundaries=[10, 20], values=[lr, 0.5 * lr, 0.1 * lr])",
        {"kind": "TableLR", "milestones": [0, 11, 21], "factors": [1.0, 0.5, 0.1]},
        BASES,
        _up_to(30),
    ),
]

POLYNOMIAL = [
    Row(
        "PolynomialDecay(lr, decay_steps=20, end_learning_rate=0.1 * lr)",
        _ramp(20, end_factor=0.1),
        BASES,
        _up_to(30),
    ),
    Row(
        "PolynomialDecay(lr, decay_steps=20, power=0.5)",
        _ramp(20, end_lr=1e-4, ease="polynomial", power=0.5),
        BASES,
        _up_to(30),
    ),
    Row(
        "PolynomialDecay(lr, decay_steps=10, end_learning_rate=0.1 * lr, power=2.0, cycle=True)",
        _phases(
            [11, 10, 10],
            _square(10),
            _time(_square(20), shift=11),
            _time(_square(30), shift=21),
        ),
        BASES,
        _up_to(30),
    ),
]

RESTARTS = "CosineDecayRestarts(lr, first_decay_steps=10, {})"


def _restarts(period: int, growth: float) -> dict[str, Any]:
    cycle = _cosine(period, end_factor=0.1)
    return {"kind": "RepeatLR", "scheduler": cycle, "period": period, "growth": growth}


COSINE = [
    Row(
        "CosineDecay(lr, decay_steps=20, alpha=0.1)", _cosine(20, end_factor=0.1), BASES, _up_to(30)
    ),
    Row(
        "CosineDecay(lr, decay_steps=20)",
        {"kind": "CosineAnnealingLR", "T_max": 20},
        BASES,
        # Rates before step 20, where float32 is inexact, are not compared.
        (*range(14), *range(20, 29)),
    ),
    Row(
        "CosineDecay(0.1 * lr, decay_steps=20, alpha=0.1, warmup_target=lr, warmup_steps=8)",
        {
            "kind": "WarmupDecayLR",
            "warmup_steps": 8,
            "total_steps": 28,
            "start_factor": 0.1,
            "end_factor": 0.1,
        },
        BASES,
        _up_to(38),
    ),
    Row(RESTARTS.format("t_mul=1.0, alpha=0.1"), _restarts(10, 1.0), BASES, _up_to(45)),
    Row(RESTARTS.format("alpha=0.1"), _restarts(10, 2.0), BASES, _up_to(58)),
    Row(
        RESTARTS.format("m_mul=0.5, alpha=0.1"),
        _phases(
            [10, 20, 40],
            _cosine(10, end_factor=0.1),
            _cosine(20, start_factor=0.55, end_factor=0.1),
            _cosine(40, start_factor=0.325, end_factor=0.1),
        ),
        BASES,
        _up_to(58),
    ),
    Row(RESTARTS.format("t_mul=1.5, alpha=0.1"), _restarts(10, 1.5), BASES, _up_to(24)),
    Row(
        RESTARTS.format("t_mul=1.5, alpha=0.1"),
        _restarts(10, 1.5),
        BASES,
        _up_to(45),
        (
            "Keras computes the cycle by a logarithm and returns the end of the second at step 25; "
            "olm starts the third there"
        ),
    ),
]

PEER = Peer(
    distribution="keras",
    version="3.15.1",
    tolerance=1e-6,
    rows=[*FALLING, *POLYNOMIAL, *COSINE],
    rates=rates,
    refused=[
        Refused(
            "CosineDecay(lr, decay_steps=20, alpha=-0.1)",
            _cosine(20, end_factor=-0.1),
            argument="end_factor",
            instead="Keras goes below zero and stays there; olm requires at least 0",
        ),
        Refused(
            "PiecewiseConstantDecay(boundaries=[20, 10], values=[lr, 0.5 * lr, 0.1 * lr])",
            {"kind": "TableLR", "milestones": [0, 21, 11], "factors": [1.0, 0.5, 0.1]},
            argument="milestones",
            instead=(
                "Keras adds the first and the last rate between them; olm requires ascending steps"
            ),
        ),
    ],
    needs=["torch", "numpy"],
)
