"""Schedulers as arguments of a composition, torch's way: each stands for its schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from olm.problem import OlmError
from olm.schedule.schedule import KINDS
from olm.train.schedulers.rate_setter import RateSetter


def schedules_of(
    fields: Mapping[str, Any], names: Iterable[str], kind: str, optimizer: Optimizer
) -> dict[str, Any]:
    """The fields for schedules, with the schedule of each scheduler in place of the scheduler.

    A scheduler has set the rates of the optimizer when it was constructed. That changes nothing:
    a composition starts from the ``initial_lr`` of the param groups.

    Args:
        fields: the fields of the composition.
        names: the names of the fields for schedules.
        kind: the kind of the composition.
        optimizer: its optimizer.

    Raises:
        OlmError: a scheduler is not olm's, sets another optimizer, or has targets.
    """
    changed: dict[str, Any] = {}
    for name in names:
        value = fields.get(name)
        if isinstance(value, list | tuple):
            changed[name] = [
                _schedule(item, f"{name}[{index}]", kind, optimizer)
                for index, item in enumerate(value)
            ]
        elif value is not None:
            changed[name] = _schedule(value, name, kind, optimizer)
    return changed


def _schedule(item: Any, name: str, kind: str, optimizer: Optimizer) -> Any:
    if not isinstance(item, LRScheduler):
        return item
    if not isinstance(item, RateSetter):
        raise OlmError(f"{name} of {kind} is {_theirs(item)}")
    if item.optimizer is not optimizer:
        raise OlmError(f"{name} of {kind} sets another optimizer: pass its `schedule`")
    if item._targets is not None and item._targets.also:
        raise OlmError(
            f"{name} of {kind} has targets besides the learning rate: write the composition as a "
            "spec with `also`, and call olm.build"
        )
    return item.schedule


def _theirs(item: LRScheduler) -> str:
    """What to do about a scheduler of another class."""
    kind, home = type(item).__name__, type(item).__module__.partition(".")[0]
    ours = f"olm.train.schedulers.{kind}" if kind in KINDS else "a class of olm.train.schedulers"
    return f"{home}'s {kind}, which has no schedule: use {ours}, or a mapping with the key `kind`"
