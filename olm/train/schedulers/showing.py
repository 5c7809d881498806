"""A scheduler in a line, in a notebook, and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from olm.spec.spec import Spec, parse

if TYPE_CHECKING:
    from olm.train.schedulers.schedule_lr import ScheduleLR

RATES = 4
"""The most rates that a line has."""


def line(scheduler: ScheduleLR) -> str:
    """The class, the fields, the step and the rates of a scheduler."""
    # The clock of the document, else the schedule, knows how long the run is.
    schedule, clock = scheduler.schedule, scheduler._origin.get("clock")
    total = (clock and clock.total_steps) or schedule.ends_at()
    name = type(scheduler).__name__
    fields = ", ".join(f"{key}={value!r}" for key, value in schedule.__repr_args__())
    if name != schedule.kind:
        name, fields = name, repr(schedule)
    rates = [f"{rate:.6g}" for rate in scheduler.get_last_lr()]
    shown = ", ".join([*rates[:RATES], *["..."] * (len(rates) > RATES)])
    of = f" of {total}" if isinstance(total, int) else ""
    return f"{name}({fields}) at step {scheduler.last_epoch}{of}, lr [{shown}]"


def document(scheduler: ScheduleLR) -> Spec:
    """The state of a scheduler as a spec."""
    return parse(scheduler.state_dict())


def html(scheduler: ScheduleLR) -> str:
    """The picture of a scheduler with its step, for a notebook."""
    from html import escape

    from olm.schedule.showing.notebook import block
    from olm.spec.showing import html

    return block(f"<p><code>{escape(line(scheduler))}</code></p>{html(document(scheduler))}")


def plot(scheduler: ScheduleLR, ax: Any, steps: int | None) -> Any:
    """Draw a scheduler with its step on axes of matplotlib's."""
    from olm.spec.showing import plot

    return plot(document(scheduler), ax, steps)
