"""What metric-driven schedules remember, apart from the schedules that they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from olm.fields.types import memory_fields
from olm.schedule.schedule import Schedule

if TYPE_CHECKING:
    from olm.spec.targets import Target


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
    children = schedule.child_values([forgotten(child) for child in schedule.children()])
    # The model's own copy, which validates nothing: defaults are valid.
    return BaseModel.model_copy(schedule, update=fresh | children)


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
    # Validated: the counters of one schedule may break a rule of the other, if a plugin has one.
    values = memory | schedule.child_values(children)
    same = all(getattr(schedule, name) == value for name, value in values.items())
    return schedule if same else schedule.model_copy(update=values)


def remembered_targets(also: Sequence[Target], other: Sequence[Target]) -> tuple[Target, ...]:
    """Targets with the memory of others, each with that of the one that sets the same number."""
    theirs = {target.identity: target.curve for target in other}
    return tuple(
        target.with_curve(remembered(target.curve, theirs.get(target.identity, target.curve)))
        for target in also
    )
