"""litgpt: the rates of pretraining, and the scheduler of finetuning."""

from __future__ import annotations

import tempfile
from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some, stepped, yaml_of

OPTIMIZERS: list[Any] = ["AdamW", "torch.optim.Adam"]
OPTIMIZERS += [
    {"class_path": "torch.optim.AdamW", "init_args": {"lr": lr, "weight_decay": 0.1}}
    for lr in (4e-4, 2e-5, 0.1)
]

WARMUPS = [0, 1, 5, 12, 90, None]


def draw(random: Random) -> Configuration:
    """A configuration of pretraining or of finetuning."""
    train = some(random, {"lr_warmup_steps": WARMUPS, "min_lr": [0.0, 1e-5, 6e-5]}, 0.9)
    # By the two keys, a file is recognized.
    given = {} if "lr_warmup_steps" in train else {"from_": "litgpt"}
    configuration = some(random, {"optimizer": OPTIMIZERS}, 0.85)
    if random.random() < 0.4:
        return _finetuning(random, configuration, train, given)
    return _pretraining(random, configuration, train, given)


def _pretraining(
    random: Random, configuration: dict[str, Any], train: dict[str, Any], given: dict[str, Any]
) -> Configuration:
    length, batches = random.choice([8, 16]), random.choice([1, 1, 2, 3])
    configuration |= {"model_name": "pythia-14m", "devices": random.choice([1, 2, "auto"])}
    configuration |= some(random, {"num_nodes": [2]}, 0.2)
    devices, nodes = configuration["devices"], configuration.get("num_nodes", 1)
    world = random.choice([1, 3]) if devices == "auto" else devices * nodes
    given |= {"world_size": world} if devices == "auto" else {}
    train |= some(random, {"micro_batch_size": [1, 2, 8]}, 0.8)
    samples = train.get("micro_batch_size", 4) * world
    train["global_batch_size"] = batches * samples + random.choice([0, 0, samples - 1])
    iterations = random.randrange(1, 65) * batches
    train["max_tokens"] = iterations * samples * length + random.choice([0, length])
    place = random.choice([train, configuration.setdefault("model_config", {})])
    place["max_seq_length" if place is train else "block_size"] = length
    train |= some(random, {"lr_warmup_fraction": [0.1], "max_steps": [9]}, 0.1)
    if train.get("lr_warmup_fraction") and not train.get("lr_warmup_steps", 2000):
        given["warmup_steps"] = random.randrange(1, 20)
    return Configuration(yaml_of({**configuration, "train": train}), given, arguments=world)


def _finetuning(
    random: Random, configuration: dict[str, Any], train: dict[str, Any], given: dict[str, Any]
) -> Configuration:
    train["max_tokens"] = None
    train |= some(random, {"epochs": [1, 2, 3], "max_steps": [1, 20, 60]}, 0.6)
    given["steps_per_epoch"] = random.randrange(1, 17)
    configuration |= {"checkpoint_dir": "checkpoint"}
    return Configuration(yaml_of({**configuration, "train": train}), given)


def rates(configuration: Configuration) -> list[float]:
    """Parse the file as the commands do, and compute the rate of each optimizer step."""
    pretrains = configuration.arguments is not None
    module: Any = import_module("litgpt.pretrain" if pretrains else "litgpt.finetune.full")
    parsed = _parsed(module.setup, configuration.text)
    optimizer = import_module("litgpt.utils").instantiate_torch_optimizer(
        parsed.optimizer, optimizer_of(1.0).param_groups[0]["params"]
    )
    if pretrains:
        module.validate_args(parsed.train, parsed.eval, None, False)
        lr = optimizer.defaults["lr"]
        return _of_micro_batches(module, parsed, lr, configuration.arguments, configuration.given)
    module.validate_args(parsed.train, parsed.eval)
    train = parsed.train
    total = min(train.epochs * configuration.given["steps_per_epoch"], train.max_steps or 10**9)
    scheduler = module.get_lr_scheduler(optimizer, train.lr_warmup_steps, total)
    return stepped(optimizer, scheduler, total)


def _parsed(setup: Any, text: str) -> Any:
    """The arguments of a command."""
    parser = import_module("jsonargparse").ArgumentParser()
    parser.add_function_arguments(setup)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return parser.instantiate_classes(parser.parse_path(file.name))


def _of_micro_batches(
    module: Any, parsed: Any, lr: float, world: int, given: dict[str, Any]
) -> list[float]:
    """The rates of `fit`, which sets one before each micro-batch, and steps after the last ones.

    Source: litgpt 0.5.13, `pretrain.py`, lines 317 to 360.
    """
    train = parsed.train
    length = train.max_seq_length or parsed.model_config.block_size
    most = train.max_tokens // world // (train.micro_batch_size * length)
    accumulate = train.gradient_accumulation_iters(world)
    # A data loader of which the fraction is the warm-up that was given.
    loader = range(10 * given.get("warmup_steps", 0) * accumulate)
    warmup = train.warmup_iters(world, 1, most, loader)
    steps = range(accumulate - 1, most, accumulate)
    return [module.get_lr(lr, step, warmup, most, train.min_lr) for step in steps]


FRAMEWORK = Framework(
    distribution="litgpt",
    version="0.5.13",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "pyyaml"],
)
