"""What metric-driven schedules remember, apart from the schedules that they are."""

from __future__ import annotations

from olm.fields.types import memory_fields
from olm.schedule.schedule import Schedule


def forgotten(schedule: Schedule) -> Schedule:
    """The schedule as it was before it observed anything.

    >>> from olm.kinds.plateau import Plateau
    >>> forgotten(Plateau(patience=0).observe(2.0)) == Plateau(patience=0)
    True
    """
    if not schedule.metric_driven:
        return schedule
    fields = type(schedule).model_fields
    fresh = {name: fields[name].default for name in memory_fields(type(schedule))}
    return _changed(schedule, fresh, [forgotten(child) for child in schedule.children()])


def remembered(schedule: Schedule, other: Schedule) -> Schedule:
    """A schedule with the memory of another, as far as the two are made of the same kinds.

    >>> from olm.kinds.plateau import Plateau
    >>> remembered(Plateau(patience=5), Plateau(patience=0).observe(2.0)).best
    2.0
    """
    if not schedule.metric_driven or type(schedule) is not type(other):
        return schedule
    memory = {name: getattr(other, name) for name in memory_fields(type(schedule))}
    children, others = schedule.children(), other.children()
    if len(children) == len(others):
        children = tuple(map(remembered, children, others))
    return _changed(schedule, memory, list(children))


def _changed(schedule: Schedule, memory: dict[str, object], children: list[Schedule]) -> Schedule:
    same = schedule.model_copy(update=memory) if memory else schedule
    return same.with_children(children) if children else same
