"""torchtitan: the scheduler of the table ``[lr_scheduler]``."""

from __future__ import annotations

import json
import logging
import sys
import tomllib
from functools import cache
from importlib import import_module
from importlib.metadata import distribution
from random import Random
from types import ModuleType
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some, stepped

PACKAGES = ("", ".components", ".components.optimizer", ".config", ".observability", ".tools")

OPTIONS: dict[str, list[Any]] = {
    "warmup_steps": [0, 1, 2, 7, 12, 30, 90],
    "total_steps": [10, 80, 79],
    "decay_ratio": [0.0, 0.1, 0.25, 0.5, 0.8, 1.0],
    "decay_type": ["linear", "sqrt", "cosine"],
    "min_lr_factor": [0.0, 0.1, 0.3],
}


def draw(random: Random) -> Configuration:
    """The tables of a run."""
    steps = random.randrange(5, 78)
    scheduler = some(
        random, {**OPTIONS, "total_steps": [*OPTIONS["total_steps"], steps, steps - 1]}
    )
    if random.random() < 0.6:
        scheduler.pop("total_steps", None)
    tables = {
        "optimizer": some(
            random, {"name": ["AdamW"], "lr": [1e-3, 0.1], "weight_decay": [0.1]}, 0.8
        ),
        "lr_scheduler": scheduler,
        "training": {"steps": steps, **some(random, {"local_batch_size": [4]})},
    }
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(table[key])}" for key in table), ""]
    return Configuration("\n".join(lines))


def rates(configuration: Configuration) -> list[float]:
    """Step the container of schedulers that the tables configure."""
    logging.disable(logging.WARNING)
    tables = tomllib.loads(configuration.text)
    module = _schedulers()
    optimizer = optimizer_of(tables["optimizer"].get("lr", 8e-4))
    steps = tables["training"]["steps"]
    config = module.LRSchedulersContainer.Config(**tables["lr_scheduler"])
    return stepped(optimizer, config.build(optimizers=[optimizer], training_steps=steps), steps)


@cache
def _schedulers() -> ModuleType:
    """The module of the schedulers, without the models and the command line."""
    installed = distribution("torchtitan")
    for name in (f"torchtitan{part}" for part in PACKAGES):
        package = ModuleType(name)
        package.__path__ = [str(installed.locate_file(name.replace(".", "/")))]
        sys.modules[name] = package
    optimizers = ModuleType("torchtitan.components.optimizer.optimizer")
    vars(optimizers)["OptimizersContainer"] = list
    sys.modules[optimizers.__name__] = optimizers
    configurable = import_module("torchtitan.config.configurable").Configurable
    vars(sys.modules["torchtitan.config"])["Configurable"] = configurable
    return import_module("torchtitan.components.optimizer.lr_scheduler")


FRAMEWORK = Framework(
    distribution="torchtitan",
    version="0.3.0",
    suffix=".toml",
    draw=draw,
    rates=rates,
    needs=["torch", "numpy"],
    dependencies=False,
)
