"""torchtitan: one schedule with a warm-up, a stable part and a decay, on LambdaLR of torch."""

from __future__ import annotations

import logging
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import distribution
from types import ModuleType
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._stepping import stepped

Spec = dict[str, Any]

BASES = (0.1, 3e-4)


def rates(row: Row) -> Curves:
    """Step the container of schedulers of torchtitan."""
    return stepped(row, vars(schedulers()))


@cache
def schedulers() -> ModuleType:
    """The module `lr_scheduler`, without the models and the command line."""
    # It warns when it shortens a phase.
    logging.disable(logging.WARNING)
    installed = distribution("torchtitan")
    for name in (
        "torchtitan",
        "torchtitan.components",
        "torchtitan.components.optimizer",
        "torchtitan.config",
        "torchtitan.observability",
        "torchtitan.tools",
    ):
        package = ModuleType(name)
        package.__path__ = [str(installed.locate_file(name.replace(".", "/")))]
        sys.modules[name] = package
    optimizers = ModuleType("torchtitan.components.optimizer.optimizer")
    vars(optimizers)["OptimizersContainer"] = list
    sys.modules[optimizers.__name__] = optimizers
    configurable = import_module("torchtitan.config.configurable").Configurable
    vars(sys.modules["torchtitan.config"])["Configurable"] = configurable
    return import_module("torchtitan.components.optimizer.lr_scheduler")


def _call(training_steps: int = 40, **config: Any) -> str:
    """How its trainer interprets the table `[lr_scheduler]` of a configuration."""
    fields = ", ".join(f"{name}={value!r}" for name, value in config.items())
    arguments = f"optimizers=[optimizer], training_steps={training_steps}"
    return f"LRSchedulersContainer.Config({fields}).build({arguments})"


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total_steps: int, **fields: Any) -> Spec:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _stable(warmup: int, until: int, decay: Spec) -> Spec:
    """A warm-up, the base rate, and a decay from a step on; the warm-up includes step 0."""
    rise = {"kind": "WarmupLR", "warmup_steps": warmup}
    return {"kind": "SequentialLR", "schedulers": [rise, decay], "milestones": [until]}


BELOW_ZERO = "torchtitan continues below zero after total_steps; olm stays at zero"
BELOW_MINIMUM = "torchtitan continues below its minimum after total_steps; olm stays at the minimum"
RISES = "torchtitan rises again after total_steps; olm stays at its minimum"

ROWS = [
    Row(_call(warmup_steps=8), _stable(8, 8, _ramp(32)), BASES, _up_to(40)),
    Row(_call(warmup_steps=8), _stable(8, 8, _ramp(32)), BASES, _up_to(50), BELOW_ZERO),
    Row(
        # The schedule is shorter than the training.
        _call(training_steps=40, warmup_steps=4, total_steps=30, min_lr_factor=0.1),
        _stable(4, 4, _ramp(26, end_factor=0.1)),
        BASES,
        _up_to(40),
        BELOW_MINIMUM,
    ),
    Row(
        # The training is shorter than the schedule.
        _call(training_steps=30, warmup_steps=4, total_steps=40, min_lr_factor=0.1),
        _stable(4, 4, _ramp(36, end_factor=0.1)),
        BASES,
        _up_to(30),
    ),
    Row(
        _call(warmup_steps=5, decay_ratio=0.3),
        _stable(5, 28, _ramp(12)),
        BASES,
        _up_to(40),
    ),
    Row(
        # A tenth of 25 steps is rounded to the even number, 2.
        _call(training_steps=25, warmup_steps=0, decay_ratio=0.1, min_lr_factor=0.2),
        _stable(0, 23, _ramp(2, end_factor=0.2)),
        BASES,
        _up_to(25),
    ),
    Row(
        _call(warmup_steps=5, decay_ratio=0.5, decay_type="sqrt"),
        _stable(5, 20, _ramp(20, ease="power", power=0.5)),
        BASES,
        _up_to(40),
    ),
    Row(
        _call(warmup_steps=5, decay_ratio=0.5, decay_type="sqrt", min_lr_factor=0.1),
        _stable(5, 20, _ramp(20, end_factor=0.1, ease="power", power=0.5)),
        BASES,
        _up_to(50),
        BELOW_MINIMUM,
    ),
    Row(
        _call(warmup_steps=8, decay_type="cosine"),
        {"kind": "WarmupCosineScheduler", "warmup_steps": 8, "total_steps": 40},
        BASES,
        _up_to(40),
    ),
    Row(
        _call(warmup_steps=0, decay_type="cosine", min_lr_factor=0.1),
        _ramp(40, end_factor=0.1, ease="cosine"),
        BASES,
        _up_to(50),
        RISES,
    ),
    Row(
        _call(warmup_steps=5, decay_ratio=0.25, decay_type="cosine", min_lr_factor=0.1),
        _stable(5, 30, _ramp(10, end_factor=0.1, ease="cosine")),
        BASES,
        _up_to(40),
    ),
    Row(
        # It shortens a decay that does not fit after the warm-up.
        _call(warmup_steps=25, decay_ratio=0.75),
        _stable(25, 25, _ramp(15)),
        BASES,
        _up_to(40),
    ),
    Row(
        # It shortens a warm-up longer than the schedule, here its default of 200 steps.
        _call(training_steps=20),
        {"kind": "WarmupLR", "warmup_steps": 20},
        BASES,
        _up_to(19),
    ),
]

PEER = Peer(
    distribution="torchtitan",
    version="0.3.0",
    tolerance=1e-12,
    rows=ROWS,
    rates=rates,
    refused=[
        Refused(
            _call(warmup_steps=60, decay_type="cosine"),
            {"kind": "WarmupCosineScheduler", "warmup_steps": 60, "total_steps": 40},
            argument="warmup_steps",
            instead="torchtitan warns and shortens the warm-up; olm requires one below the total",
        ),
        Refused(
            _call(warmup_steps=-3, decay_type="cosine"),
            {"kind": "WarmupCosineScheduler", "warmup_steps": -3, "total_steps": 40},
            argument="warmup_steps",
            instead="torchtitan starts inside the decay; olm requires at least 0",
        ),
        Refused(
            _call(warmup_steps=5, decay_ratio=0.0),
            _stable(5, 40, _ramp(0)),
            argument="total_steps",
            instead="torchtitan raises AssertionError after the last step; olm requires at least 1",
        ),
    ],
    needs=["torch", "numpy"],
    dependencies=False,
)
