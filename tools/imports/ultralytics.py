"""ultralytics: the scheduler of its trainer, which is stepped before each epoch.

A configuration that has several curves, or steps of several batches, is recorded as an error.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from random import Random
from typing import Any

import yaml

from imports import Configuration, Framework
from imports._drawing import some, yaml_of

OPTIMIZERS = ["SGD", "Adam", "Adamax", "AdamW", "NAdam", "RAdam", "RMSProp", "sgd", "adamw"]


def draw(random: Random) -> Configuration:
    """Arguments, in most cases with a fixed optimizer and without a warm-up."""
    keys: dict[str, list[Any]] = {
        "epochs": [1, 2, 7, 13],
        "cos_lr": [True, False],
        "momentum": [0.9, 0.8],
        "weight_decay": [0.001],
        "batch": [64, 100, 43],
        "nbs": [64, 16],
        "seed": [1],
    }
    drawn = {"task": "detect", "lr0": random.choice([0.01, 1e-3]), "epochs": 11}
    drawn |= {"lrf": random.choice([0.01, 0.1, 1.0, 0.0]), "batch": 64, **some(random, keys)}
    drawn |= some(random, {"optimizer": OPTIMIZERS}, 0.95) | some(random, {"batch": [16]}, 0.05)
    drawn |= some(random, {"warmup_epochs": [0, 0.0]}, 0.95)
    return Configuration(yaml_of(drawn), {"steps_per_epoch": random.randrange(1, 6)})


def rates(configuration: Configuration) -> list[float]:
    """Make the optimizer and the scheduler of the trainer, and follow its loop over the epochs.

    Source: ultralytics 8.4.190, `engine/trainer.py`: `_do_train`.

    Raises:
        ValueError: there is not one curve of steps.
    """
    torch: Any = import_module("torch")
    trainer, batches = _trainer(torch, configuration)
    several = max(round(trainer.args.nbs / trainer.args.batch), 1) > 1
    if several or trainer.args.optimizer == "auto" or trainer._get_warmup_iterations(batches):
        raise ValueError("steps of several batches, an optimizer by the data set, or a warm-up")
    groups, curve = trainer.optimizer.param_groups, []
    trainer.scheduler.last_epoch = -1
    # The trainer, too, steps the scheduler first.
    warnings.simplefilter("ignore")
    for _ in range(trainer.epochs):
        trainer.scheduler.step()
        (rate,) = {group["lr"] for group in groups}
        curve += [rate] * batches
    return curve


def _trainer(torch: Any, configuration: Configuration) -> tuple[Any, int]:
    """A trainer without a model to train, and the batches of an epoch."""
    kind = import_module("ultralytics.engine.trainer").BaseTrainer
    trainer = kind.__new__(kind)
    drawn = yaml.safe_load(configuration.text)
    trainer.args = args = import_module("ultralytics.cfg").get_cfg(overrides=drawn)
    trainer.epochs, trainer.data = args.epochs, {"nc": 80}
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    name, lr, momentum = args.optimizer, args.lr0, args.momentum
    trainer.optimizer = trainer.build_optimizer(model, name=name, lr=lr, momentum=momentum)
    trainer._setup_scheduler()
    return trainer, configuration.given["steps_per_epoch"]


FRAMEWORK = Framework(
    distribution="ultralytics",
    version="8.4.190",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch"],
)
