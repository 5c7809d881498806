"""diffusers: `get_scheduler`, called as the training scripts call it.

The scripts are no part of the distribution. They multiply the lengths by the number of processes,
and accelerate steps the scheduler as many times at each update.
"""

from __future__ import annotations

import logging
from importlib import import_module
from math import ceil
from random import Random
from types import SimpleNamespace
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some
from peers._stubs import stub_module, stub_packages

SCHEDULES = [
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
]


def draw(random: Random) -> Configuration:
    """A command line of a script, on one process or several."""
    options: dict[str, Any] = {"learning_rate": random.choice([1e-4, 3e-5, 0.01])}
    options |= {"lr_scheduler": random.choice(SCHEDULES), "train_batch_size": random.choice([1, 3])}
    # The default of the warm-up is 500 steps, and the two below name the format.
    options |= {"lr_warmup_steps": random.choice([0, 1, 7, 20, 100])}
    cycles, powers = {"lr_num_cycles": [1, 2, 3]}, {"lr_power": [0.5, 1.0, 2.0]}
    options |= some(random, {**cycles, **powers, "gradient_accumulation_steps": [1, 2]})
    given = {"world_size": random.choice([1, 2, 3])}
    if random.random() < 0.6:
        options["max_train_steps"] = random.choice([1, 2, 13, 50, 71])
    else:
        options["num_train_epochs"] = random.choice([1, 2, 5])
        given["dataset_size"] = random.randrange(4, 60)
    words = [f"--{key}={value}" for key, value in options.items()]
    words += ["--scale_lr"] * (random.random() < 0.3)
    line = f"accelerate launch train_text_to_image_lora.py {' '.join(words)}\n"
    return Configuration(line, given, {**options, "scale_lr": "--scale_lr" in words})


def rates(configuration: Configuration) -> list[float]:
    """Step the scheduler as many times at each update as there are processes."""
    options, given = configuration.arguments, configuration.given
    world, batch = given["world_size"], options["train_batch_size"]
    accumulate, lr = options.get("gradient_accumulation_steps", 1), options["learning_rate"]
    if options["scale_lr"]:
        lr = lr * accumulate * batch * world
    optimizer, updates = optimizer_of(lr), options.get("max_train_steps", 0)
    if not updates:
        batches = ceil(ceil(given["dataset_size"] / batch) / world)
        updates = options["num_train_epochs"] * ceil(batches / accumulate)
    scheduler = _get_scheduler()(
        options["lr_scheduler"],
        optimizer=optimizer,
        num_warmup_steps=options["lr_warmup_steps"] * world,
        num_training_steps=updates * world,
        num_cycles=options.get("lr_num_cycles", 1),
        power=options.get("lr_power", 1.0),
    )
    curve = []
    for _ in range(updates):
        curve.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for _ in range(world):
            scheduler.step()
    return curve


def _get_scheduler() -> Any:
    stub_packages("diffusers", "diffusers", "diffusers.utils")
    stub_module("diffusers.utils", logging=SimpleNamespace(get_logger=logging.getLogger))
    return import_module("diffusers.optimization").get_scheduler


FRAMEWORK = Framework(
    distribution="diffusers",
    version="0.40.0",
    suffix=".sh",
    draw=draw,
    rates=rates,
    count=50,
    needs=["torch", "numpy"],
    dependencies=False,
)
