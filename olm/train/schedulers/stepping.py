"""Whether an optimizer has stepped."""

from __future__ import annotations

import warnings
from functools import wraps
from typing import Any
from weakref import ref

from torch.optim import Optimizer

ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call them in the opposite "
    "order, or the first rate of the schedule trains nothing."
)


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
