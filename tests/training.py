"""Helpers of the tests of schedulers: documents, optimizers and a training loop."""

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau

import olm
from olm.kinds import KINDS

EXAMPLES = [
    pytest.param({"kind": kind, **example}, id=f"{kind}-{index}")
    for kind, model in KINDS.items()
    for index, example in enumerate(model.examples)
]
BASES = (0.5, 0.1, 3e-4)
NESTED = {
    "kind": "SequentialLR",
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": 2},
        {
            "kind": "SequentialLR",
            "schedulers": [
                {"kind": "LinearLR", "total_steps": 4, "end_lr": 0.01},
                {"kind": "CosineAnnealingLR", "T_max": 5},
            ],
            "milestones": [4],
        },
    ],
    "milestones": [2],
}
"""A sequence inside a sequence."""


def optimizer_of(*bases, make=SGD):
    """An optimizer with a param group for each base rate, which may be a tensor."""
    return make([{"params": [torch.zeros(2, requires_grad=True)], "lr": base} for base in bases])


def rates_of(optimizer):
    return [float(group["lr"]) for group in optimizer.param_groups]


def trained(scheduler, steps):
    """The rates of each param group at the next steps, while the optimizer steps."""
    rates = []
    for _ in range(steps):
        rates.append(rates_of(scheduler.optimizer))
        scheduler.optimizer.step()
        advance(scheduler)
    return rates


def advance(scheduler):
    """Take a step. A plateau, which needs a metric, observes the best so far: its rate holds."""
    if isinstance(scheduler, ReduceLROnPlateau):
        sign = 1 if scheduler.schedule.mode == "max" else -1
        scheduler.step(sign * (scheduler.last_epoch + 1))
    else:
        scheduler.step()


def wanted(document, steps, bases=BASES, start=0):
    schedule = olm.parse(document).schedule
    return [[schedule.lr(step, base) for base in bases] for step in range(start, start + steps)]


def observed(spec, metric, step):
    """A spec whose schedules, those of its targets too, have observed a metric."""
    also = tuple(target.with_curve(target.curve.observe(metric, step)) for target in spec.also)
    return spec.model_copy(update={"schedule": spec.schedule.observe(metric, step), "also": also})
