"""fvcore: functions of the progress of the training, from 0 at its start to 1 at its end.

Here, the training has `UPDATES` steps, and `lr` in a configuration is the base rate.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._functions import called

UPDATES = 30
"""The length of the training."""

BASES = (0.1, 3e-4)

TRAINING = tuple(range(UPDATES))
"""All its steps."""

TO_THE_END = tuple(range(UPDATES + 1))
"""The same steps, and the one at the end."""

BEYOND = tuple(range(UPDATES + 16))
"""The same steps, and some after the end."""


def rates(row: Row) -> Curves:
    """Call the object of fvcore with the progress at each step."""
    module = import_module("fvcore.common.param_scheduler")
    # Its errors after the end. It returns a complex number there, hence the TypeError.
    ends = (RuntimeError, IndexError, TypeError)
    return called(row, vars(module), lambda step: step / UPDATES, ends)


def _ramp(total_steps: int = UPDATES, **fields: Any) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _table(milestones: list[int], factors: list[float]) -> dict[str, Any]:
    return {"kind": "TableLR", "milestones": milestones, "factors": factors}


def _phases(lengths: list[int], *schedulers: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PhasesLR", "schedulers": [*schedulers], "lengths": lengths}


HOLD = {"kind": "HoldLR"}

RAISES = "fvcore raises {} from the end on; olm holds the last rate"
RISES = "fvcore rises again after the end; olm holds the last rate"

CONSTANT = "ConstantParamScheduler(lr)"
COSINE = "CosineParamScheduler(start_value=lr, end_value=0.1 * lr)"
LINEAR = "LinearParamScheduler(start_value=lr, end_value=0.4 * lr)"
STEEP = "LinearParamScheduler(start_value=lr, end_value=0.001 * lr)"
SQUARE = "PolynomialDecayParamScheduler(lr, power=2.0)"
POLYNOMIAL = "PolynomialDecayParamScheduler(lr, power=0.9)"
STEP = "StepParamScheduler(num_updates=30, values=[lr, 0.3 * lr, 0.1 * lr, 0.05 * lr])"
GAMMA = "StepWithFixedGammaParamScheduler(lr, num_decays=2, gamma=0.2, num_updates=30)"
MULTI = "MultiStepParamScheduler(values=[lr, 0.3 * lr, 0.1 * lr], milestones=[3, 6, 10])"

STEP_TABLE = _table([0, 8, 15, 23], [1.0, 0.3, 0.1, 0.05])

SINGLE = [
    Row(CONSTANT, HOLD, BASES, TRAINING),
    Row(CONSTANT, HOLD, BASES, BEYOND, RAISES.format("RuntimeError")),
    Row(COSINE, _ramp(end_factor=0.1, ease="cosine", past="mirror"), BASES, BEYOND),
    Row(COSINE, _ramp(end_factor=0.1, ease="cosine"), BASES, BEYOND, RISES),
    Row(
        "CosineParamScheduler(start_value=0.01 * lr, end_value=1e-3)",
        _ramp(start_factor=0.01, end_lr=1e-3, ease="cosine"),
        BASES,
        TO_THE_END,
    ),
    Row(LINEAR, _ramp(end_factor=0.4, past="extrapolate"), BASES, BEYOND),
    Row(
        STEEP,
        _ramp(end_factor=0.001),
        BASES,
        BEYOND,
        "fvcore goes below zero after the end; olm holds the last rate",
    ),
    Row(
        "ExponentialParamScheduler(start_value=lr, decay=0.02)",
        _ramp(end_factor=0.02, space="log", past="extrapolate"),
        BASES,
        BEYOND,
    ),
    Row(SQUARE, _ramp(ease="polynomial"), BASES, BEYOND, RISES),
    Row(
        POLYNOMIAL,
        {"kind": "PolynomialLR", "total_iters": UPDATES, "power": 0.9},
        BASES,
        TO_THE_END,
    ),
    Row(
        POLYNOMIAL,
        {"kind": "PolynomialLR", "total_iters": UPDATES, "power": 0.9},
        BASES,
        BEYOND,
        "fvcore returns complex numbers after the end; olm stays at zero",
    ),
]

STEPS = [
    Row(STEP, STEP_TABLE, BASES, TRAINING),
    Row(STEP, STEP_TABLE, BASES, BEYOND, RAISES.format("IndexError")),
    Row(GAMMA, {"kind": "StepLR", "step_size": 10, "gamma": 0.2}, BASES, TRAINING),
    Row(MULTI, _table([0, 9, 18], [1.0, 0.3, 0.1]), BASES, TO_THE_END),
    Row(
        "MultiStepParamScheduler(values=[lr, 0.3 * lr, 0.1 * lr, 0.05 * lr], num_updates=10)",
        _table([0, 9, 18, 27], [1.0, 0.3, 0.1, 0.05]),
        BASES,
        TO_THE_END,
    ),
    Row(
        "MultiStepParamScheduler([lr, 0.1 * lr, 0.01 * lr], num_updates=90, milestones=[31, 60])",
        _table([0, 11, 20], [1.0, 0.1, 0.01]),
        BASES,
        TO_THE_END,
    ),
]

WARM = "LinearParamScheduler(0.001 * lr, lr)"
WARMUP = _ramp(3, start_factor=0.001, end_factor=1.0)


def _composite(parts: list[str], lengths: list[float], scaling: list[str]) -> str:
    text = f"schedulers=[{', '.join(parts)}], lengths={lengths}, interval_scaling={scaling}"
    return f"CompositeParamScheduler({text})"


INNER = _composite([WARM, CONSTANT], [0.25, 0.75], ["rescaled", "rescaled"])

COMPOSITE = [
    Row(
        _composite([WARM, COSINE], [0.1, 0.9], ["rescaled", "rescaled"]),
        _phases([3, 27], WARMUP, _ramp(27, end_factor=0.1, ease="cosine")),
        BASES,
        TO_THE_END,
    ),
    Row(
        _composite([WARM, COSINE], [0.1, 0.9], ["rescaled", "fixed"]),
        _phases([3, 27], WARMUP, _ramp(offset=3, end_factor=0.1, ease="cosine")),
        BASES,
        TO_THE_END,
    ),
    Row(
        _composite([WARM, STEP], [0.1, 0.9], ["rescaled", "fixed"]),
        _phases([3, 27], WARMUP, {"kind": "TimeLR", "scheduler": STEP_TABLE, "shift": 3}),
        BASES,
        TRAINING,
    ),
    Row(
        _composite([WARM, CONSTANT, LINEAR], [0.2, 0.5, 0.3], ["rescaled"] * 3),
        _phases(
            [6, 15, 9],
            _ramp(6, start_factor=0.001, end_factor=1.0),
            HOLD,
            _ramp(9, end_factor=0.4),
        ),
        BASES,
        TO_THE_END,
    ),
    Row(
        _composite([INNER, COSINE], [0.4, 0.6], ["rescaled", "rescaled"]),
        _phases(
            [12, 18],
            _phases([3, 9], WARMUP, HOLD),
            _ramp(18, end_factor=0.1, ease="cosine"),
        ),
        BASES,
        TO_THE_END,
    ),
]

PEER = Peer(
    distribution="fvcore",
    version="0.1.5.post20221221",
    tolerance=1e-12,
    rows=[*SINGLE, *STEPS, *COMPOSITE],
    rates=rates,
    refused=[
        Refused(
            "ExponentialParamScheduler(start_value=lr, decay=0.0)",
            _ramp(end_factor=0.0, space="log"),
            argument="space",
            instead="fvcore falls from the base rate to zero at step 1; olm has no such ramp",
        ),
        Refused(
            _composite([WARM, COSINE], [1.5, -0.5], ["rescaled", "rescaled"]),
            _phases([45, -15], WARMUP, _ramp(27, end_factor=0.1, ease="cosine")),
            argument="lengths",
            instead="fvcore silently accepts a negative length; olm requires at least 1",
        ),
    ],
    needs=["numpy"],
    dependencies=False,
)
