"""What the files of several formats use: optional keys, and the rates of a scheduler of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any


def some(
    random: Random, choices: Mapping[str, Sequence[Any]], share: float = 0.5
) -> dict[str, Any]:
    """Some of the keys, each with one of its values.

    Args:
        random: the source of the choices.
        choices: the keys, each with its values.
        share: how likely a key is drawn.
    """
    return {
        key: random.choice(values) for key, values in choices.items() if random.random() < share
    }


def yaml_of(mapping: Mapping[str, Any]) -> str:
    """The text of a YAML file, in the order of the keys."""
    import yaml

    return yaml.safe_dump(dict(mapping), sort_keys=False)


def optimizer_of(lr: float) -> Any:
    """An optimizer of torch with one parameter, which has a gradient."""
    import torch

    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    return torch.optim.SGD([parameter], lr=lr)


def stepped(optimizer: Any, scheduler: Any, steps: int) -> list[float]:
    """The rates of the first steps, with the scheduler stepped after each."""
    rates = []
    for _ in range(min(steps, getattr(scheduler, "total_steps", steps))):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates
