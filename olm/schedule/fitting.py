"""Rounding of stages that fit as written, so that they fit in whole steps too."""

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
    """The durations of a schedule, with the stages shortened by the steps that are too many.

    The last stage is shortened first, and each keeps at least 1 step. If that is not enough, stages
    that may be 0 become 0, the shortest first.

    Args:
        kind: the kind of the schedule.
        names: the fields of the stages.
        counted: the durations of the schedule.
        depth: the length of the path of the schedule.
        over: by how many steps the stages are too long.
    """
    stages = [index for index, item in enumerate(counted) if item.path[depth] in names]
    steps = [item.steps for item in counted]
    by_length = sorted(stages, key=lambda index: counted[index].exact)
    may_be_zero = [index for index in by_length if _least(kind, counted[index].path[depth]) == 0]
    for index, keeps in [*((i, 1) for i in reversed(stages)), *((i, 0) for i in may_be_zero)]:
        given = max(min(over, steps[index] - keeps), 0)
        steps[index], over = steps[index] - given, over - given
    return [*_moved(counted, steps, stages)]


def _moved(
    counted: Sequence[Counted], steps: Sequence[int], stages: Sequence[int]
) -> Iterator[Counted]:
    """Durations with other numbers of steps, with the starts of the stages moved."""
    earlier = 0
    for index, (item, lasts) in enumerate(zip(counted, steps, strict=True)):
        given = item.steps - lasts
        begin = item.begin + given if item.from_end else item.begin - earlier
        yield replace(item, steps=lasts, begin=begin) if index in stages else item
        earlier += given


def _least(kind: type[Timeline], field: str | int) -> float:
    """The minimum of a field, in steps."""
    return next(number.minimum for number in numbers_of(kind.model_fields[str(field)]))
