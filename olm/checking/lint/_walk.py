"""A schedule and every schedule inside it, each with the steps at which it applies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from olm.fields.types import MAX_STEPS
from olm.problem import Path
from olm.schedule.nesting import child_fields
from olm.schedule.schedule import Schedule


class Child(NamedTuple):
    """A schedule in the fields of another, its parent."""

    path: Path
    """Its path from the parent."""
    start: int
    """The step of the parent at which it starts."""
    end: int
    """The step of the parent at which it is over."""
    schedule: Schedule


class Node(NamedTuple):
    """A schedule, or one inside it, with its place and the steps at which it applies."""

    schedule: Schedule
    path: Path = ()
    """Its path from the root."""
    first: int = 0
    """The first of its own steps at which it applies."""
    last: int = MAX_STEPS
    """The step after the last of them; `MAX_STEPS` without an end."""
    offset: int | None = 0
    """The step of the root at its own step 0; None if it has another clock."""
    above: tuple[Schedule, ...] = ()
    """The schedules around it, the outermost first."""
    children: tuple[Child, ...] = ()
    """Its children, whether they are reached or not."""

    @property
    def ends(self) -> bool:
        """Whether there is a step from which on it does not apply."""
        return self.last < MAX_STEPS

    @property
    def unit(self) -> str:
        """What its own steps are, in the singular: below an axis, samples or tokens."""
        axes = (schedule.axis_of_parts for schedule in self.above)
        return next((axis for axis in axes if axis != "steps"), "steps").removesuffix("s")

    def steps(self, first: int, last: int) -> str:
        """Some of its own steps in words, as steps of the root where it has the same clock.

        >>> from olm.kinds.hold import Hold
        >>> Node(Hold(), offset=100).steps(4, 9), Node(Hold(), offset=None).steps(4, 4)
        ('steps 104 to 109', 'its own step 4')
        """
        whose, offset = ("its own ", 0) if self.offset is None else ("", self.offset)
        if first == last:
            return f"{whose}{self.unit} {first + offset:,}"
        return f"{whose}{self.unit}s {first + offset:,} to {last + offset:,}"


def nodes(schedule: Schedule, last: int = MAX_STEPS) -> Iterator[Node]:
    """A schedule and those inside it that are reached before step `last`, parents first."""
    waiting = [Node(schedule, last=last, children=children_of(schedule))]
    while waiting:
        node = waiting.pop()
        yield node
        if node.children:
            waiting += reversed([*_reached(node)])


def children_of(schedule: Schedule) -> tuple[Child, ...]:
    """The children of a schedule."""
    if not is_composition(schedule):
        return ()
    placed = zip(schedule.placed_children(), schedule.parts(), strict=True)
    return tuple([Child(path, *part) for (path, _), part in placed])


def is_composition(schedule: Schedule) -> bool:
    """Whether the kind has fields for schedules."""
    return bool(child_fields(type(schedule)))


def innermost(schedule: Schedule, step: int, holds: Callable[[Schedule, int], bool]) -> Node:
    """The deepest schedule for which a condition is true at a step, and for none of its siblings.

    Args:
        schedule: a schedule for which the condition is true.
        step: a step of this schedule.
        holds: the condition, of a schedule at one of its own steps.
    """
    node = Node(schedule, children=children_of(schedule))
    while node.children:
        inner_steps = node.schedule.part_steps(step)
        inner = [
            (child, inner_step)
            for child, inner_step in zip(node.children, inner_steps, strict=True)
            if inner_step is not None and holds(child.schedule, inner_step)
        ]
        if len(inner) != 1:
            break
        [(child, step)] = inner
        path, schedule = node.path + child.path, child.schedule
        node = Node(schedule, path, children=children_of(schedule))
    return node


def over_at(node: Node) -> int:
    """The step of a node at which none of its children applies any more."""
    return min(node.last, max((child.end for child in node.children), default=MAX_STEPS))


def _reached(node: Node) -> Iterator[Node]:
    """The children of a node that are reached, in their order."""
    ranges = node.schedule.part_ranges(node.first, node.last)
    for child, (first, last) in zip(node.children, ranges, strict=True):
        if first < last:
            offset = None
            if node.offset is not None and not node.schedule.own_clock:
                offset = node.offset + child.start
            path, above = node.path + child.path, (*node.above, node.schedule)
            inner = children_of(child.schedule)
            yield Node(child.schedule, path, first, last, offset, above, inner)
