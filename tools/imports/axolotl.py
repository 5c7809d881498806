"""axolotl: the scheduler that its trainer creates, on top of transformers' Trainer."""

from __future__ import annotations

import sys
import tempfile
from functools import cache
from importlib import import_module
from importlib.metadata import distribution
from random import Random
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some, stepped, yaml_of

PACKAGES = ("", ".core", ".core.builders", ".core.trainers", ".core.trainers.mixins")

ABSENT = """
integrations integrations.base monkeypatch monkeypatch.trainer monkeypatch.trainer.lr telemetry
telemetry.callbacks telemetry.manager utils utils.callbacks utils.callbacks.profiler
utils.distributed utils.logging utils.schemas utils.schemas.enums
"""
"""The modules that the builder and the mixin import for other things than the schedule."""

OPTIONS: dict[str, dict[str, list[Any]]] = {
    "cosine": {"num_cycles": [0.5, 1, 1.5]},
    "cosine_with_restarts": {"num_cycles": [1, 2, 3]},
    "polynomial": {"power": [2.0, 0.5]},
    "inverse_sqrt": {"timescale": [10, 25]},
    "cosine_with_min_lr": {"num_cycles": [0.5, 1]},
    "warmup_stable_decay": {"decay_type": ["linear", "1-sqrt"], "min_lr_ratio": [0.1]},
    "one_cycle": {"pct_start": [0.2], "anneal_strategy": ["linear"], "three_phase": [True]},
}
"""The arguments of the schedules, all with defaults."""

NAMES = [*OPTIONS, "linear", "constant", "constant_with_warmup", "rex", "cosine", "cosine", "rex"]

COSINE = ("lr_quadratic_warmup", "cosine_min_lr_ratio", "cosine_constant_lr_ratio")

JAGGED = ("jagged_restart_steps", "jagged_restart_warmup_steps", "jagged_restart_anneal_steps")


def draw(random: Random) -> Configuration:
    """A file whose run has a number of steps, in the file or as an option."""
    steps = random.randrange(9, 76)
    drawn: dict[str, Any] = {"base_model": "example/tiny", "micro_batch_size": 1}
    drawn |= some(random, {"lr_scheduler": NAMES}, 0.9)
    name = drawn.get("lr_scheduler", "cosine")
    options = _options(random, name)
    drawn |= {"lr_scheduler_kwargs": options} if options else {}
    drawn["learning_rate"] = random.choice([1e-3, 2e-5])
    drawn |= random.choice(
        [
            {},
            {"warmup_steps": random.choice([0, 1, 2, 7, 80])},
            {"warmup_ratio": random.choice([0.0, 0.1, 0.29, 0.03])},
        ]
    )
    if name in ("cosine", "rex"):
        values: dict[str, list[Any]] = {
            "lr_quadratic_warmup": [True],
            "cosine_min_lr_ratio": [0.1, 0.0],
        }
        drawn |= some(random, values, 0.3)
        drawn |= some(random, {"cosine_constant_lr_ratio": [0.8, 0.5]}, 0.3)
    if random.random() < 0.2:
        drawn["jagged_restart_steps"] = random.randrange(5, 30)
        drawn |= some(random, {JAGGED[1]: [2, 4], JAGGED[2]: [1, 3]})
    drawn |= some(random, {"weight_decay": [0.01], "adam_beta1": [0.95]}, 0.2)
    if random.random() < 0.5:
        return Configuration(yaml_of(drawn), {"total_steps": steps})
    return Configuration(yaml_of({**drawn, "max_steps": steps}), arguments=steps)


def rates(configuration: Configuration) -> list[float]:
    """Step the scheduler of the mixin, with the arguments of the builder."""
    import yaml

    steps = configuration.given.get("total_steps", configuration.arguments)
    builder, mixin = _classes()
    config = _Config(yaml.safe_load(configuration.text))
    made = builder.__new__(builder)
    made.cfg, kwargs = config, {"learning_rate": config.learning_rate}
    made._configure_warmup_and_logging(steps, kwargs)
    made._configure_scheduler(kwargs)
    alternate = kwargs.pop("alternate_lr_scheduler_type", None)
    with tempfile.TemporaryDirectory() as folder:
        arguments = import_module("transformers").TrainingArguments(folder, **kwargs)
    for key in (*COSINE, *JAGGED):
        setattr(arguments, key, config.get(key))
    arguments.alternate_lr_scheduler_type = alternate
    trainer = mixin.__new__(mixin)
    optimizer = optimizer_of(config.learning_rate)
    trainer.args, trainer.optimizer, trainer.lr_scheduler = arguments, optimizer, None
    return stepped(optimizer, trainer.create_scheduler(steps), steps)


class _Config(dict[str, Any]):
    """The configuration, in which a missing key is None."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)


def _options(random: Random, name: str) -> dict[str, Any]:
    options = some(random, OPTIONS.get(name, {}), 0.4)
    if name == "warmup_stable_decay":
        options["num_decay_steps"] = random.choice([1, 6])
    if name == "cosine_with_min_lr":
        options["min_lr_rate"] = 0.1
    return options


@cache
def _classes() -> tuple[Any, Any]:
    """The builder of the arguments and the mixin of the trainer, without the rest of axolotl."""
    installed = distribution("axolotl")
    for name in (f"axolotl{part}" for part in PACKAGES):
        package = ModuleType(name)
        package.__path__ = [str(installed.locate_file(name.replace(".", "/")))]
        sys.modules[name] = package
    for part in ABSENT.split():
        sys.modules[f"axolotl.{part}"] = MagicMock(__spec__=None)
    utils = str(installed.locate_file("axolotl/utils"))
    sys.modules["axolotl.utils"].__path__ = [utils]
    plugins = sys.modules["axolotl.integrations.base"].PluginManager
    plugins.get_instance().create_lr_scheduler.return_value = None
    builder = import_module("axolotl.core.builders.base").TrainerBuilderBase
    mixin = import_module("axolotl.core.trainers.mixins.scheduler").SchedulerMixin
    builder.__abstractmethods__ = frozenset()
    return builder, mixin


FRAMEWORK = Framework(
    distribution="axolotl",
    version="0.19.0",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "transformers", "accelerate"],
    dependencies=False,
)
