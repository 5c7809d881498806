"""What an optimizer tells its scheduler, for as long as there is one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from weakref import ref

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

SchedulerT = TypeVar("SchedulerT", bound=LRScheduler)


def innermost(optimizer: Optimizer) -> Optimizer:
    """An optimizer without those around it, such as Accelerate's, which have no hooks."""
    while isinstance(inner := getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = inner
    return optimizer


def after_steps(scheduler: SchedulerT, then: Callable[[SchedulerT], None]) -> None:
    """Call something with a scheduler after each step that its optimizer really takes.

    One that GradScaler leaves out is none. For a fused optimizer it does not leave out the call,
    but tells the optimizer, by ``found_inf``, to change nothing.
    """
    mine = ref(scheduler)

    def told(stepped: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found_inf = getattr(stepped, "found_inf", None)
        stepped_really = found_inf is None or not found_inf.item()
        if stepped_really and (living := mine()) is not None:
            then(living)

    innermost(scheduler.optimizer).register_step_post_hook(told)


def after_loads(scheduler: SchedulerT, then: Callable[[SchedulerT], None]) -> None:
    """Call something with a scheduler after its optimizer has loaded a state.

    An optimizer around another one that leaves out ``Optimizer.__init__``, as there are, has no
    hooks, and tells nothing.
    """
    mine = ref(scheduler)

    def told(loaded: Optimizer) -> None:
        if (living := mine()) is not None:
            then(living)

    with suppress(AttributeError):
        innermost(scheduler.optimizer).register_load_state_dict_post_hook(told)
