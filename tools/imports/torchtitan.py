"""torchtitan: the scheduler of the table ``[lr_scheduler]``."""

from __future__ import annotations

import json
import logging
import tomllib
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some, stepped
from peers.torchtitan import schedulers

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
    module = schedulers()
    optimizer = optimizer_of(tables["optimizer"].get("lr", 8e-4))
    steps = tables["training"]["steps"]
    config = module.LRSchedulersContainer.Config(**tables["lr_scheduler"])
    return stepped(optimizer, config.build(optimizers=[optimizer], training_steps=steps), steps)


FRAMEWORK = Framework(
    distribution="torchtitan",
    version="0.3.0",
    suffix=".toml",
    draw=draw,
    rates=rates,
    needs=["torch", "numpy"],
    dependencies=False,
)
