"""DeepSpeed: the scheduler that its engine creates from its configuration."""

from __future__ import annotations

import json
import logging
from importlib import import_module
from random import Random
from types import SimpleNamespace
from typing import Any

from imports import Configuration, Framework
from imports._drawing import some, stepped
from imports._torch import CLASSES, CYCLES, drawn_call

STEPS = 64

OPTIMIZERS: dict[str, dict[str, list[Any]]] = {
    "Adam": {"betas": [[0.9, 0.95]], "weight_decay": [0.01]},
    "AdamW": {"betas": [[0.9, 0.95]], "weight_decay": [0.01]},
    "SGD": {"momentum": [0.9], "weight_decay": [0.01]},
}

WARMUP: dict[str, list[Any]] = {
    "warmup_min_lr": [0, 1e-5, 1e-6],
    "warmup_max_lr": [1e-3, 0.1, None],
    "warmup_num_steps": [1, 2, 10, 13, 70],
    "warmup_type": ["linear", "log"],
}

OPTIONS: dict[str, dict[str, list[Any]]] = {
    "WarmupLR": WARMUP,
    "WarmupDecayLR": WARMUP,
    "WarmupCosineLR": {
        "warmup_min_ratio": [0.0, 0.1],
        "warmup_num_steps": [1, 2, 10, 13, 70],
        "cos_min_ratio": [0.0, 0.1],
        "warmup_type": ["linear", "log"],
    },
    "LRRangeTest": {
        "lr_range_test_min_lr": [1e-3, 1e-5],
        "lr_range_test_step_size": [1, 7, 20],
        "lr_range_test_step_rate": [0.5, 3.0],
        "lr_range_test_staircase": [True, False],
    },
    "OneCycle": {
        "decay_lr_rate": [0.0, 0.5, None],
        "cycle_first_step_size": [1, 12, 17],
        "cycle_second_step_size": [0, 9, 12, 24],
        "cycle_first_stair_count": [0, 3, 4],
        "cycle_second_stair_count": [0, 3, 4],
        "decay_step_size": [0, 1, 5],
        "cycle_momentum": [True, False],
        "cycle_min_mom": [0.85],
        "cycle_max_mom": [0.95, 0.99],
        "decay_mom_rate": [0.0, 0.1],
    },
}
"""The parameters of DeepSpeed's schedulers, all with defaults."""


def draw(random: Random) -> Configuration:
    """One of DeepSpeed's schedulers or of torch's, with an optimizer."""
    lr, optimizer = random.choice([1e-3, 2e-5, 0.1]), random.choice([*OPTIMIZERS])
    name = random.choice([*OPTIONS] * 3 + [*CLASSES, *CYCLES])
    params = _params(random, name) if name in OPTIONS else drawn_call(random, name, lr, STEPS)[1]
    drawn = {
        "train_batch_size": 8,
        "optimizer": {
            "type": optimizer,
            "params": {"lr": lr, **some(random, OPTIMIZERS[optimizer])},
        },
        "scheduler": {"type": name, "params": params},
        "zero_optimization": {"stage": random.randrange(0, 3)},
    }
    return Configuration(json.dumps(drawn))


def rates(configuration: Configuration) -> list[float]:
    """Step the scheduler as the engine does, after every step of the optimizer."""
    torch, engine = import_module("torch"), import_module("deepspeed.runtime.engine")
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    settings = import_module("deepspeed").DeepSpeedConfig(json.loads(configuration.text))
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = getattr(torch.optim, _type_of(settings))([parameter], **settings.optimizer_params)
    read = SimpleNamespace(
        scheduler_name=lambda: settings.scheduler_name,
        scheduler_params=lambda: settings.scheduler_params,
    )
    scheduler = engine.DeepSpeedEngine._scheduler_from_config(read, optimizer)
    return stepped(optimizer, scheduler, STEPS)


def _type_of(settings: Any) -> str:
    """The class of the optimizer, whose name DeepSpeed writes in lower case."""
    return {name.lower(): name for name in OPTIMIZERS}[settings.optimizer_name.lower()]


def _params(random: Random, name: str) -> dict[str, Any]:
    params = some(random, OPTIONS[name])
    if name in ("WarmupDecayLR", "WarmupCosineLR"):
        params["total_num_steps"] = random.choice([STEPS, 50, 12, 1])
    if name == "OneCycle":
        params |= {"cycle_min_lr": random.choice([1e-4, 1e-6]), "cycle_max_lr": 1e-3}
    return params


FRAMEWORK = Framework(
    distribution="deepspeed",
    version="0.19.8",
    suffix=".json",
    draw=draw,
    rates=rates,
    tolerance=1e-11,
    needs=[
        "torch",
        "numpy",
        "einops",
        "hjson",
        "msgpack",
        "ninja",
        "packaging",
        "psutil",
        "py-cpuinfo",
        "pydantic",
        "tqdm",
    ],
    dependencies=False,
)
