"""A step of a scheduler: of olm's, against torch's and loops written by hand.

The longer way is that of a step that only counts if the optimizer has stepped, as hosts need it,
and that of a step to which a metric is passed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from random import sample
from typing import Any

import numpy as np
import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

import olm
from contests import OLM, Contest, Family, Side
from contests.others import OTHER_CURVE, OTHERS, TOTAL, WARMUP, Gate, PlateauLoop
from olm.train.schedulers.read_ahead import BLOCK

SPECS: dict[str, dict[str, Any]] = {
    "WarmupCosineScheduler": {
        "kind": "WarmupCosineScheduler",
        "warmup_steps": WARMUP,
        "total_steps": TOTAL,
    },
    "SequentialLR": {
        "kind": "SequentialLR",
        "schedulers": [
            {"kind": "WarmupLR", "warmup_steps": WARMUP},
            {"kind": "CosineAnnealingLR", "T_max": TOTAL - WARMUP},
        ],
        "milestones": [WARMUP],
    },
}


def sides(kind: str, groups: int, tensors: bool, alike: bool) -> dict[str, Side]:
    """Schedulers and loops, each with an optimizer of its own, past the warm-up."""
    made = {OLM: lambda optimizer: olm.build(SPECS[kind], optimizer), **OTHERS}
    bases = [0.1 if alike else 0.1 * (1 + index / groups) for index in range(groups)]
    steppers, rates = {}, {}
    # Whoever is made first has the gaps in memory, so that its groups lie far apart.
    for name in sample(list(made), len(made)):
        optimizer = _optimizer([torch.tensor(base) if tensors else base for base in bases])
        steppers[name], rates[name] = _begun(made[name], optimizer)
    for name in made.keys() - {OTHER_CURVE}:
        np.testing.assert_allclose(rates[name], rates[OLM], rtol=1e-6)
    calls = {name: Side(steppers[name].step) for name in made}
    # Into another block: every repetition evaluates at least one.
    return calls | {OLM: Side(calls[OLM].call, before=partial(_jump, steppers[OLM]))}


def _optimizer(rates: list[Any]) -> Optimizer:
    return SGD([{"params": [torch.zeros(1)], "lr": rate} for rate in rates])


def _begun(make: Callable[[Optimizer], Any], optimizer: Optimizer) -> tuple[Any, Any]:
    """A scheduler that has done its warm-up, and the rates that it has set meanwhile."""
    rates = []
    with warnings.catch_warnings():
        # torch's SequentialLR sets off torch's own warning about the order of steps.
        warnings.simplefilter("ignore")
        stepper = make(optimizer)
        optimizer.step()
        for _ in range(2 * WARMUP):
            stepper.step()
            rates.append([float(group["lr"]) for group in optimizer.param_groups])
    return stepper, rates


def _jump(scheduler: LRScheduler) -> None:
    scheduler.last_epoch += BLOCK


LOOP = "loop with the same duties"

GOALS = {LOOP: 1.00}


def gated(groups: int) -> dict[str, Side]:
    """A step after one of the optimizer, of which only the hook is called: it takes far longer."""
    spec = SPECS["WarmupCosineScheduler"]
    made: dict[str, Callable[[Optimizer], Any]] = {
        OLM: lambda optimizer: olm.build(spec, optimizer, only_if_stepped=True),
        "torch LambdaLR": partial(_gate, "torch LambdaLR"),
        LOOP: partial(_gate, LOOP),
    }
    steppers = {name: _gated(made[name], groups) for name in sample(list(made), len(made))}
    calls = {name: Side(steppers[name][1]) for name in made}
    return calls | {OLM: Side(calls[OLM].call, before=partial(_jump, steppers[OLM][0]))}


def _gate(name: str, optimizer: Optimizer) -> Gate:
    return Gate(OTHERS[name](optimizer), optimizer)


def _gated(make: Callable[[Optimizer], Any], groups: int) -> tuple[Any, Callable[[], None]]:
    optimizer = _optimizer([0.1] * groups)
    scheduler = make(optimizer)
    optimizer.step()
    (hook,) = optimizer._optimizer_step_post_hooks.values()

    def call() -> None:
        hook(optimizer, (), {})
        scheduler.step()

    return scheduler, call


def with_metric(groups: int) -> dict[str, Side]:
    """A step with a metric that is better than the last."""
    made: dict[str, Callable[[Optimizer], Any]] = {
        OLM: lambda optimizer: olm.build({"kind": "ReduceLROnPlateau"}, optimizer),
        "torch ReduceLROnPlateau": ReduceLROnPlateau,
        LOOP: PlateauLoop,
    }
    calls = {name: _better(made[name], groups) for name in sample(list(made), len(made))}
    return {name: Side(calls[name]) for name in made}


def _better(make: Callable[[Optimizer], Any], groups: int) -> Callable[[], None]:
    optimizer, metric = _optimizer([0.1] * groups), 1e9
    scheduler = make(optimizer)
    optimizer.step()

    def call() -> None:
        nonlocal metric
        metric *= 0.999
        scheduler.step(metric)

    return call


def _longer(
    what: str, make: Callable[[int], dict[str, Side]], goals: dict[str, float]
) -> list[Contest]:
    rows = {1: f"{what}, 1 group", 8: f"{what}, 8 groups"}
    return [
        Contest(f"longer step {row.replace('`', '')}", row, partial(make, groups), goals)
        for groups, row in rows.items()
    ]


def _contest(kind: str, groups: int, tensors: bool, alike: bool) -> Contest:
    number = "1 group" if groups == 1 else f"{groups} groups"
    bases = "" if groups == 1 else ", one base rate" if alike else ", different base rates"
    what = f"{number}{bases}, {'tensors' if tensors else 'floats'}"
    goals = GOALS | {"torch SequentialLR": 0.30 if groups == 1 else 0.20}
    if groups == 1 and not tensors:
        goals["bare loop"] = 1.25
    return Contest(f"step {kind} {what}", what, partial(sides, kind, groups, tensors, alike), goals)


def _contests(kind: str, *, tensors: Sequence[bool]) -> list[Contest]:
    cases = [(groups, alike) for groups in (1, 8, 128, 1000) for alike in (True, False)]
    return [
        _contest(kind, groups, tensor, alike)
        for tensor in tensors
        for groups, alike in cases
        if alike or groups > 1
    ]


FAMILIES = [
    Family(
        "`step()` of `WarmupCosineScheduler`",
        _contests("WarmupCosineScheduler", tensors=(False, True)),
    ),
    Family("`step()` of `SequentialLR`", _contests("SequentialLR", tensors=(False,))),
    Family(
        "the longer way of `step()`",
        [
            *_longer("`only_if_stepped`", gated, {LOOP: 1.25, "torch LambdaLR": 0.50}),
            *_longer("with a metric", with_metric, {}),
        ],
    ),
]
