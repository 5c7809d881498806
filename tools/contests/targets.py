"""A step of a scheduler with targets: of olm's, against torch's schedulers and a loop by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from random import sample
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer, lr_scheduler

import olm
from contests import OLM, Contest, Family, Side
from contests.others import TOTAL, WARMUP, factor
from olm.train.schedulers.read_ahead import BLOCK

LOOP, TORCH = "loop with the same duties", "torch LambdaLRs and loops"

GOALS = {LOOP: 1.00, TORCH: 0.30}

Number = Callable[[int], float]


def cosine(start: float, end: float) -> Number:
    """Half a cosine over the run, from one factor to another."""
    return lambda step: end + (start - end) * 0.5 * (1 + math.cos(math.pi * (step / TOTAL)))


def line(start: float, end: float) -> Number:
    """A straight line over the run, from one factor to another."""
    return lambda step: start + (end - start) * (step / TOTAL)


SETS: Mapping[str, tuple[str, float, float, Number]] = {
    "weight_decay": ("cosine", 1.0, 10.0, cosine(1.0, 10.0)),
    "betas[0]": ("linear", 1.0, 0.9, line(1.0, 0.9)),
    "eps": ("linear", 1.0, 100.0, line(1.0, 100.0)),
}
"""The hyperparameters, each with the ease of its ramp, its two factors, and the same by hand."""

VALUES: Mapping[str, tuple[str, float, float, Number]] = {
    "ema": ("cosine", 0.992, 1.0, cosine(0.992, 1.0)),
    "temperature": ("linear", 0.04, 0.07, line(0.04, 0.07)),
    "kl_weight": ("linear", 0.1, 1.0, line(0.1, 1.0)),
}
"""The same of values."""

SOME = {3: (["weight_decay", "betas[0]"], ["ema"]), 6: ([*SETS], [*VALUES])}
"""The hyperparameters and values that a document schedules, by the number of its targets."""


def document(targets: int) -> dict[str, Any]:
    """A document with a number of targets."""
    keys, names = SOME[targets]
    ramps = [*(("set", key, SETS[key]) for key in keys), *(("value", n, VALUES[n]) for n in names)]
    also = [
        {
            sort: name,
            "schedule": {
                "kind": "RampLR",
                "total_steps": TOTAL,
                "ease": ease,
                "start_factor": start,
                "end_factor": end,
            },
        }
        for sort, name, (ease, start, end, _) in ramps
    ]
    root = {"kind": "WarmupCosineScheduler", "warmup_steps": WARMUP, "total_steps": TOTAL}
    return {**root, "also": also}


class Loop:
    """A loop by hand that keeps tensors and tuples, counts, and remembers rates and values."""

    def __init__(self, optimizer: Optimizer, targets: int) -> None:
        self.optimizer, self.last_epoch, self._step_count = optimizer, 0, 1
        self.keys, self.names = SOME[targets]
        groups = optimizer.param_groups
        self.bases = {key: [_number(group, key) for group in groups] for key in ["lr", *self.keys]}

    def step(self) -> None:
        """Set the numbers of the next step."""
        self.last_epoch = step = self.last_epoch + 1
        self._step_count += 1
        groups = self.optimizer.param_groups
        now = factor(step)
        self._last_lr = rates = [base * now for base in self.bases["lr"]]
        for group, rate in zip(groups, rates):  # noqa: B905  # slower
            lr = group["lr"]
            if type(lr) is float or not isinstance(lr, Tensor):
                group["lr"] = rate
            else:
                lr.fill_(rate)
        for key in self.keys:
            now = SETS[key][3](step)
            if key == "betas[0]":
                for group, base in zip(groups, self.bases[key]):  # noqa: B905  # slower
                    group["betas"] = (base * now, group["betas"][1])
                continue
            for group, base in zip(groups, self.bases[key]):  # noqa: B905  # slower
                number = group[key]
                if type(number) is float or not isinstance(number, Tensor):
                    group[key] = base * now
                else:
                    number.fill_(base * now)
        self._values = {name: VALUES[name][3](step) for name in self.names}


class Torch:
    """LambdaLR for the rates, one on an optimizer of its own for every other number, and copies.

    The weight decay is written by hand, as most do.
    """

    def __init__(self, optimizer: Optimizer, targets: int) -> None:
        keys, self.names = SOME[targets]
        self.optimizer, self.last_epoch = optimizer, 0
        self.schedulers = [lr_scheduler.LambdaLR(optimizer, factor)]
        self.decays = [_number(group, "weight_decay") for group in optimizer.param_groups]
        self.others: dict[str, Optimizer] = {}
        for key in keys:
            if key != "weight_decay":
                bases = [_number(group, key) for group in optimizer.param_groups]
                self._add(key, bases, SETS[key][3])
        for name in self.names:
            self._add(name, [1.0], VALUES[name][3])

    def _add(self, name: str, bases: list[float], number: Number) -> None:
        other = SGD([{"params": [torch.zeros(1)], "lr": base} for base in bases])
        self.others[name] = other
        self.schedulers.append(lr_scheduler.LambdaLR(other, number))
        other.step()

    def step(self) -> None:
        """Set the numbers of the next step."""
        self.last_epoch += 1
        for scheduler in self.schedulers:
            scheduler.step()
        groups = self.optimizer.param_groups
        now = SETS["weight_decay"][3](self.last_epoch)
        for group, decay in zip(groups, self.decays):  # noqa: B905  # slower
            group["weight_decay"] = decay * now
        for name, other in self.others.items():
            if name in VALUES:
                continue
            for group, copied in zip(groups, other.param_groups):  # noqa: B905  # slower
                if name == "betas[0]":
                    group["betas"] = (copied["lr"], group["betas"][1])
                else:
                    group[name] = copied["lr"]
        self._values = {name: self.others[name].param_groups[0]["lr"] for name in self.names}


def _number(group: dict[str, Any], key: str) -> float:
    number: float = group["betas"][0] if key == "betas[0]" else group[key]
    return number


def sides(targets: int, groups: int) -> dict[str, Side]:
    """The three sides, each with an optimizer of its own, past the warm-up."""
    made: dict[str, Callable[[Optimizer], Any]] = {
        OLM: lambda optimizer: olm.build(document(targets), optimizer),
        LOOP: lambda optimizer: Loop(optimizer, targets),
        TORCH: lambda optimizer: Torch(optimizer, targets),
    }
    steppers: dict[str, Any] = {}
    numbers: dict[str, list[float]] = {}
    for name in sample(list(made), len(made)):
        optimizer = AdamW(
            [
                {"params": [torch.zeros(1)], "lr": 0.1, "weight_decay": 0.04 * (index % 2)}
                for index in range(groups)
            ]
        )
        steppers[name] = made[name](optimizer)
        optimizer.step()
        for _ in range(2 * WARMUP):
            steppers[name].step()
        keys = ["lr", *SOME[targets][0]]
        numbers[name] = [_number(group, key) for group in optimizer.param_groups for key in keys]
    for name in (LOOP, TORCH):
        np.testing.assert_allclose(numbers[name], numbers[OLM], rtol=1e-9)
    calls = {name: Side(stepper.step) for name, stepper in steppers.items()}
    return calls | {OLM: Side(calls[OLM].call, before=partial(_jump, steppers[OLM]))}


def _jump(scheduler: Any) -> None:
    # Into another block: every repetition evaluates at least one.
    scheduler.last_epoch += BLOCK


def _contest(targets: int, groups: int) -> Contest:
    number = "1 group" if groups == 1 else f"{groups} groups"
    what = f"{targets} targets, {number}"
    return Contest(f"step with {what}", what, partial(sides, targets, groups), GOALS)


FAMILIES = [
    Family(
        "`step()` with targets",
        [_contest(targets, groups) for targets in (3, 6) for groups in (1, 8, 128)],
    )
]
