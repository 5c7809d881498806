"""Warnings about a run that goes on although its rates can no longer change as intended."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from olm.problem import dotted
from olm.schedule.schedule import Schedule
from olm.spec.memory import forgotten
from olm.train.schedulers.read_ahead import ReadAhead

STEPS_WITHOUT_METRIC = 1_000
"""How many steps a part that is driven by a metric may take before it observes one."""

_log = logging.getLogger("olm")


@dataclass
class Watch:
    """Logs once that a schedule observes no metric, and once that it is over at a rate of 0.

    Both are computed at a few steps only: `check` returns the next.
    """

    has_metric: bool = False
    """Whether the schedule has observed a metric, or its absence has been logged."""
    is_over: bool = False
    """Whether the schedule has been seen after its end."""

    def check(self, step: int, ahead: ReadAhead) -> int | None:
        """Log what is due at a step, and return the next step to check; None if there is none."""
        later = (self._check_metric(step, ahead.schedule), self._check_end(step, ahead))
        return min((due for due in later if due is not None), default=None)

    def _check_metric(self, step: int, schedule: Schedule) -> int | None:
        if self.has_metric or not schedule.metric_driven:
            return None
        due = metric_due(schedule)
        if step < due:
            return due
        self.has_metric = True
        # The memory of a state that was resumed shows metrics of earlier steps.
        if schedule == forgotten(schedule):
            _log.warning(
                "%s is driven by a metric and has observed none at step %s: call observe(metric) "
                "or step(metric), such as after each validation",
                schedule.kind,
                f"{step:,}",
            )
        return None

    def _check_end(self, step: int, ahead: ReadAhead) -> int | None:
        end = None if self.is_over else ahead.schedule.ends_at()
        if end is None or step <= end:
            return None if end is None else end + 1
        self.is_over = True
        if any(ahead.bases) and not any(ahead.at(step)):
            length = dotted(ahead.schedule.length_path())
            longer = f"raise {length}" if length else "make the schedule longer"
            _log.warning(
                "%s is over since step %s, but the run goes on at a rate of 0, which trains "
                'nothing: to train longer, %s and resume with on_change="spec"',
                ahead.schedule.kind,
                f"{end:,}",
                longer,
            )
        return None


def metric_due(schedule: Schedule) -> int:
    """The step by which a metric-driven schedule should have observed a metric.

    >>> from olm.spec.spec import parse
    >>> warmup = {"kind": "WarmupLR", "warmup_steps": 500}
    >>> parts = {"schedulers": [warmup, {"kind": "ReduceLROnPlateau"}], "milestones": [500]}
    >>> metric_due(parse({"kind": "SequentialLR", **parts}).schedule)
    1500
    """
    due, end = _driven_from(schedule) + STEPS_WITHOUT_METRIC, schedule.ends_at()
    return due if end is None else min(due, end + 1)


def _driven_from(schedule: Schedule) -> int:
    """The step at which the first part that is driven by a metric starts."""
    starts = [
        schedule.reached_at(part, _driven_from(part.schedule))
        for part in schedule.parts()
        if part.schedule.metric_driven
    ]
    return min((start for start in starts if start is not None), default=0)
