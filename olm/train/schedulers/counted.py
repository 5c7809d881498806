"""Durations as steps, before there is a scheduler: by the caller's clock, or by the spec's own."""

from __future__ import annotations

import logging
from dataclasses import replace

from olm.problem import SpecError
from olm.schedule.clock import Clock
from olm.schedule.schedule import Schedule
from olm.spec.spec import Spec

_log = logging.getLogger("olm")

BUILD = "only olm.build(spec, optimizer, clock=...) takes a clock"
"""What to do about a duration among the arguments of a torch class."""


def counted(spec: Spec, clock: Clock | None) -> Spec:
    """A spec in optimizer steps; it is logged what they are, and how the two clocks differ.

    Raises:
        SpecError: there are durations that no clock counts.
    """
    if spec.clock is not None and clock is not None:
        for line in clock.differences(spec.clock):
            _log.warning("clock.%s", line)
    if spec.is_counted:
        return spec
    if _log.isEnabledFor(logging.INFO):
        _log.info("%s", spec.plan(clock))
    return spec.resolve(clock)


def in_steps(schedule: Schedule) -> Schedule:
    """A schedule for a torch class, which is told of no clock.

    Raises:
        SpecError: there are durations that need one.
    """
    try:
        return schedule.in_steps()
    except SpecError as error:
        raise SpecError([replace(problem, hint=BUILD) for problem in error.problems]) from None


def again(state: Spec, clock: Clock) -> Spec:
    """The spec of a state with its durations counted anew, by the clock of this run.

    Raises:
        SpecError: the clock does not know what a duration needs, or what comes out is not valid.
    """
    if not state.durations:
        return state
    schedule = state.written.resolve(state.clock_for(clock))
    return Spec.trusted(schedule, durations=state.durations)
