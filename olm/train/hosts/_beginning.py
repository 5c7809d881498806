"""What the beginnings of all hosts share: the clock of the run, and the scheduler of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

from olm.schedule.clock import Clock, clock_of
from olm.spec.agreement import OnChange
from olm.spec.load import SpecSource, as_spec
from olm.train.schedulers.factory import build
from olm.train.schedulers.schedule_lr import ScheduleLR


def clock_over(clock: Clock | Mapping[str, Any] | None, known: Clock) -> Clock:
    """The clock that a user gives, which wins, over what the trainer knows of its run."""
    return clock_of(clock or {}).over(known)


def scheduler_of(
    spec: SpecSource, optimizer: Any, clock: Clock | None, on_change: OnChange = "error"
) -> ScheduleLR:
    """The scheduler of a spec, for an optimizer that the trainer may have wrapped."""
    inner = getattr(optimizer, "optimizer", None)
    # A wrapper may be an Optimizer, too, but one whose hooks were never set up.
    optimizer = inner if isinstance(inner, Optimizer) else optimizer
    return build(as_spec(spec), optimizer, clock=clock, on_change=on_change)
