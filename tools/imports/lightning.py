"""Lightning: the scheduler of a LightningCLI, stepped by a Trainer that trains one weight."""

from __future__ import annotations

import logging
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import some, yaml_of
from imports._torch import CLASSES, CYCLES, RATES, Call, drawn_call

OPTIMIZERS: dict[str, dict[str, list[Any]]] = {
    "SGD": {"momentum": [0.0, 0.9], "weight_decay": [0.01]},
    "AdamW": {"betas": [[0.9, 0.95]], "weight_decay": [0.01]},
}


QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


def draw(random: Random) -> Configuration:
    """A file with an optimizer and one of torch's schedulers, which moves once per epoch."""
    lr, epochs, optimizer = (
        random.choice(RATES),
        random.randrange(3, 27),
        random.choice([*OPTIMIZERS]),
    )
    name = random.choice([*CLASSES, *CYCLES])
    module = random.choice(["torch.optim.lr_scheduler.", ""])
    arguments = {"lr": lr, **some(random, OPTIMIZERS[optimizer])}
    per_epoch = random.randrange(1, 5)
    trainer = {"max_epochs": epochs}
    if random.random() < 0.3:
        trainer |= {"max_steps": random.randrange(1, epochs * per_epoch + 5)}
    drawn = {
        "trainer": trainer,
        "optimizer": {"class_path": f"torch.optim.{optimizer}", "init_args": arguments},
        "lr_scheduler": _written(drawn_call(random, name, lr, epochs), module),
    }
    return Configuration(yaml_of(drawn), {"steps_per_epoch": per_epoch})


def rates(configuration: Configuration) -> list[float]:
    """Train with LightningCLI, and read the rate before every step."""
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    library: Any = import_module("lightning.pytorch")
    cli: Any = import_module("lightning.pytorch.cli")
    loader = import_module("torch.utils.data").DataLoader
    seen: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.yaml")
        file.write_text(configuration.text)
        made = cli.LightningCLI(
            _line(library, seen),
            run=False,
            args=["--config", str(file)],
            seed_everything_default=False,
            save_config_callback=None,
            parser_kwargs={"exit_on_error": False},
            trainer_defaults={**QUIET, "default_root_dir": folder},
        )
        data = loader([[0.0]] * configuration.given["steps_per_epoch"])
        made.trainer.fit(made.model, data)
    return seen


def _line(library: Any, seen: list[float]) -> Any:
    """A module of one weight, which appends the rate of each step to a list."""
    torch: Any = import_module("torch")

    class Line(library.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def training_step(self, batch: Any, index: int) -> Any:
            seen.append(self.optimizers().param_groups[0]["lr"])
            return (self.weight * 0.0).sum()

    return Line


def _written(call: Call, module: str) -> dict[str, Any]:
    """A call as LightningCLI reads it."""
    name, arguments = call
    return {"class_path": f"{module}{name}", "init_args": arguments}


FRAMEWORK = Framework(
    distribution="lightning",
    version="2.6.6",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    tolerance=1e-11,
    needs=["torch", "jsonargparse[signatures]", "pyyaml"],
)
