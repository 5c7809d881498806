"""spaCy: the schedules of thinc, some within others."""

from __future__ import annotations

import json
from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework

LENGTH = 60


def draw(random: Random) -> Configuration:
    """A schedule of the learning rate, in the sections of a config."""
    arguments = _schedule(random, depth=0)
    lines = ["[training]", f"max_steps = {LENGTH}", "", "[training.optimizer]"]
    lines += ['@optimizers = "Adam.v1"', *_section("training.optimizer.learn_rate", arguments)]
    return Configuration("\n".join(lines) + "\n", arguments=arguments)


def rates(configuration: Configuration) -> list[float]:
    """Call the schedule of thinc with each step."""
    schedule = _built(configuration.arguments)
    return [schedule(step=step) for step in range(LENGTH + 4)]


def _schedule(random: Random, depth: int) -> dict[str, Any]:
    rate, steps = random.choice([1e-3, 5e-5, 0.3]), random.randrange(0, 70)
    drawn: dict[str, dict[str, Any]] = {
        "constant.v1": {"rate": rate},
        "decaying.v1": {"base_rate": rate, "decay": random.choice([1e-4, 0.1])},
        "compounding.v1": {
            "start": rate,
            "stop": rate * random.choice([0.1, 5.0]),
            "compound": random.choice([0.9, 1.001, 1.2]),
        },
        "warmup_linear.v1": {
            "initial_rate": rate,
            "warmup_steps": steps,
            "total_steps": random.randrange(1, 90),
        },
        "slanted_triangular.v1": {
            "max_rate": rate,
            "num_steps": random.randrange(1, 90),
            "cut_frac": random.choice([0.1, 0.33]),
            "ratio": random.choice([32, 4]),
        },
        "cyclic_triangular.v1": {
            "min_lr": rate / 10,
            "max_lr": rate,
            "period": random.randrange(1, 40),
        },
    }
    if depth < 2:
        drawn["constant_then.v1"] = {
            "rate": rate,
            "steps": steps,
            "schedule": _schedule(random, depth + 1),
        }
    name = random.choice([*drawn])
    return {"@schedules": name, **drawn[name]}


def _section(name: str, arguments: dict[str, Any]) -> list[str]:
    plain = {key: value for key, value in arguments.items() if not isinstance(value, dict)}
    lines = ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in plain.items())]
    for key, value in arguments.items():
        lines += _section(f"{name}.{key}", value) if isinstance(value, dict) else []
    return lines


def _built(arguments: dict[str, Any]) -> Any:
    registry = import_module("thinc.api").registry
    return registry.resolve({"schedule": arguments})["schedule"]


FRAMEWORK = Framework(
    distribution="thinc",
    version="9.1.1",
    suffix=".cfg",
    draw=draw,
    rates=rates,
)
