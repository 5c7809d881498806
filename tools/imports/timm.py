"""timm: the scheduler of train.py, from the options of its command line.

The package has no train.py. Its options of the schedule, the base rate that it computes without
``--lr`` and its loop are transcribed from the repository (huggingface/pytorch-image-models at
aa4b585, train.py, lines 213 to 264, 837 to 849, 1108 to 1143 and 1434 to 1439).
"""

from __future__ import annotations

import argparse
import shlex
import sys
from importlib import import_module
from importlib.metadata import distribution
from random import Random
from types import ModuleType
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some

NAMES = ("cosine", "tanh", "step", "multistep", "poly", "wsd", "rsqrt", "constant", "none")

OPTIONS: dict[str, tuple[Any, Any, list[Any]]] = {
    "epochs": (int, 300, []),
    "lr": (float, None, [0.1, 0.05, 1e-3]),
    "lr_base": (float, 0.1, [0.2]),
    "lr_base_size": (int, 256, [128]),
    "lr_base_scale": (str, "", ["sqrt", "linear"]),
    "batch_size": (int, 128, [32, 96]),
    "grad_accum_steps": (int, 1, [2]),
    "opt": (str, "sgd", ["adamw", "lamb", "sgd"]),
    "lr_cycle_mul": (float, 1.0, [1.0, 1.5, 2.0, 0.5]),
    "lr_cycle_decay": (float, 0.5, [0.1, 1.0]),
    "lr_cycle_limit": (int, 1, [1, 2, 3]),
    "lr_k_decay": (float, 1.0, [1.0, 1.0, 1.0, 0.7]),
    "lr_decay_fn": (str, None, ["linear", "cosine", "1-sqrt"]),
    "lr_stable_timescale": (float, None, [2, 5]),
    "warmup_lr": (float, 1e-5, [1e-4, 1e-6]),
    "min_lr": (float, 0.0, [1e-5, 1e-4]),
    "decay_milestones": (int, [90, 180, 270], [[3, 6], [4], [2, 5, 9]]),
    "decay_epochs": (float, None, [2, 3, 2.4, 0.5]),
    "warmup_epochs": (int, 5, [0, 1, 2, 3]),
    "cooldown_epochs": (int, 0, [0, 3]),
    "decay_rate": (float, 0.1, [0.97, 0.5, 1.0, 2.0]),
}
"""The options of train.py: the type, the default and values to draw."""

FLAGS = ("sched_on_updates", "warmup_prefix")


def draw(random: Random) -> Configuration:
    """A command line, with some of the options."""
    drawn = {"sched": random.choice(NAMES), "epochs": random.randrange(4, 15)}
    drawn |= some(random, {"lr": OPTIONS["lr"][2]}, 0.8)
    drawn |= some(random, {"warmup_epochs": OPTIONS["warmup_epochs"][2]}, 0.7)
    rest = {key: values for key, (_, _, values) in OPTIONS.items() if values and key not in drawn}
    drawn |= some(random, rest, 0.25)
    words = ["python", "train.py", "/data"]
    for key, value in drawn.items():
        written = value if isinstance(value, list) else [value]
        words += [f"--{key.replace('_', '-')}", *map(str, written)]
    words += [f"--{flag.replace('_', '-')}" for flag in FLAGS if random.random() < 0.3]
    given = {"steps_per_epoch": random.randrange(1, 5), "world_size": random.choice([1, 4])}
    return Configuration(shlex.join(words) + "\n", given)


def rates(configuration: Configuration) -> list[float]:
    """Call the scheduler of the command line as the loop of train.py does."""
    options = _parser().parse_args(shlex.split(configuration.text)[2:])
    per_epoch = configuration.given["steps_per_epoch"]
    lr = options.lr or _scaled(options, configuration.given["world_size"])
    optimizer = optimizer_of(lr)
    factory = _factory()
    scheduler, epochs = factory.create_scheduler_v2(
        optimizer, **factory.scheduler_kwargs(options), updates_per_epoch=per_epoch
    )
    rates = []
    for epoch in range(epochs):
        for update in range(per_epoch):
            rates.append(optimizer.param_groups[0]["lr"])
            if scheduler is not None:
                scheduler.step_update(num_updates=epoch * per_epoch + update + 1)
        if scheduler is not None:
            scheduler.step(epoch + 1)
    return rates[:90]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("data_dir")
    parser.add_argument("--sched", type=str, default="cosine")
    for key, (kind, default, _) in OPTIONS.items():
        several: dict[str, Any] = {"nargs": "+"} if isinstance(default, list) else {}
        parser.add_argument(f"--{key.replace('_', '-')}", type=kind, default=default, **several)
    for flag in FLAGS:
        parser.add_argument(f"--{flag.replace('_', '-')}", action="store_true")
    return parser


def _scaled(options: argparse.Namespace, world: int) -> float:
    """The base rate by the batch of all processes, where the command line has no ``--lr``."""
    ratio = options.batch_size * options.grad_accum_steps * world / options.lr_base_size
    name = options.opt.lower()
    scale = options.lr_base_scale
    if not scale:
        scale = "sqrt" if any(part in name for part in ("ada", "lamb")) else "linear"
    return float(options.lr_base * (ratio**0.5 if scale == "sqrt" else ratio))


def _factory() -> ModuleType:
    """The module of the factory, without the models, which need torchvision."""
    package = ModuleType("timm")
    package.__path__ = [str(distribution("timm").locate_file("timm"))]
    sys.modules.setdefault("timm", package)
    return import_module("timm.scheduler.scheduler_factory")


FRAMEWORK = Framework(
    distribution="timm",
    version="1.0.31",
    suffix=".sh",
    draw=draw,
    rates=rates,
    needs=["torch", "numpy"],
    dependencies=False,
)
