"""Param groups that a configuration makes: which parameters they have, and their own numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from olm.foreign.configs._config import Config
from olm.problem import Path, dotted

REST = "others"
"""The name of the param group of the parameters that no rule selects."""


@dataclass(frozen=True)
class Group:
    """A param group that a configuration makes."""

    name: str
    """Its name in the spec."""
    parameters: str
    """Which parameters it has, in words."""
    path: Path = ()
    """The key that makes it; empty for the rest."""
    lr: float | None = None
    """Its base rate; None for that of the optimizer."""
    weight_decay: float | None = None
    """Its weight decay; None for that of the optimizer."""

    def as_document(self) -> str | dict[str, Any]:
        """The item of `param_groups`."""
        own = {"lr": self.lr, "weight_decay": self.weight_decay}
        numbers = {key: value for key, value in own.items() if value is not None}
        return {"name": self.name, **numbers} if numbers else self.name


def named(groups: Sequence[Group]) -> list[Group]:
    """The groups, with names that differ.

    >>> [group.name for group in named([Group("norm", "norms"), Group("norm", "`norm`")])]
    ['norm', 'norm-2']
    """
    seen: dict[str, int] = {}
    made = []
    for group in groups:
        count = seen[group.name] = seen.get(group.name, 0) + 1
        name = group.name if count == 1 else f"{group.name}-{count}"
        made.append(Group(name, group.parameters, group.path, group.lr, group.weight_decay))
    return made


def own_rate(config: Config, *path: str | int) -> float:
    """The base rate of a param group at a key.

    Raises:
        Refusal: it is missing, or negative.
    """
    lr: float = config.number(*path)
    if not lr >= 0:
        raise config.refusal("type", f"`{dotted(path)}` must be at least 0, found {lr}", path)
    return lr


def check_own(
    config: Config, groups: Sequence[Group], lr: float, made: Callable[[float], Any]
) -> None:
    """Refuse groups of other rates for which the framework has another schedule.

    Args:
        config: the configuration.
        groups: the groups.
        lr: the base rate of the optimizer.
        made: the schedule of a base rate, as a document.

    Raises:
        Refusal: a group has another schedule.
    """
    for group in groups:
        if group.lr in (None, lr):
            continue
        if not group.lr or made(group.lr) != made(lr):
            text = f"`{dotted(group.path)}` has another schedule at its own rate, {group.lr}"
            raise config.refusal("unsupported-key", text, group.path)


def check_scaled(config: Config, schedule: Any, groups: Sequence[Group], lr: float) -> None:
    """Refuse groups of other rates where the framework multiplies, and the schedule does not.

    Args:
        config: the configuration.
        schedule: the schedule, as a document.
        groups: the groups.
        lr: the base rate of the optimizer.

    Raises:
        Refusal: the schedule has a rate that is the same for every base rate.
    """
    fields = [*_rates(schedule)]
    for group in groups:
        if fields and group.lr not in (None, lr):
            text = f"`{dotted(group.path)}` also multiplies what olm writes as a rate, {fields[0]}"
            raise config.refusal("unsupported-key", text, group.path)


def _rates(document: Any) -> Iterator[str]:
    """The fields at any depth that are rates, apart from zeros."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            is_rate = key.endswith("_lr") or key in ("eta_min", "eta_max", "min_lr", "max_lr")
            if is_rate and value not in (0, None):
                yield key
            yield from _rates(value)
    elif isinstance(document, list):
        for value in document:
            yield from _rates(value)
