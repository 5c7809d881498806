"""NeMo: the schedule in `optim.sched`, which `prepare_lr_scheduler` constructs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module
from random import Random
from types import ModuleType
from typing import Any

from imports import Configuration, Framework
from peers._stubs import stub_module, stub_packages

Arguments = dict[str, Any]


def draw(random: Random) -> Configuration:
    """A trainer and a model whose optimizer has a schedule."""
    trainer, data, given, length = _run(random)
    sched = _sched(random, length)
    if "max_steps" not in trainer and random.random() < 0.4:
        sched["max_steps"] = random.choice([length, length + 9, max(1, length - 9)])
    optim = {"name": "adamw", "lr": random.choice([1e-3, 0.4]), "sched": sched}
    model: Arguments = {"optim": optim, **data}
    sections = {"trainer": trainer, **({"model": model} if random.random() < 0.7 else model)}
    lines = (f"{name}: {json.dumps(section)}" for name, section in sections.items())
    return Configuration("\n".join(lines) + "\n", given)


def rates(configuration: Configuration) -> list[float]:
    """Step the scheduler, which gets the run length as `ModelPT.setup_optimization` passes it."""
    torch: Any = import_module("torch")
    config = import_module("omegaconf").OmegaConf.create(configuration.text)
    model, trainer = config.get("model", config), config.trainer
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=model.optim.lr)
    sched, loader = model.optim.sched, None
    if trainer.get("max_steps", -1) >= 0:
        sched.max_steps = run = trainer.max_steps
    else:
        sched.t_max_epochs = trainer.max_epochs
        sched.t_accumulate_grad_batches = trainer.get("accumulate_grad_batches", 1)
        sched.t_limit_train_batches = trainer.get("limit_train_batches", 1.0)
        sched.t_num_workers = configuration.given["world_size"]
        run = _schedulers().compute_max_steps(
            sched.t_max_epochs,
            sched.t_accumulate_grad_batches,
            sched.t_limit_train_batches,
            sched.t_num_workers,
            configuration.given["dataset_size"],
            model.train_ds.batch_size,
            model.train_ds.get("drop_last", False),
        )
        loader = torch.utils.data.DataLoader(
            range(configuration.given["dataset_size"]),
            batch_size=model.train_ds.batch_size,
            drop_last=model.train_ds.get("drop_last", False),
        )
    scheduler = _schedulers().prepare_lr_scheduler(optimizer, sched, loader)["scheduler"]
    curve = []
    for _ in range(run + 1):
        curve.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return curve


@cache
def _schedulers() -> ModuleType:
    """The module of the schedulers, without the rest of NeMo."""
    quiet = logging.getLogger("nemo")
    quiet.setLevel(logging.ERROR)
    packages = ("nemo", "nemo.core", "nemo.core.optim", "nemo.core.classes", "nemo.core.config")
    stub_packages("nemo_toolkit", *packages, "nemo.utils")
    stub_module("nemo.core.classes.common", safe_instantiate=None)
    configs = ("SchedulerParams", "get_scheduler_config", "register_scheduler_params")
    stub_module("nemo.core.config.schedulers", **dict.fromkeys(configs))
    stub_module("nemo.utils", logging=quiet)
    stub_module("nemo.utils.model_utils", maybe_update_config_version=lambda config: config)
    return import_module("nemo.core.optim.lr_scheduler")


def _run(random: Random) -> tuple[Arguments, Arguments, Arguments, int]:
    """The trainer, the data, what the file does not say, and about how many steps it trains."""
    if random.random() < 0.6:
        steps = random.choice([1, 13, 50, 77])
        return {"max_steps": steps}, {}, {}, steps
    size, world, epochs = random.randrange(90, 250), random.choice([1, 2, 3]), random.choice([2, 5])
    data = {"batch_size": random.choice([8, 12]), **_some(random, drop_last=True)}
    limit, accumulate = random.choice([0.5, 4, 1.0]), random.choice([1, 2])
    trainer = {"max_epochs": epochs, "max_steps": -1} if random.random() < 0.5 else {}
    trainer |= {"max_epochs": epochs}
    trainer |= _some(random, limit_train_batches=limit, accumulate_grad_batches=accumulate)
    length = max(1, size * epochs // (world * data["batch_size"]))
    return trainer, {"train_ds": data}, {"dataset_size": size, "world_size": world}, length


def _sched(random: Random, length: int) -> Arguments:
    name = random.choice([*SCHEDULES])
    drawn: Arguments = {"name": name}
    for stage in SCHEDULES[name]:
        steps = random.choice([0, 1, 5, length // 3, length - 1, length + 4])
        share = random.choice([0.0, 0.07, 0.25, 0.5])
        drawn |= random.choice([{}, {f"{stage}_steps": steps}, {f"{stage}_ratio": share}])
    drawn |= _some(random, min_lr=random.choice([0.0, 1e-5, 3e-4]), last_epoch=-1)
    return {**drawn, **(OTHERS[name](random) if name in OTHERS else {})}


def _some(random: Random, **choices: Any) -> Arguments:
    """Some of the arguments that have defaults."""
    return {key: value for key, value in choices.items() if random.random() < 0.5}


WARM, HELD = ("warmup",), ("warmup", "hold")

SCHEDULES = {
    "WarmupPolicy": WARM,
    "WarmupHoldPolicy": HELD,
    "SquareAnnealing": WARM,
    "SquareRootAnnealing": WARM,
    "CosineAnnealing": ("warmup", "constant"),
    "NoamAnnealing": WARM,
    "NoamHoldAnnealing": HELD,
    "WarmupHoldAnnealOneMinusSquareRoot": HELD,
    "WarmupHoldAnnealLinear": HELD,
    "WarmupAnnealing": WARM,
    "InverseSquareRootAnnealing": WARM,
    "T5InverseSquareRootAnnealing": (),
    "PolynomialDecayAnnealing": WARM,
    "PolynomialHoldDecayAnnealing": HELD,
    "StepLR": (),
}
"""The schedules → the stages whose lengths are steps or shares."""


def _power(random: Random) -> Arguments:
    return _some(random, power=random.choice([0.5, 1.0, 2]), cycle=random.choice([False, True]))


OTHERS: dict[str, Callable[[Random], Arguments]] = {
    "NoamAnnealing": lambda random: {"d_model": random.choice([16, 512])},
    "NoamHoldAnnealing": lambda random: _some(random, decay_rate=random.choice([0.5, 1.0, 0.3])),
    "PolynomialDecayAnnealing": _power,
    "PolynomialHoldDecayAnnealing": _power,
    "StepLR": lambda random: {
        "step_size": random.choice([1, 7, 30]),
        **_some(random, gamma=random.choice([0.5, 0.9])),
    },
    "T5InverseSquareRootAnnealing": lambda random: {"constant_steps": random.choice([1, 9, 90])},
}

FRAMEWORK = Framework(
    distribution="nemo_toolkit",
    version="3.0.0",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "numpy", "omegaconf"],
    dependencies=False,
)
