"""fairseq: the scheduler that its registry builds of a section, stepped after each update."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import some, yaml_of
from peers._stubs import stub_module, stub_packages

WARMUP: dict[str, list[Any]] = {
    "warmup_updates": [0, 1, 5, 12, 90],
    "warmup_init_lr": [-1, 0, 1e-7, 1e-4],
}

KEYS: dict[str, dict[str, list[Any]]] = {
    "fixed": {"warmup_updates": WARMUP["warmup_updates"]},
    "polynomial_decay": {
        "warmup_updates": WARMUP["warmup_updates"],
        "end_learning_rate": [0.0, 1e-7, 1e-5],
        "power": [1.0, 2.0, 0.5],
        "total_num_update": [12, 50, 75],
    },
    "inverse_sqrt": {**WARMUP, "warmup_updates": [0, 1, 5, 12, 90, 5, 12]},
    "tri_stage": {
        "warmup_steps": [0, 1, 7, 20],
        "hold_steps": [0, 1, 9],
        "decay_steps": [0, 1, 15, 30],
        "phase_ratio": [None, None, [0.1, 0.4, 0.5], [0.3, 0.3, 0.4], [0.0, 0.0, 1.0]],
        "init_lr_scale": [0.01, 0.0, 0.5],
        "final_lr_scale": [0.01, 0.05, 1.0, 0.0],
    },
    "cosine": {
        **WARMUP,
        "min_lr": [0.0, 1e-6, 1e-4],
        "t_mult": [1, 1, 2, 3, 1.5],
        "lr_period_updates": [-1, 1, 7, 20, 60, 7.5],
        "lr_shrink": [1.0, 0.5, 0.1],
    },
    "step": {
        **WARMUP,
        "min_lr": [0.0, 1e-6, 1e-4],
        "lr_deacy_period": [1, 7, 30],
        "lr_decay": [0.5, 0.1, 1.0],
    },
    "triangular": {
        "max_lr": [0.5, 0.5, 1e-4],
        "lr_period_updates": [2, 10, 15, 24],
        "lr_shrink": [1.0, 0.5],
        "shrink_min": [True, False],
    },
}
"""The keys of the schedules, all but one with defaults."""

LENGTH = 75


def draw(random: Random) -> Configuration:
    """The sections of the optimization and of the scheduler."""
    name = random.choice([*KEYS])
    scheduler = {"_name": name, **some(random, KEYS[name], 0.7)}
    # Triangles are compared relative to their lowest rate.
    lr = 0.25 if name == "triangular" else random.choice([0.25, 1e-3, 5e-5])
    optimization: dict[str, Any] = {"lr": [lr]}
    optimization |= some(random, {"max_update": [random.randrange(1, LENGTH), 60]}, 0.9)
    configuration = {"optimization": optimization, "lr_scheduler": scheduler}
    return Configuration(yaml_of(configuration))


def rates(configuration: Configuration) -> list[float]:
    """Build the scheduler as the trainer does, and call it with each number of updates.

    The trainer stops at `max_update`, with a last call of the scheduler, whose rate is not used.
    """
    schedulers = _schedulers()
    config = import_module("omegaconf").OmegaConf.create(configuration.text)
    config.optimization.setdefault("max_update", 0)
    optimizer = _Optimizer(config.optimization.lr[0])
    scheduler = schedulers.build_lr_scheduler(config.lr_scheduler, optimizer)
    scheduler.step_begin_epoch(1)
    steps = config.optimization.max_update or LENGTH
    return [_rate(scheduler, optimizer, step) for step in range(steps + 1)][:steps]


def _rate(scheduler: Any, optimizer: _Optimizer, step: int) -> float:
    scheduler.step_update(step)
    return optimizer.lr


@dataclass
class _Optimizer:
    """What a scheduler uses of an optimizer."""

    lr: float

    def set_lr(self, lr: float) -> None:
        self.lr = lr

    def get_lr(self) -> float:
        return self.lr


@dataclass
class _Section:
    """The base class of the sections, whose module Python 3.11 does not import."""

    _name: str | None = None


def _schedulers() -> Any:
    """The package of the schedulers, without the rest of fairseq, which is not for Python 3.11."""
    stub_packages("fairseq", "fairseq", "fairseq.optim", "fairseq.dataclass")
    stub_module("fairseq.optim", FairseqOptimizer=_Optimizer)
    stub_module("fairseq.dataclass", FairseqDataclass=_Section)
    stub_module(
        "fairseq.dataclass.utils", merge_with_parent=_merged, gen_parser_from_dataclass=None
    )
    for name in ("hydra", "hydra.core"):
        stub_module(name)
    stub_module("hydra.core.config_store", ConfigStore=_Store)
    return import_module("fairseq.optim.lr_scheduler")


class _Store:
    """Hydra's store of sections, which the registry fills and nothing here reads."""

    @classmethod
    def instance(cls) -> _Store:
        return cls()

    def store(self, **section: Any) -> None:
        pass


def _merged(defaults: Any, section: Any) -> Any:
    """The section over its defaults, which refer to other sections."""
    merged = import_module("omegaconf").OmegaConf.merge(defaults, section)
    merged._set_parent(section._get_parent())
    return merged


FRAMEWORK = Framework(
    distribution="fairseq",
    version="0.12.2",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "omegaconf", "numpy"],
    dependencies=False,
)
