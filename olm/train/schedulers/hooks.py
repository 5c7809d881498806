"""What a scheduler learns from its optimizer: steps, loaded states, and the order of calls."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar
from weakref import ref

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from olm.train.optimizers import Optimizers, innermost

SchedulerT = TypeVar("SchedulerT", bound=LRScheduler)

ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call them in the opposite "
    "order, or the optimizer never uses the first rate of the schedule."
)


def parts_of(optimizer: Optimizer) -> list[Optimizer]:
    """The optimizers that step and load: the parts if there are several, without wrappers."""
    inner = innermost(optimizer)
    return [*map(innermost, inner.parts.values())] if isinstance(inner, Optimizers) else [inner]


def after_steps(scheduler: SchedulerT, then: Callable[[SchedulerT], None]) -> None:
    """Call a function with the scheduler after each step that the optimizer actually takes.

    A step that GradScaler skips does not count. For a fused optimizer, GradScaler does not skip the
    call but sets ``found_inf``, so that the optimizer changes nothing. Of several optimizers, the
    step of any part counts.

    Args:
        scheduler: the scheduler. The optimizer keeps only a weak reference to it.
        then: the function to call.
    """
    reference = ref(scheduler)

    def hook(stepped: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found_inf = getattr(stepped, "found_inf", None)
        skipped = found_inf is not None and found_inf.item()
        if not skipped and (living := reference()) is not None:
            then(living)

    for part in parts_of(scheduler.optimizer):
        part.register_step_post_hook(hook)


def after_loads(scheduler: SchedulerT, then: Callable[[SchedulerT], None]) -> None:
    """Call a function with the scheduler after each state that its optimizer or a part of it loads.

    Some optimizers that wrap another one do not call ``Optimizer.__init__``. They have no hooks, so
    the function is never called.

    Args:
        scheduler: the scheduler. The optimizer keeps only a weak reference to it.
        then: the function to call.
    """
    reference = ref(scheduler)

    def hook(loaded: Optimizer) -> None:
        if (living := reference()) is not None:
            then(living)

    for part in parts_of(scheduler.optimizer):
        with suppress(AttributeError):
            part.register_load_state_dict_post_hook(hook)


def track_steps(optimizer: Optimizer) -> None:
    """Record the optimizer's steps for torch even if ``optimizer.step`` is not a method.

    torch's schedulers wrap ``optimizer.step`` by its ``__func__``. A `functools.partial` or a
    compiled function has none, and torch's constructor would fail.
    """
    step, reference = optimizer.step, ref(optimizer)
    if hasattr(step, "__func__") or hasattr(step, "_wrapped_by_lr_sched"):
        return

    # Without the attributes: those of a compiled function would mark the wrapper as compiled.
    @wraps(step, updated=())
    def tracked(*args: Any, **kwargs: Any) -> Any:
        reference()._opt_called = True  # type: ignore[union-attr]  # torch's flag; it is alive here
        return step(*args, **kwargs)

    tracked._wrapped_by_lr_sched = True  # type: ignore[attr-defined]  # torch looks for this
    optimizer.step = tracked  # type: ignore[method-assign]  # as torch does


def check_order(optimizer: Optimizer) -> None:
    """Warn, as torch does, if the scheduler steps before the optimizer has stepped."""
    # Copied and wrapped optimizers are not tracked, so their steps are unknown.
    tracked = hasattr(optimizer.step, "_wrapped_by_lr_sched")
    if tracked and not getattr(optimizer, "_opt_called", False):
        warnings.warn(ORDER, UserWarning, stacklevel=6)
