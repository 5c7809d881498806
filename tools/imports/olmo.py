"""OLMo: the scheduler that `build_scheduler` makes, called with what its trainer counts."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from imports import Configuration, Framework
from imports._drawing import some, yaml_of
from peers._stubs import stub_module, stub_packages

NAMES = [
    "cosine_with_warmup",
    "linear_with_warmup",
    "inverse_sqrt_with_warmup",
    "max_scheduler",
    "constant",
    "cosine_linear_envelope",
    "constant_with_warmup",
]

STUBS = "checkpoint data eval exceptions model optim_state torch_util"
"""The modules that the trainer only names classes of."""


def draw(random: Random) -> Configuration:
    """A configuration whose scheduler counts steps or tokens."""
    units, batch, length = random.choice(["steps", "tokens"]), random.choice([2, 8]), 16
    steps = random.randrange(1, 70)
    each = batch * length if units == "tokens" else 1
    warmups = [0, 1, 7.0, 20 * each, 90 * each, 5 * each + each // 2]
    scheduler = {"units": units} | some(random, {"name": NAMES}, 0.9)
    scheduler |= {"t_warmup": random.choice(warmups)}
    ends: dict[str, Sequence[Any]] = {
        "t_max": [steps * each, 40 * each + each // 3, 100.0 * each, 5 * each],
        "warmup_min_lr": [0.0, 1e-5, 2e-4],
    }
    scheduler |= some(random, ends, 0.4) | some(random, {"alpha_f": [0.0, 0.0, 0.1, 0.5]}, 0.7)
    tokens, given = random.choice([0, 0, 3]), {}
    duration: Any = random.choice([steps, str(steps), f"{steps * batch * length - tokens}T"])
    if random.random() < 0.2:
        duration, given = "2ep", {"steps_per_epoch": random.randrange(1, 35)}
    optimizer = {"learning_rate": random.choice([3e-4, 1e-3])}
    config = {
        "model": {"max_sequence_length": length},
        "optimizer": optimizer,
        "scheduler": scheduler,
        "max_duration": duration,
        "global_train_batch_size": batch,
    }
    return Configuration(yaml_of(config), given)


def rates(configuration: Configuration) -> list[float]:
    """The rate of each step, before which the trainer counts it."""
    optim, train = _modules()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(configuration.text, encoding="utf-8")
        config = import_module("olmo.config").TrainConfig.load(path)
    epoch = {"batches_per_epoch": configuration.given.get("steps_per_epoch", 0)}
    trainer: Any = object.__new__(type("Counting", (train.Trainer,), epoch))
    trainer.cfg, trainer.global_step, trainer.global_train_tokens_seen = config, 0, 0
    scheduler, curve = optim.build_scheduler(config), []
    for _ in range(trainer.max_steps):
        trainer.global_step += 1
        trainer.global_train_tokens_seen += trainer.tokens_per_batch
        rate = config.optimizer.learning_rate
        curve.append(scheduler.get_lr(rate, trainer.scheduler_current, trainer.scheduler_max))
    return curve


def _modules() -> tuple[Any, Any]:
    """The modules of the schedulers and of the trainer, without the model and its data."""
    stub_packages("ai2-olmo", "olmo")
    stub_module("olmo", __getattr__=_stand_in)
    for name in STUBS.split():
        stub_module(f"olmo.{name}", __getattr__=_stand_in)
    stub_module("olmo.util", StrEnum=StrEnum, __getattr__=_stand_in)
    stub_module("wandb", __getattr__=_stand_in)
    return import_module("olmo.optim"), import_module("olmo.train")


def _stand_in(name: str) -> type:
    """A class of any name."""
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})


FRAMEWORK = Framework(
    distribution="ai2-olmo",
    version="0.6.0",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "numpy", "omegaconf", "packaging"],
    dependencies=False,
)
