"""torchtune: the component of a scheduler, and the steps of a recipe."""

from __future__ import annotations

from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some, stepped, yaml_of
from peers._stubs import stub_module, stub_packages

COMPONENT = "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup"

MODEL = {"_component_": "torchtune.models.llama3.llama3_8b"}

WARMUPS = [0, 1, 5, 12, 90]

CYCLES = [0, 0.25, 0.5, 0.7, 1, 1.5, 2.5]


def draw(random: Random) -> Configuration:
    """The configuration of a recipe of one device or two, and the size of its data set."""
    optimizer = {"_component_": "torch.optim.AdamW", "lr": random.choice([3e-4, 2e-5, 0.1])}
    optimizer |= some(random, {"weight_decay": [0.01], "betas": [[0.9, 0.95]]}, 0.2)
    batch, accumulate = random.choice([1, 2, 5]), random.choice([1, 1, 2, 3])
    configuration: dict[str, Any] = {"model": MODEL, "optimizer": optimizer}
    if random.random() < 0.95:
        scheduler = {"_component_": COMPONENT}
        scheduler |= some(random, {"num_warmup_steps": WARMUPS}, 0.95)
        scheduler |= some(random, {"num_cycles": CYCLES})
        configuration["lr_scheduler"] = scheduler
    configuration |= {"epochs": random.randrange(1, 5), "batch_size": batch}
    configuration |= some(random, {"gradient_accumulation_steps": [accumulate]}, 0.9)
    configuration |= some(random, {"max_steps_per_epoch": [1, 7, 50, None]})
    size = random.randrange(3, 20) * batch * accumulate + random.randrange(batch * accumulate)
    given = {"dataset_size": size, "world_size": random.choice([1, 2])}
    return Configuration(yaml_of(configuration), given)


def rates(configuration: Configuration) -> list[float]:
    """Instantiate the component as the recipes do, and step it to the end of the run."""
    stub_packages("torchtune", "torchtune", "torchtune.training", "torchtune.utils")
    stub_module("torchtune.training.memory", OptimizerInBackwardWrapper=object)
    stub_module("torchtune.utils._logging", get_logger=print, log_rank_zero=print)
    config = import_module("omegaconf").OmegaConf.create(configuration.text)
    optimizer = optimizer_of(config.optimizer.lr)
    total = config.epochs * _steps_per_epoch(config, **configuration.given)
    if "lr_scheduler" not in config:
        return [config.optimizer.lr] * total
    instantiate = import_module("torchtune.config._instantiate").instantiate
    scheduler = instantiate(config.lr_scheduler, optimizer, num_training_steps=total, last_epoch=-1)
    return stepped(optimizer, scheduler, total)


def _steps_per_epoch(config: Any, dataset_size: int, world_size: int) -> int:
    """The optimizer steps of an epoch, from the number of batches of the recipes' data loader."""
    data: Any = import_module("torch.utils.data")
    samples = range(dataset_size)
    sampler = data.DistributedSampler(samples, num_replicas=world_size, rank=0)
    loader = data.DataLoader(samples, config.batch_size, sampler=sampler, drop_last=True)
    steps: int = len(loader) // config.get("gradient_accumulation_steps", 1)
    return min(steps, config.get("max_steps_per_epoch") or steps)


FRAMEWORK = Framework(
    distribution="torchtune",
    version="0.6.1",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "omegaconf", "numpy", "pyyaml"],
    dependencies=False,
)
