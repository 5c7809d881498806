"""torchvision: the schedulers of torch that its classification reference makes.

PyPI has no references, so that the few lines that make the schedulers are transcribed here.
"""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some

NAMES = ["steplr", "StepLR", "cosineannealinglr", "exponentiallr"]


def draw(random: Random) -> Configuration:
    """A command line, and the size of the data set or the steps of an epoch."""
    keys: dict[str, list[Any]] = {
        "lr": [0.5, 0.1, 0.001],
        "epochs": [random.randrange(1, 16)],
        "lr-step-size": [1, 3, 30],
        "lr-gamma": [0.5, 0.9],
        "lr-min": [0.0, 1e-5],
        "lr-warmup-method": ["linear", "constant"],
        "lr-warmup-decay": [0.1, 0.5, 0.0],
        "momentum": [0.8],
        "wd": [1e-5],
    }
    options = {"lr-scheduler": random.choice(NAMES), **some(random, keys)}
    options |= {"epochs": 14} if "epochs" not in options else {}
    # By this key a command is recognized.
    options["lr-warmup-epochs"] = random.choice([0, 1, 3, 5, options["epochs"], 20])
    given = {"steps_per_epoch": random.randrange(1, 6)}
    if random.random() < 0.5:
        options |= (batch := some(random, {"batch-size": [8, 11]}))
        size = random.randrange(1, 6) * batch.get("batch-size", 32) + random.randrange(9)
        given = {"dataset_size": size, "world_size": random.choice([1, 2])}
    words = [f"--{key} {value}" for key, value in options.items()]
    return Configuration("python train.py --model resnet50 " + " ".join(words) + "\n", given)


def rates(configuration: Configuration) -> list[float]:
    """The rate of each step, with the scheduler stepped after each epoch.

    Source: pytorch/vision, `references/classification/train.py`: `main` and `get_args_parser`.
    """
    options = _parser().parse_args(shlex.split(configuration.text)[2:])
    optimizer = optimizer_of(options.lr)
    scheduler, curve = _scheduler(optimizer, options), []
    steps = _steps_per_epoch(options, **configuration.given)
    for _ in range(options.epochs):
        curve += [optimizer.param_groups[0]["lr"]] * steps
        optimizer.step()
        scheduler.step()
    return curve


def _parser() -> ArgumentParser:
    parser = ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--epochs", default=90, type=int)
    parser.add_argument("-b", "--batch-size", default=32, type=int)
    parser.add_argument("--lr", default=0.1, type=float)
    parser.add_argument("--momentum", default=0.9, type=float)
    parser.add_argument("--wd", "--weight-decay", default=1e-4, type=float)
    parser.add_argument("--lr-scheduler", default="steplr")
    parser.add_argument("--lr-warmup-epochs", default=0, type=int)
    parser.add_argument("--lr-warmup-method", default="constant")
    parser.add_argument("--lr-warmup-decay", default=0.01, type=float)
    parser.add_argument("--lr-step-size", default=30, type=int)
    parser.add_argument("--lr-gamma", default=0.1, type=float)
    parser.add_argument("--lr-min", default=0.0, type=float)
    return parser


def _scheduler(optimizer: Any, options: Namespace) -> Any:
    kinds: Any = import_module("torch.optim.lr_scheduler")
    name, warmup = options.lr_scheduler.lower(), options.lr_warmup_epochs
    if name == "steplr":
        main = kinds.StepLR(optimizer, step_size=options.lr_step_size, gamma=options.lr_gamma)
    elif name == "cosineannealinglr":
        left = options.epochs - warmup
        main = kinds.CosineAnnealingLR(optimizer, T_max=left, eta_min=options.lr_min)
    else:
        main = kinds.ExponentialLR(optimizer, gamma=options.lr_gamma)
    if warmup <= 0:
        return main
    decay = options.lr_warmup_decay
    if options.lr_warmup_method == "linear":
        first = kinds.LinearLR(optimizer, start_factor=decay, total_iters=warmup)
    else:
        first = kinds.ConstantLR(optimizer, factor=decay, total_iters=warmup)
    return kinds.SequentialLR(optimizer, schedulers=[first, main], milestones=[warmup])


def _steps_per_epoch(
    options: Namespace, steps_per_epoch: int = 0, dataset_size: int = 0, world_size: int = 1
) -> int:
    """The batches of an epoch, the last of which may be smaller."""
    if steps_per_epoch:
        return steps_per_epoch
    data: Any = import_module("torch.utils.data")
    samples = range(dataset_size)
    sampler = data.DistributedSampler(samples, num_replicas=world_size, rank=0)
    return len(data.DataLoader(samples, batch_size=options.batch_size, sampler=sampler))


FRAMEWORK = Framework(
    distribution="torch",
    version="2.13.0",
    suffix=".sh",
    draw=draw,
    rates=rates,
    needs=["numpy"],
)
