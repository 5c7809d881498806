"""mmengine: the schedulers of a Runner, in windows of epochs or iterations."""

from __future__ import annotations

import os
import tempfile
import warnings
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import some

SHAPES: dict[str, tuple[dict[str, list[Any]], dict[str, list[Any]]]] = {
    "Constant": ({}, {"factor": [0.1, 0.5, 1.0, 1.5]}),
    "Linear": ({}, {"start_factor": [0.001, 0.25, 1.0], "end_factor": [1.0, 0.1, 0.0]}),
    "Poly": ({}, {"eta_min": [1e-5, 0.0], "power": [0.9, 2.0]}),
    "CosineAnnealing": (
        {},
        {"T_max": [3, 5, 9, 20], "eta_min": [1e-5, 0.0], "eta_min_ratio": [0.1]},
    ),
    "CosineRestart": (
        {"periods": [[3], [4, 6], [7, 2, 30]]},
        {"eta_min_ratio": [0.1, 0.0]},
    ),
    "MultiStep": ({"milestones": [[2], [3, 7], [1, 4, 30], [0, 5, 5]]}, {"gamma": [0.5, 0.1]}),
    "Step": ({"step_size": [1, 3, 8]}, {"gamma": [0.5, 0.1]}),
    "Exponential": ({"gamma": [0.9, 0.99]}, {}),
    "OneCycle": (
        {"eta_max": [0.05]},
        {
            "total_steps": [60, 80],
            "pct_start": [0.2, 0.4],
            "anneal_strategy": ["cos", "linear"],
            "div_factor": [10.0],
            "final_div_factor": [100.0],
            "three_phase": [True, False],
        },
    ),
}
"""The shapes, with their arguments that are required and those with defaults."""

QUIET = {"timer": None, "logger": None, "checkpoint": None, "sampler_seed": None}


def draw(random: Random) -> Configuration:
    """One to three schedulers, most of them one after another."""
    by_epoch, per_epoch = random.random() < 0.6, random.randrange(2, 6)
    run = random.randrange(4, 15) if by_epoch else random.randrange(10, 60)
    count = random.choice([1, 1, 2, 2, 2, 3])
    cuts = [0, *sorted(random.sample(range(1, run), count - 1)), run]
    schedulers = []
    for begin, end in pairwise(cuts):
        in_epochs = by_epoch and random.random() < 0.7
        length = per_epoch if by_epoch and not in_epochs else 1
        names = [name for name in SHAPES if count == 1 or name != "OneCycle"]
        scheduler = _scheduler(random, random.choice(names), in_epochs)
        scheduler |= {"begin": begin * length} if begin or random.random() < 0.3 else {}
        last = end == run and random.random() < 0.6
        scheduler |= {} if last else {"end": end * length + random.choice([0, 0, 0, 0, -1, 2])}
        schedulers.append(scheduler)
    kind: dict[str, Any] = random.choice(
        [{"by_epoch": by_epoch}, {"type": f"{'Epoch' if by_epoch else 'Iter'}BasedTrainLoop"}]
    )
    loop = {**kind, "max_epochs" if by_epoch else "max_iters": run}
    text = {
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": random.choice([0.01, 0.1])}},
        "param_scheduler": schedulers if count > 1 else random.choice([schedulers, schedulers[0]]),
        "train_cfg": loop,
    }
    given = {"steps_per_epoch": per_epoch} if by_epoch else {}
    return Configuration("\n".join(f"{k} = {v!r}" for k, v in text.items()) + "\n", given)


def rates(configuration: Configuration) -> list[float]:
    """Train with a Runner, and read the rate before every step."""
    warnings.filterwarnings("ignore")
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
    library: Any = import_module("mmengine")
    runner: Any = import_module("mmengine.runner")
    seen: list[float] = []
    per_epoch = configuration.given.get("steps_per_epoch", 1)
    sampler = "DefaultSampler" if "steps_per_epoch" in configuration.given else "InfiniteSampler"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.py")
        file.write_text(configuration.text)
        config = library.Config.fromfile(file)
        loop = runner.Runner(
            model=_model(seen),
            work_dir=folder,
            train_dataloader={
                "dataset": [0.0] * per_epoch,
                "batch_size": 1,
                "num_workers": 0,
                "sampler": {"type": sampler, "shuffle": False},
            },
            train_cfg=config.train_cfg,
            optim_wrapper=config.optim_wrapper,
            param_scheduler=config.param_scheduler,
            default_hooks=QUIET,
            log_level="ERROR",
            experiment_name=Path(folder).name,
        )
        loop.model.loop = loop
        loop.train()
    return seen


def _scheduler(random: Random, name: str, in_epochs: bool) -> dict[str, Any]:
    required, optional = SHAPES[name]
    scheduler = {"type": f"{name}LR"} | some(random, required, 1.0) | some(random, optional, 0.4)
    if name == "CosineRestart":
        count = len(scheduler["periods"])
        scheduler["restart_weights"] = [1, 0.5, 0.1][:count]
        if "eta_min_ratio" not in scheduler and random.random() < 0.9:
            scheduler["eta_min"] = random.choice([1e-5, 0.0])
    if name == "CosineAnnealing" and "eta_min_ratio" in scheduler:
        scheduler.pop("eta_min", None)
    if not in_epochs:
        return scheduler | {"by_epoch": False}
    moves: dict[str, list[Any]] = {"by_epoch": [True], "convert_to_iter_based": [True, True, False]}
    return scheduler | some(random, moves)


def _model(seen: list[float]) -> Any:
    """A model of one weight, which appends the rate of each step to a list."""
    torch: Any = import_module("torch")
    base: Any = import_module("mmengine.model").BaseModel

    class Line(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, inputs: Any, mode: str = "tensor") -> dict[str, Any]:
            return {"loss": (self.weight * 0.0).sum()}

        def train_step(self, data: Any, optim_wrapper: Any) -> Any:
            seen.append(optim_wrapper.param_groups[0]["lr"])
            optim_wrapper.update_params(self.forward(data)["loss"])
            return {}

    return Line()


FRAMEWORK = Framework(
    distribution="mmengine",
    version="0.10.7",
    suffix=".py",
    draw=draw,
    rates=rates,
    tolerance=1e-11,
    needs=["torch"],
)
