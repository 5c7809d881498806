"""Stages that fit as they are written, made to fit as they are rounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from olm.fields.types import numbers_of

if TYPE_CHECKING:
    from olm.schedule.counting import Counted
    from olm.schedule.timeline import Timeline


def shortened(
    kind: type[Timeline], names: Sequence[str], counted: Sequence[Counted], depth: int, over: int
) -> list[Counted]:
    """The durations of a schedule, with its stages as many steps shorter as they are too long.

    Each keeps a step, and the last is shortened first. Where that is not enough, stages that may be
    nothing become nothing, the shortest first.

    Args:
        kind: the kind of the schedule.
        names: the fields of its stages.
        counted: its durations.
        depth: how long the path of the schedule is.
        over: how many steps its stages are too long.
    """
    stages = [index for index, one in enumerate(counted) if one.path[depth] in names]
    steps = [one.steps for one in counted]
    by_length = sorted(stages, key=lambda index: counted[index].exact)
    may_be_nothing = [index for index in by_length if _least(kind, counted[index].path[depth]) == 0]
    for index, keeps in [*((i, 1) for i in reversed(stages)), *((i, 0) for i in may_be_nothing)]:
        given = max(min(over, steps[index] - keeps), 0)
        steps[index], over = steps[index] - given, over - given
    return [*_moved(counted, steps, stages)]


def _moved(
    counted: Sequence[Counted], steps: Sequence[int], stages: Sequence[int]
) -> Iterator[Counted]:
    """Durations with other steps, and the stages at the steps at which they then begin."""
    earlier = 0
    for index, (one, lasts) in enumerate(zip(counted, steps, strict=True)):
        given = one.steps - lasts
        begin = one.begin + given if one.from_end else one.begin - earlier
        yield replace(one, steps=lasts, begin=begin) if index in stages else one
        earlier += given


def _least(kind: type[Timeline], field: str | int) -> float:
    """The least number of steps that a field takes."""
    return next(number.minimum for number in numbers_of(kind.model_fields[str(field)]))
