"""What every host does first: combine clocks, and build the scheduler of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

from olm.schedule.clock import Clock, clock_given
from olm.spec.agreement import OnChange
from olm.spec.load import SpecSource, as_spec
from olm.train.schedulers.factory import build
from olm.train.schedulers.schedule_lr import ScheduleLR


def clock_over(clock: Clock | Mapping[str, Any] | None, known: Clock) -> Clock:
    """The user's clock, completed by the trainer's; the user's numbers override the trainer's.

    The trainer knows one batch and one length of an epoch. A clock that plans them, the user's or
    that of the spec, overrides both.
    """
    return (clock_given(clock) or Clock()).over(known.yielding())


def scheduler_of(
    spec: SpecSource,
    optimizer: Any,
    clock: Clock | Mapping[str, Any] | None,
    on_change: OnChange = "error",
) -> ScheduleLR:
    """The scheduler of a spec for an optimizer, which the trainer may have wrapped."""
    return build(as_spec(spec), unwrapped(optimizer), clock=clock, on_change=on_change)


def unwrapped(optimizer: Any) -> Any:
    """The optimizer that a trainer may have wrapped."""
    inner = getattr(optimizer, "optimizer", None)
    # A wrapper may be an Optimizer, too, but its hooks were never set up.
    return inner if isinstance(inner, Optimizer) else optimizer
