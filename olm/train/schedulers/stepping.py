"""Whether an optimizer has stepped."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import ref

from torch.optim import Optimizer


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


def innermost(optimizer: Optimizer) -> Optimizer:
    """An optimizer without those around it, such as Accelerate's, which have no hooks."""
    while isinstance(inner := getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = inner
    return optimizer


def on_step(optimizer: Optimizer, then: Callable[[], None]) -> None:
    """Call something after each step that the optimizer really takes.

    One that GradScaler leaves out is none. For a fused optimizer it does not leave out the call,
    but tells the optimizer, by ``found_inf``, to change nothing.
    """

    def told(stepped: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found_inf = getattr(stepped, "found_inf", None)
        if found_inf is None or not found_inf.item():
            then()

    innermost(optimizer).register_step_post_hook(told)
