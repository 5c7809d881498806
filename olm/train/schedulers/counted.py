"""Counts durations in steps before a scheduler is built, by the caller's or the spec's clock."""

from __future__ import annotations

import logging

from pydantic import BaseModel

from olm.problem import SpecError
from olm.schedule.clock import Clock
from olm.schedule.schedule import Schedule
from olm.spec.parent import own_durations
from olm.spec.root_keys import STATE_KEYS
from olm.spec.spec import Spec

_log = logging.getLogger("olm")

BUILD = "only olm.build(spec, optimizer, clock=...) takes a clock"
"""The hint for a duration among the arguments of a torch class."""


def counted(spec: Spec, clock: Clock | None) -> Spec:
    """The spec in optimizer steps. The counts, and differences between the clocks, are logged.

    Raises:
        SpecError: there are durations that no clock counts.
    """
    if spec.clock is not None and clock is not None:
        for line in clock.differences(spec.clock):
            _log.warning("clock.%s", line)
    changes = any(known is not None and known.varies for known in (clock, spec.clock))
    if clock is not None and changes and not spec.is_state:
        # The scheduler keeps a clock whose batch changes.
        spec = BaseModel.model_copy(spec, update={"clock": spec.clock_for(clock)})
    if spec.is_counted:
        return spec
    if _log.isEnabledFor(logging.INFO):
        _log.info("%s", spec.plan(clock))
    return spec.resolve(clock)


def without_clock(schedule: Schedule) -> Schedule:
    """A schedule in optimizer steps, for a torch class, whose constructor takes no clock.

    Raises:
        SpecError: there are durations that need a clock.
    """
    try:
        return schedule.in_steps()
    except SpecError as error:
        raise SpecError([problem._replace(hint=BUILD) for problem in error.problems]) from None


def recounted(state: Spec, clock: Clock) -> Spec:
    """The spec of a state with its durations counted again, by the clock of this run.

    Raises:
        SpecError: the clock lacks what a duration needs, or the new numbers of steps are invalid.
    """
    run, durations = state.clock_for(clock), own_durations(state)
    as_counted = BaseModel.model_copy(state, update={"durations": durations})
    written = as_counted.written
    if written is as_counted:
        return BaseModel.model_copy(state, update={"clock": run})
    past = tuple(pair for pair in state.durations if pair not in durations)
    # Without its position, since numbers of another length are of another schedule.
    update = {**dict.fromkeys(STATE_KEYS), "durations": past, "clock": run}
    return BaseModel.model_copy(written, update=update).resolve(run)
