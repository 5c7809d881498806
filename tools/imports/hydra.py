"""Hydra: torch's schedulers, which a program instantiates and steps at every step or epoch."""

from __future__ import annotations

from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import some, stepped, yaml_of
from imports._torch import CLASSES, CYCLES, NESTING, RATES, Call, drawn_call

MODULE = "torch.optim.lr_scheduler"


def draw(random: Random) -> Configuration:
    """An optimizer and a scheduler, some within a sequence or a chain."""
    lr, length = random.choice(RATES), random.randrange(6, 64)
    name = random.choice([*CLASSES, *CYCLES, *NESTING * 4])
    numbers = some(random, {"weight_decay": [0.01], "betas": [[0.9, 0.95]]})
    optimizer = {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": lr, **numbers}
    call = drawn_call(random, name, lr, length)
    drawn: dict[str, Any] = {
        "optimizer": optimizer,
        "scheduler": {**_written(call), "_partial_": True},
    }
    given: dict[str, Any] = {"interval": "step"}
    if random.random() < 0.3:
        given = {"total_steps": length}
        drawn["interval"] = "step"
    return Configuration(yaml_of(drawn), given, arguments=length)


def rates(configuration: Configuration) -> list[float]:
    """Instantiate both, and step the scheduler after each step."""
    torch: Any = import_module("torch")
    config = import_module("omegaconf").OmegaConf.create(configuration.text)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = import_module("hydra.utils").instantiate(config.optimizer)([parameter])
    scheduler = _built(config.scheduler, optimizer)
    steps = configuration.arguments
    return stepped(
        optimizer, scheduler, steps if "total_steps" in configuration.given else steps + 9
    )


def _written(call: Call) -> dict[str, Any]:
    """A call as Hydra reads it."""
    name, arguments = call
    if "schedulers" in arguments:
        within = [_written(each) for each in arguments["schedulers"]]
        arguments = {**arguments, "schedulers": within}
    return {"_target_": f"{MODULE}.{name}", **arguments}


def _built(config: Any, optimizer: Any) -> Any:
    """A scheduler after those within it, to each of which a program passes the optimizer."""
    instantiate = import_module("hydra.utils").instantiate
    if "schedulers" not in config:
        made = instantiate(config, optimizer=optimizer)
        return made() if config.get("_partial_") else made
    within = [_built(each, optimizer) for each in config.schedulers]
    scheduler = getattr(import_module(MODULE), config["_target_"].rpartition(".")[2])
    rest = {"milestones": [*config.milestones]} if "milestones" in config else {}
    if config["_target_"].endswith("ChainedScheduler"):
        return scheduler(within, optimizer=optimizer)
    return scheduler(optimizer, within, **rest)


FRAMEWORK = Framework(
    distribution="hydra-core",
    version="1.3.8",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    tolerance=1e-11,
    # hydra 1.3.8 requires an older OmegaConf than the one in the constraints.
    needs=["torch", "pyyaml", "omegaconf", "antlr4-python3-runtime", "packaging"],
    dependencies=False,
)
