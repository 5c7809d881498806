"""The base class of all schedulers of olm, including those that users write with a `get_lr`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from olm.problem import StateError, quantity
from olm.spec.rates import as_float
from olm.spec.state_keys import (
    DERIVED,
    TRANSIENT,
    check_keys,
    check_likeness,
    check_position,
)
from olm.train.schedulers.groups import write
from olm.train.schedulers.hooks import track_steps


class SchedulerBase(LRScheduler, ABC):
    """A learning-rate scheduler. Subclasses set attributes, call `super` and define `get_lr`.

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
        last_epoch: the step last taken; -1 for a new run. As in torch, construction takes one more.
        verbose: whether to print every update.

    Source: OpenLanguageModel 2.2.1, ``olm.train.schedulers.SchedulerBase``.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, verbose: bool = False) -> None:
        self._verbose = verbose
        track_steps(optimizer)
        # Not super(): the next class may be another one of torch's, with other arguments.
        LRScheduler.__init__(self, optimizer, last_epoch)

    @abstractmethod
    def get_lr(self) -> list[float]:  # type: ignore[override]  # torch's may be tensors
        """The learning rate of every param group at step ``last_epoch``."""

    def _get_closed_form_lr(self) -> list[float]:
        """The rates for ``step(epoch)``; by default those of `get_lr`."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:  # type: ignore[override]  # torch's may be tensors
        """The learning rates that were last set, one per param group, as a new list."""
        return [as_float(lr) for lr in self._last_lr]

    def state_dict(self) -> dict[str, Any]:
        """Copies of all attributes, without callables, the optimizer and torch's own flags."""
        state = {
            name: value
            for name, value in self.__dict__.items()
            if name not in TRANSIENT | {"optimizer", "_verbose"} and not callable(value)
        }
        rates = {name: [as_float(lr) for lr in state[name]] for name in ("base_lrs", "_last_lr")}
        return deepcopy({**state, **rates})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load a state of the same class, all of it or nothing. `state_dict` is not changed.

        The base rates and, if the state has them, the last rates are written to the param groups
        at once.

        Raises:
            StateError: keys are unknown or missing, or values do not fit this scheduler.
        """
        check_keys(state_dict, set(self.state_dict()) - DERIVED, type(self).__name__)
        state = {k: deepcopy(v) for k, v in state_dict.items() if k not in TRANSIENT | {"verbose"}}
        for name, value in state.items():
            check_likeness(name, value, getattr(self, name, None))
        groups = self.optimizer.param_groups
        check_position(state, len(groups))
        last = [as_float(lr) for lr in state.get("_last_lr", ())]
        if last and len(last) != len(groups):
            raise StateError(
                f"_last_lr: the state has {quantity(len(last), 'rate')}, the optimizer "
                f"{quantity(len(groups), 'param group')}"
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
