"""The base class of every scheduler of olm, also of those that a user writes with a `get_lr`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from math import isfinite
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from olm.problem import RateError, StateError, found, nearest
from olm.wording import quoted

TRANSIENT = frozenset({"_get_lr_called_within_step", "_is_initial"})
"""Flags that torch keeps among a scheduler's attributes while it steps."""

DERIVED = frozenset({"_last_lr", "_step_count", "verbose"})
"""What a state by torch or by OpenLanguageModel may have, and a scheduler can do without."""

POSITION = frozenset({"base_lrs", "last_epoch"})
"""What the state of every scheduler has."""


class SchedulerBase(LRScheduler, ABC):
    """A learning-rate scheduler; a subclass sets its attributes, calls `super`, writes `get_lr`.

    >>> import torch
    >>> class Halving(SchedulerBase):
    ...     def __init__(self, optimizer, every, last_epoch=-1):
    ...         self.every = every
    ...         super().__init__(optimizer, last_epoch)
    ...
    ...     def get_lr(self):
    ...         return [base * 0.5 ** (self.last_epoch // self.every) for base in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    >>> scheduler = Halving(optimizer, every=2)
    >>> scheduler.state_dict()
    {'every': 2, 'base_lrs': [0.5], 'last_epoch': 0, '_step_count': 1, '_last_lr': [0.5]}

    Args:
        optimizer: the optimizer whose rates are set.
        last_epoch: the step last taken; -1 for a new run. As in torch, construction takes one step
            more.
        verbose: print every update.

    Source: OpenLanguageModel 2.2.1, ``olm.train.schedulers.SchedulerBase``.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, verbose: bool = False) -> None:
        self._verbose = verbose
        super().__init__(optimizer, last_epoch)

    @abstractmethod
    def get_lr(self) -> list[float]:  # type: ignore[override]  # torch's may be tensors
        """The learning rate of every param group at step ``last_epoch``."""

    def _get_closed_form_lr(self) -> list[float]:
        """The same for ``step(epoch)``; by default what `get_lr` gives."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:  # type: ignore[override]  # torch's may be tensors
        """The learning rates that were set last, one a param group, in a list of its own."""
        return [as_float(lr) for lr in self._last_lr]

    def state_dict(self) -> dict[str, Any]:
        """Copies of all attributes that are not callable: no optimizer and no flags of torch's."""
        state = {
            name: value
            for name, value in self.__dict__.items()
            if name not in TRANSIENT | {"optimizer", "_verbose"} and not callable(value)
        }
        rates = {name: [as_float(lr) for lr in state[name]] for name in ("base_lrs", "_last_lr")}
        return deepcopy({**state, **rates})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state of the same class, all of it or nothing; `state_dict` stays as it is.

        The base rates and, where the state has them, the last rates of the param groups are right
        at once.

        Raises:
            StateError: keys are unknown or missing, or values cannot be those of this scheduler.
        """
        check_keys(state_dict, set(self.state_dict()) - DERIVED, type(self).__name__)
        state = {k: deepcopy(v) for k, v in state_dict.items() if k not in TRANSIENT | {"verbose"}}
        for name, value in state.items():
            _check_likeness(name, value, getattr(self, name, None))
        groups = self.optimizer.param_groups
        check_position(state, len(groups))
        last = [as_float(lr) for lr in state.get("_last_lr", ())]
        if last and len(last) != len(groups):
            raise StateError(
                f"_last_lr: the state has {len(last)} rates, the optimizer {len(groups)}"
            )
        state["base_lrs"] = [as_float(lr) for lr in state["base_lrs"]]
        self.__dict__.update(state)
        for group, base in zip(groups, self.base_lrs, strict=True):
            write(group, "initial_lr", as_float(base))
        for group, lr in zip(groups, last, strict=bool(last)):
            write(group, "lr", lr)

    def _update_lr(self, epoch: int | None = None) -> None:
        super()._update_lr(epoch)
        if self._verbose:
            for index, lr in enumerate(self.get_last_lr()):
                print(f"Adjusting learning rate of group {index} to {lr:.4e}.")


def as_float(lr: Any) -> float:
    """A rate, which may be a tensor, as a float."""
    return float(lr.item() if isinstance(lr, Tensor) else lr)


def write(group: dict[str, Any], key: str, value: float) -> None:
    """Set a rate of a param group; a tensor keeps its identity: compiled code holds on to it."""
    old = group.get(key)
    if isinstance(old, Tensor):
        old.fill_(value)
    else:
        group[key] = value


def group_rates(optimizer: Optimizer) -> list[float]:
    """The base rate of every param group: its ``initial_lr``, else its ``lr``.

    Raises:
        TypeError: this is no optimizer.
        RateError: one of them is negative or not finite.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be a torch Optimizer, found {type(optimizer).__name__}")
    rates = [as_float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    for index, rate in enumerate(rates):
        if not (isfinite(rate) and rate >= 0):
            raise RateError(
                f"param_groups[{index}]: the base rate must be finite and at least 0, found {rate}"
            )
    return rates


def check_keys(state: Mapping[str, Any], needed: set[str], kind: str) -> None:
    """That a state has the keys that it needs and no others, torch's own aside.

    Raises:
        StateError: with all that are unknown and missing.
    """
    if not isinstance(state, Mapping):
        raise StateError(f"a state must be a mapping, found {found(state)}")
    lines = [
        f"  {quoted(key)}: unknown{_guess(key, needed)}"
        for key in state
        if key not in needed | TRANSIENT | DERIVED
    ]
    lines += [f"  {key}: missing" for key in sorted(needed - set(state))]
    if lines:
        raise StateError("\n".join([f"this is not a state of {kind}", *lines]))


def check_position(state: Mapping[str, Any], groups: int) -> None:
    """That a state says a step, and a usable base rate for every param group.

    Raises:
        StateError: it does not.
    """
    last_epoch, base_lrs = state["last_epoch"], state["base_lrs"]
    if isinstance(last_epoch, bool) or not isinstance(last_epoch, int) or last_epoch < -1:
        raise StateError(
            f"last_epoch must be a whole number of at least -1, found {found(last_epoch)}"
        )
    if not isinstance(base_lrs, list | tuple) or len(base_lrs) != groups:
        raise StateError(
            f"base_lrs must be a list of {groups} rates, one a param group, found {base_lrs!r:.80}"
        )
    for index, rate in enumerate(base_lrs):
        number = isinstance(rate, int | float | Tensor) and not isinstance(rate, bool)
        if not (number and isfinite(as_float(rate)) and as_float(rate) >= 0):
            raise StateError(
                f"base_lrs[{index}] must be finite and at least 0, found {found(rate)}"
            )


def _guess(key: Any, known: set[str]) -> str:
    near = nearest(key, known) if isinstance(key, str) else None
    return f", did you mean `{near}`?" if near else ""


def _check_likeness(name: str, value: Any, live: Any) -> None:
    """That a value could be that of an attribute which now is `live`."""
    kinds: tuple[type, ...] = (int, float) if type(live) in (int, float) else (type(live),)
    if not (value is None or live is None or type(value) in kinds):
        raise StateError(f"{name} is {found(live)} in this scheduler, {found(value)} in the state")
