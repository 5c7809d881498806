"""nanotron: the scheduler that its trainer builds from a configuration.

PyPI has the first release that is called 0.4, which has no decay `1-sqrt`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from enum import Enum
from importlib import import_module
from random import Random
from types import SimpleNamespace
from typing import Any

import yaml

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some, stepped, yaml_of
from peers._stubs import stub_module

STUBS = (
    "distributed generation.sampler models models.base optim.base optim.gradient_accumulator "
    "optim.named_optimizer optim.optimizer_from_gradient_accumulator optim.zero parallel "
    "parallel.pipeline_parallel.engine random"
)
"""The modules that the configuration only names classes of, and which import one another."""

OPTIMIZER = {
    "zero_stage": 0,
    "weight_decay": 0.1,
    "clip_grad": 1.0,
    "accumulate_grad_in_fp32": True,
    "adam_eps": 1e-08,
    "adam_beta1": 0.9,
    "adam_beta2": 0.95,
    "torch_adam_is_fused": False,
}

MODEL = {"model_config": {"is_llama_config": True}, "init_method": {"std": 0.02}}

TOKENS = {"sequence_length": 8, "micro_batch_size": 2, "batch_accumulation_per_replica": 1}


Mode = Enum("Mode", "ALL_REDUCE REDUCE_SCATTER")
"""nanotron's TensorParallelLinearMode."""


def draw(random: Random) -> Configuration:
    """A whole configuration, whose warm-up, plateau and decay may overlap."""
    total, warmup = random.randrange(1, 70), random.choice([0, 1, 5, 12, 90])
    keys: dict[str, Sequence[Any]] = {
        "lr_warmup_steps": [warmup],
        "lr_warmup_style": ["linear", "linear", "constant"],
        "lr_decay_style": ["linear", "cosine"],
        "min_decay_lr": [0, 1e-6, 1e-4],
    }
    scheduler = {"learning_rate": random.choice([1e-3, 3e-4, 0.1])} | some(random, keys, 0.93)
    scheduler |= some(random, {"lr_decay_steps": [0, 1, 7, 20, max(0, total - warmup)]}, 0.4)
    scheduler |= some(random, {"lr_decay_starting_step": [0, 3, warmup, warmup + 1, 25]}, 0.4)
    configuration = {
        "general": {"project": "drawn"},
        "parallelism": {"dp": 2, "pp": 1, "tp": 1},
        "model": MODEL,
        "tokenizer": {},
        "tokens": {"train_steps": total, **TOKENS},
        "optimizer": {**OPTIMIZER, "learning_rate_scheduler": scheduler},
    }
    return Configuration(yaml_of(configuration), arguments=configuration)


def rates(configuration: Configuration) -> list[float]:
    """Read the configuration, and step the scheduler that nanotron builds of it."""
    _stub()
    library: Any = import_module("nanotron.config.config")
    build = import_module("nanotron.helpers").lr_scheduler_builder
    config = library.get_config_from_dict(yaml.safe_load(configuration.text))
    arguments, total = config.optimizer.learning_rate_scheduler, config.tokens.train_steps
    optimizer = optimizer_of(arguments.learning_rate)
    scheduler = build(SimpleNamespace(get_base_optimizer=lambda: optimizer), arguments, total)
    return stepped(optimizer, scheduler, total + 4)


def _stub() -> None:
    for name in STUBS.split():
        stub_module(f"nanotron.{name}", __getattr__=_stand_in)
    stub_module("nanotron.parallel.tensor_parallel.nn", TensorParallelLinearMode=Mode)
    stub_module("nanotron.logging", get_logger=logging.getLogger, log_rank=print, LogItem=object)


def _stand_in(name: str) -> type:
    """A class of any name."""
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})


FRAMEWORK = Framework(
    distribution="nanotron",
    version="0.4",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "numpy", "pyyaml", "dacite", "packaging", "safetensors", "tqdm"],
    dependencies=False,
)
