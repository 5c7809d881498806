"""A step of a scheduler: of olm's, against torch's and loops written by hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from random import sample
from typing import Any

import numpy as np
import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler

import olm
from contests import OLM, Contest, Family, Side
from contests.others import OTHER_CURVE, OTHERS, TOTAL, WARMUP
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


GOALS = {"loop with the same duties": 1.00}


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
]
