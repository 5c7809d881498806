"""What fields say of a schedule's course without any rate: where it ends, and how it begins."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from typing import Any

from olm.checking.lint._walk import has_parts, parts_of
from olm.fields.types import MAX_STEPS
from olm.problem import Path
from olm.schedule.schedule import Schedule

LENGTHS = ("total_steps", "T_max", "decay_steps", "epochs", "total_iters")
"""The fields that say how long a run is; the last of them only where it is that of a decay."""


def end_of_run(schedule: Schedule) -> int | None:
    """The step at which a run is over by its longest total; None if nothing says one.

    >>> from olm.kinds import KINDS
    >>> end_of_run(KINDS["CosineAnnealingLR"](T_max=100)), end_of_run(KINDS["HoldLR"]())
    (100, None)
    """
    if schedule.kind in ("PhasesLR", "RepeatLR"):
        return schedule.holds_from()
    if schedule.kind == "TimeLR":
        return _end_by_clock(schedule)
    if not has_parts(schedule):
        return _own_end(schedule)
    turns = schedule.turns()
    last = max((start for start, _, _ in turns), default=0)
    ends = [(start, end_of_run(part)) for start, _, part in turns if start == last]
    return max((start + end for start, end in ends if end is not None), default=None)


def rises(schedule: Schedule) -> bool:
    """Whether it is a straight way from a lower rate to a higher one, such as a warm-up.

    A rate of its own at the start of a way to the base rate counts as lower.
    """
    way: Any = schedule
    if schedule.kind == "LinearFactorLR":
        return bool(way.start_factor < way.end_factor)
    if schedule.kind != "RampLR":
        return False
    if way.start_lr is None and way.end_lr is None:
        return bool(way.start_factor < way.end_factor)
    if way.start_lr is None:
        return bool(way.start_factor == 0)
    return bool(way.end_factor >= 1 if way.end_lr is None else way.start_lr < way.end_lr)


def warm_up(schedule: Schedule) -> tuple[Path, int] | None:
    """How long the warm-up is with which a schedule begins, and the field that says it."""
    it: Any = schedule
    if "warmup_steps" in fields_of(type(schedule)):
        return ("warmup_steps",), it.warmup_steps
    if rises(schedule):
        return field_of(schedule, LENGTHS), max(schedule.own_marks(), default=0)
    if schedule.kind not in ("RepeatLR", "TimeLR"):
        for part in parts_of(schedule):
            if part.begin == 0 and (inner := warm_up(part.schedule)):
                return part.path + inner[0], min(inner[1], part.end)
    return None


def drops(schedule: Schedule) -> Iterator[tuple[Path, int]]:
    """The steps at which a rate changes at once, each with the value that says it.

    Of those that come again and again it is the first.
    """
    steps: Any = schedule
    if schedule.kind == "StepLR" and steps.gamma != 1:
        yield ("step_size",), steps.step_size
    elif schedule.kind == "MultiStepLR":
        yield from ((("milestones", index), step) for index, step in enumerate(steps.milestones))
    elif schedule.kind == "TableLR" and steps.between == "hold":
        # Before the first step of a table its first factor holds as well.
        later = enumerate(steps.milestones[1:], 1)
        yield from ((("milestones", index), step) for index, step in later)


def field_of(schedule: Schedule, names: tuple[str, ...]) -> Path:
    """The first of some fields that a schedule has; itself if it has none."""
    return next(((name,) for name in names if name in fields_of(type(schedule))), ())


@cache
def fields_of(kind: type[Schedule]) -> frozenset[str]:
    """The names of the fields of a kind."""
    return frozenset(kind.model_fields)


def _own_end(schedule: Schedule) -> int | None:
    """The step that a kind without children calls its end."""
    fields = fields_of(type(schedule))
    decays = schedule.group == "decay" and "total_iters" in fields
    says = decays or not fields.isdisjoint(LENGTHS[:-1])
    if not says or schedule.endless or rises(schedule):
        return None
    return min(max(schedule.own_marks(), default=0), MAX_STEPS)


def _end_by_clock(schedule: Any) -> int | None:
    """The step from which on the clock of a `TimeLR` stands at the end of its run, or after."""
    end = schedule.last if schedule.last is not None else end_of_run(schedule.scheduler)
    if end is None:
        return None
    return bisect_left(range(MAX_STEPS), end, key=lambda step: schedule.clocks(step)[0])
