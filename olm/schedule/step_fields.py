"""The numbers of steps and the durations in a schedule, each with its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from olm.fields.durations import Duration
from olm.fields.types import step_fields
from olm.problem import Path
from olm.schedule.nesting import child_fields
from olm.schedule.timeline import Timeline

Made = TypeVar("Made", bound=Timeline)


def steps_of(schedule: Timeline) -> Iterator[tuple[Path, Any]]:
    """The numbers of steps or durations in the fields of a schedule, each with its path.

    >>> from olm.kinds.step import MultiStep
    >>> list(steps_of(MultiStep(milestones=[30, "80%"])))
    [(('milestones', 0), 30), (('milestones', 1), '80%')]
    """
    for name in step_fields(type(schedule)):
        value = getattr(schedule, name)
        if isinstance(value, tuple):
            yield from (((name, index), item) for index, item in enumerate(value))
        elif value is not None:
            yield (name,), value


def places(schedule: Timeline) -> set[Path]:
    """The paths of all numbers of steps and durations in a schedule."""
    inner = (place + path for place, child in schedule.placed_children() for path in places(child))
    return {*(place for place, _ in steps_of(schedule)), *inner}


def is_counted(schedule: Timeline) -> bool:
    """Whether a schedule has numbers of steps only, and no durations.

    >>> from olm.kinds.warmup import Warmup
    >>> is_counted(Warmup(warmup_steps=30)), is_counted(Warmup(warmup_steps="3%"))
    (True, False)
    """
    # Fast, because every check of a spec calls it, mostly without durations.
    model = type(schedule)
    for name in step_fields(model):
        value = getattr(schedule, name)
        if type(value) is Duration or (type(value) is tuple and any(map(_is_duration, value))):
            return False
    if not child_fields(model):
        return True
    return not schedule.needs_plan and all(map(is_counted, schedule.children()))


def has_plan(schedule: Timeline) -> bool:
    """Whether a clock has counted the axis of a schedule, or of one inside it."""
    return schedule.is_planned or any(map(has_plan, schedule.children()))


def _is_duration(value: object) -> bool:
    return type(value) is Duration


def durations(schedule: Timeline) -> list[tuple[Path, Duration]]:
    """The durations in a schedule, each with its path.

    >>> from olm.kinds.warmup import WarmupCosine
    >>> durations(WarmupCosine(warmup_steps="3%", total_steps=100))
    [(('warmup_steps',), '3%')]
    """
    own = [(place, value) for place, value in steps_of(schedule) if isinstance(value, Duration)]
    for place, child in schedule.placed_children():
        own += [(place + path, value) for path, value in durations(child)]
    return own


def with_numbers(schedule: Made, numbers: Mapping[Path, Any]) -> Made:
    """A schedule with other numbers or durations at some paths in its own fields.

    Raises:
        ValidationError: the result is not a valid schedule.
    """
    return schedule.model_copy(update=fields_with(schedule, numbers)) if numbers else schedule


def fields_with(schedule: Timeline, numbers: Mapping[Path, Any]) -> dict[str, Any]:
    """The fields of a schedule with some numbers replaced, and the rest of their lists."""
    changed: dict[str, Any] = {}
    for name in {str(place[0]): None for place in numbers}:
        value = getattr(schedule, name)
        changed[name] = (
            tuple(numbers.get((name, index), item) for index, item in enumerate(value))
            if isinstance(value, tuple)
            else numbers[name,]
        )
    return changed


def rewritten(schedule: Made, texts: Mapping[Path, Duration]) -> Made:
    """A schedule with durations in place of their numbers of steps.

    Args:
        schedule: the schedule.
        texts: the durations by their paths; paths without a number of steps are ignored. What an
            axis adds per step is left out as well.

    >>> from olm.kinds.warmup import Warmup
    >>> from olm.fields.durations import duration
    >>> rewritten(Warmup(warmup_steps=30), {("warmup_steps",): duration("3%")})
    Warmup(warmup_steps='3%', start_lr=0.0)

    Raises:
        ValidationError: the result is not a valid schedule.
    """
    own = {place: texts[place] for place, _ in steps_of(schedule) if place in texts}
    made = with_numbers(schedule, own)
    if made.is_planned:
        made = made.model_copy(update={"per_step": None})
    children = [
        rewritten(child, _below(texts, place)) for place, child in schedule.placed_children()
    ]
    return made if children == [*schedule.children()] else made.with_children(children)


def _below(texts: Mapping[Path, Duration], place: Path) -> dict[Path, Duration]:
    """The durations below a path, by their paths from there."""
    size = len(place)
    return {path[size:]: text for path, text in texts.items() if path[:size] == place}
