"""The optimizer beside a scheduler, in files that name classes."""

from __future__ import annotations

from collections.abc import Mapping

from olm.foreign.configs._class_names import Style
from olm.foreign.configs._config import Config
from olm.problem import Path

OPTIMIZERS = ("optimizer", "optim", "optimizer_init")
"""The keys of the optimizer beside a scheduler."""

RATES = {
    "Adam": 1e-3,
    "AdamW": 1e-3,
    "NAdam": 2e-3,
    "RAdam": 1e-3,
    "Adamax": 2e-3,
    "SGD": 1e-3,
    "RMSprop": 1e-2,
    "Adagrad": 1e-2,
    "Adadelta": 1.0,
}
"""The optimizers of torch, with the rate that each has by default."""

MOMENTUM = {"SGD": "momentum", "RMSprop": "momentum"}
"""The optimizers whose momentum is not the first of `betas`."""


def optimizer_beside(config: Config, style: Style, site: Path) -> tuple[str, dict[str, float]]:
    """The class of the optimizer near a scheduler, and the numbers that it is constructed with."""
    name, numbers, place = "", {}, _site(config, style, site)
    if place is not None:
        path = place
        if config.has(*place, style.key):
            full, path = style.call(config, place)
            name = full.rpartition(".")[2]
        for key in ("lr", "weight_decay", "momentum"):
            if (value := config.number(*path, key, default=None)) is not None:
                numbers[key] = value
        betas = config.peek(*path, "betas")
        for index in range(len(betas) if isinstance(betas, list) and len(betas) == 2 else 0):
            numbers[f"betas[{index}]"] = config.number(*path, "betas", index)
        if "lr" not in numbers and name in RATES:
            numbers["lr"] = config.number(*path, "lr", default=RATES[name])
    if (given := config.option("learning_rate")) is not None:
        numbers["lr"] = given
    if "lr" not in numbers:
        config.note("the base rate, which the file does not have")
    return name, numbers


def _site(config: Config, style: Style, site: Path) -> Path | None:
    """Where the optimizer is: beside the scheduler, or beside what contains it."""
    for length in range(len(site) - 1, -1, -1):
        for key in OPTIMIZERS:
            place = (*site[:length], key)
            mapping = config.peek(*place)
            if isinstance(mapping, Mapping) and (style.key in mapping or "lr" in mapping):
                return place
    return None
