"""transformers: the scheduler that a Trainer creates from its arguments."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import some, stepped, yaml_of

OPTIONS: dict[str, dict[str, list[Any]]] = {
    "cosine": {"num_cycles": [0.5, 0.25, 1, 1.5, 2.5]},
    "cosine_with_restarts": {"num_cycles": [1, 2, 3, 4]},
    "polynomial": {"lr_end": [0, 1e-7, 1e-5], "power": [1.0, 2.0, 0.5]},
    "inverse_sqrt": {"timescale": [1, 10, 25]},
    "cosine_with_min_lr": {"num_cycles": [0.5, 1, 1.5]},
    "cosine_warmup_with_min_lr": {"num_cycles": [0.5, 1], "warmup_lr_rate": [0.01, 0.5]},
    "warmup_stable_decay": {
        "num_stable_steps": [0, 5, 11],
        "warmup_type": ["linear", "cosine", "1-sqrt"],
        "decay_type": ["linear", "cosine", "1-sqrt"],
        "min_lr_ratio": [0.0, 0.1],
        "num_cycles": [0.5, 1],
    },
}
"""The arguments of the schedules, all with defaults."""

SCHEDULES = [*OPTIONS, "linear", "constant", "constant_with_warmup"] * 3 + ["greedy"]


def draw(random: Random) -> Configuration:
    """Arguments of a run, some of them counted in epochs of a data set."""
    drawn: dict[str, Any] = {"output_dir": "out"}
    drawn |= some(random, {"lr_scheduler_type": SCHEDULES}, 0.95)
    if not drawn.get("lr_scheduler_type"):
        drawn["per_device_train_batch_size"] = 8  # By which the file is recognized.
    options = _options(random, drawn.get("lr_scheduler_type", "linear"))
    drawn |= {"lr_scheduler_kwargs": options} if options else {}
    drawn |= some(random, {"learning_rate": [1e-3, 2e-5, 0.1]}, 0.8)
    drawn |= some(random, {"warmup_steps": [0, 1, 7, 12, 90, 0.1, 0.07, 0.55]}, 0.8)
    given = {}
    if random.random() < 0.5:
        drawn["max_steps"] = random.randrange(12, 76)
    else:
        drawn |= {"num_train_epochs": random.choice([1, 2, 2.5, 0.7])}
        drawn |= some(random, {"per_device_train_batch_size": [1, 4, 7]})
        drawn |= some(random, {"gradient_accumulation_steps": [1, 2, 3]})
        drawn |= some(random, {"dataloader_drop_last": [True, False]})
        batch = drawn.get("per_device_train_batch_size", 8)
        batch *= drawn.get("gradient_accumulation_steps", 1)
        given = {"dataset_size": random.randrange(8, 30) * batch + random.randrange(batch)}
        given |= {"world_size": 1}
    drawn |= some(random, {"adam_beta1": [0.95], "weight_decay": [0.01]}, 0.2)
    return Configuration(yaml_of(drawn), given)


def rates(configuration: Configuration) -> list[float]:
    """Parse the file, and step the scheduler of a Trainer, which stops at the end of the run."""
    library: Any = import_module("transformers")
    parser = library.HfArgumentParser(library.TrainingArguments)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "arguments.yaml")
        file.write_text(configuration.text)
        (arguments,) = parser.parse_yaml_file(file)
        arguments.output_dir, arguments.report_to = folder, []
        trainer, steps = _trainer(library, arguments, configuration.given.get("dataset_size", 4))
        trainer.create_optimizer_and_scheduler(steps)
        return stepped(trainer.optimizer, trainer.lr_scheduler, steps)


def _options(random: Random, name: str) -> dict[str, Any]:
    options = some(random, OPTIONS.get(name, {}), 0.4)
    if name == "warmup_stable_decay":
        options |= {"num_decay_steps": random.choice([1, 6, 9])}
    if name.endswith("min_lr"):
        options |= random.choice([{"min_lr": 1e-5}, {"min_lr_rate": 0.1}])
    return options


def _trainer(library: Any, arguments: Any, size: int) -> tuple[Any, int]:
    """A trainer of one weight, and the number of its steps."""
    torch: Any = import_module("torch")
    data = [{"x": 0}] * size
    trainer = library.Trainer(model=torch.nn.Linear(1, 1), args=arguments, train_dataset=data)
    values = trainer.set_initial_training_values(arguments, trainer.get_train_dataloader())
    return trainer, values[-1]


FRAMEWORK = Framework(
    distribution="transformers",
    version="5.23.0",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "accelerate"],
)
