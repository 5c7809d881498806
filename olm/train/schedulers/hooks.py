"""What an optimizer tells its scheduler, for as long as there is one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar
from weakref import ref

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

SchedulerT = TypeVar("SchedulerT", bound=LRScheduler)

ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call them in the opposite "
    "order, or the first rate of the schedule trains nothing."
)


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


def mark_steps(optimizer: Optimizer) -> None:
    """Let an optimizer whose ``step`` is no method of its own tell torch that it has stepped.

    torch's schedulers put a mark around ``optimizer.step``, and fail if it is a `functools.partial`
    or compiled: those have no ``__func__``.
    """
    step, mine = optimizer.step, ref(optimizer)
    if hasattr(step, "__func__") or hasattr(step, "_wrapped_by_lr_sched"):
        return

    # Without its attributes: those of a compiled function would say that this one is compiled.
    @wraps(step, updated=())
    def marked(*args: Any, **kwargs: Any) -> Any:
        mine()._opt_called = True  # type: ignore[union-attr]  # torch's mark; it is alive here
        return step(*args, **kwargs)

    marked._wrapped_by_lr_sched = True  # type: ignore[attr-defined]  # what torch looks for
    optimizer.step = marked  # type: ignore[method-assign]  # as torch does


def check_order(optimizer: Optimizer) -> None:
    """Warn whoever calls a scheduler's ``step`` before the optimizer has stepped, as torch does."""
    # torch marks an optimizer that has stepped; a copied or wrapped one has no mark, and nothing to
    # tell.
    wrapped = hasattr(optimizer.step, "_wrapped_by_lr_sched")
    if wrapped and not getattr(optimizer, "_opt_called", False):
        warnings.warn(ORDER, UserWarning, stacklevel=4)
