"""levanter: `OptimizerConfig.lr_scheduler`, which jax computes here in float64."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import some, yaml_of
from peers._stubs import stub_module, stub_packages

STUBS = (
    "haliax levanter.tracker levanter.optim.clip_update_norm levanter.optim.skipstep "
    "levanter.optim.util levanter.utils.jax_utils"
)
"""The modules that the configuration only names functions and classes of."""


def draw(random: Random) -> Configuration:
    """A trainer and an optimizer, whose run may have cycles and a cooldown."""
    total = random.randrange(4, 75)
    keys: dict[str, Sequence[Any]] = {
        "learning_rate": [1e-3, 3e-4],
        "min_lr_ratio": [0.0, 0.1, 0.5],
        "warmup": [0, 0.0, 0.07, 0.25, 3, 10.0, 100],
        "weight_decay": [0.1],
    }
    optimizer = {"lr_schedule": _schedule(random)} | some(random, keys, 0.7)
    optimizer |= some(random, {"decay": [0.2, 0.5, 5, 0, 1.0], "cooldown": [0.1, 4]}, 0.2)
    if random.random() < 0.4:
        cycles: dict[str, Sequence[Any]] = {
            "cycles": [2, 3, [total // 2], [total // 3, total - 1]],
            "cycle_length": [0.5, 0.3, 9, [total // 2], [total // 4, total // 3]],
            "haps": [[total // 2]],
        }
        key = random.choice([*cycles])
        optimizer[key] = random.choice(cycles[key])
        optimizer |= some(random, {"rewarmup": [0.1, 2]})
    config = {"trainer": {"num_train_steps": total}, "optimizer": optimizer}
    return Configuration(yaml_of(config), arguments=config)


def rates(configuration: Configuration) -> list[float]:
    """Decode the optimizer, and call its schedule with each step and a few past the end."""
    jax, draccus = import_module("jax"), import_module("draccus")
    jax.config.update("jax_enable_x64", True)
    config: Any = _module()
    total = configuration.arguments["trainer"]["num_train_steps"]
    optimizer = draccus.decode(config.AdamConfig, configuration.arguments["optimizer"])
    schedule = optimizer.lr_scheduler(total)
    return [schedule(step) for step in range(total + 3)]


def _schedule(random: Random) -> Any:
    name = random.choice(["constant", "cosine", "linear", "inv_sqrt", "inv"])
    if random.random() < 0.5:
        return name
    name = random.choice([name, "polynomial", "inv_sqrt_decay"])
    options: dict[str, dict[str, Sequence[Any]]] = {
        "cosine": {"exponent": [1.0, 1.0, 2.0]},
        "inv_sqrt": {"timescale": [5, 40]},
        "polynomial": {"power": [0.5, 1.0, 3.0]},
        "inv_sqrt_decay": {"decay_constant": [3.0, 50.0]},
    }
    return {"type": name, **some(random, options.get(name, {}), 0.8)}


def _module() -> Any:
    """The module of the optimizers, without the models."""
    stub_packages("marin-levanter", "levanter", "levanter.optim", "levanter.utils")
    for name in STUBS.split():
        stub_module(name, __getattr__=_stand_in)
    return import_module("levanter.optim.config")


def _stand_in(name: str) -> type:
    """A class of any name."""
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})


FRAMEWORK = Framework(
    distribution="marin-levanter",
    version="0.2.20.dev202606180959",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["jax==0.10.2", "jaxlib==0.10.2", "optax==0.2.8", "draccus", "equinox"],
    dependencies=False,
)
