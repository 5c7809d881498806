"""A schedule and every schedule in it, each with the steps for which it is asked.

A kind is told by its name: to import its class would load kinds that the file does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from olm.fields.types import MAX_STEPS
from olm.problem import Path
from olm.schedule.schedule import Schedule
from olm.schedule.timeline import child_fields


class Part(NamedTuple):
    """A child of a schedule."""

    path: Path
    """Where it stands, seen from its parent."""
    begin: int
    """The step of its parent at which its turn begins."""
    end: int
    """The step of its parent at which its turn ends."""
    schedule: Schedule


class Node(NamedTuple):
    """A schedule that stands somewhere in another."""

    schedule: Schedule
    path: Path = ()
    """Where it stands."""
    first: int = 0
    """The first of its own steps for which it is asked."""
    last: int = MAX_STEPS
    """The step after the last of them; `MAX_STEPS` if there is no end."""
    offset: int | None = 0
    """The step of the whole at which its own step 0 lies; None if it is on another clock."""
    above: tuple[Schedule, ...] = ()
    """The schedules in which it stands, the outermost first."""
    parts: tuple[Part, ...] = ()
    """Its children, whether they are reached or not."""

    @property
    def ends(self) -> bool:
        """Whether there is a step from which on it is not asked."""
        return self.last < MAX_STEPS

    def steps(self, first: int, last: int) -> str:
        """Some of its own steps in words, as steps of the whole where it is known which they are.

        >>> from olm.kinds.hold import Hold
        >>> Node(Hold(), offset=100).steps(4, 9), Node(Hold(), offset=None).steps(4, 4)
        ('steps 104 to 109', 'its step 4')
        """
        whose, offset = ("its ", 0) if self.offset is None else ("", self.offset)
        if first == last:
            return f"{whose}step {first + offset:,}"
        return f"{whose}steps {first + offset:,} to {last + offset:,}"


def nodes(schedule: Schedule, last: int = MAX_STEPS) -> Iterator[Node]:
    """The schedule itself and what is reached in it in so many steps, parents before children."""
    waiting = [Node(schedule, last=last, parts=parts_of(schedule))]
    while waiting:
        node = waiting.pop()
        yield node
        if node.parts:
            waiting += [inner for part in reversed(node.parts) for inner in _within(node, part)]


def parts_of(schedule: Schedule) -> tuple[Part, ...]:
    """The children of a schedule."""
    if not has_parts(schedule):
        return ()
    of_parts = zip(schedule.placed_children(), schedule.turns(), strict=True)
    return tuple([Part(path, *turn) for (path, _), turn in of_parts])


def has_parts(schedule: Schedule) -> bool:
    """Whether its kind is made of schedules."""
    return bool(child_fields(type(schedule)))


def innermost(schedule: Schedule, step: int, holds: Callable[[Schedule, int], bool]) -> Node:
    """The schedule deepest inside of which something holds at a step, of its siblings alone.

    Args:
        schedule: one of which it holds.
        step: at which of its steps.
        holds: whether it holds of a schedule at one of its own steps.
    """
    node = Node(schedule, parts=parts_of(schedule))
    while node.parts:
        at = node.schedule.clocks(step)
        inner = [
            (part, clock)
            for part, clock in zip(node.parts, at, strict=True)
            if clock is not None and holds(part.schedule, clock)
        ]
        if len(inner) != 1:
            break
        [(part, step)] = inner
        node = Node(part.schedule, node.path + part.path, parts=parts_of(part.schedule))
    return node


def length_of(node: Node) -> int:
    """The step at which what stands in a node has no turn any more."""
    held = node.schedule.holds_from() if node.schedule.kind == "PhasesLR" else None
    return node.last if held is None else min(node.last, held)


def _within(node: Node, part: Part) -> Iterator[Node]:
    """A child of a node, if it is reached."""
    schedule: Any = node.schedule
    above = (*node.above, schedule)
    path, parts = node.path + part.path, parts_of(part.schedule)
    if schedule.kind == "RepeatLR":
        yield Node(part.schedule, path, 0, schedule.period, None, above, parts)
    elif schedule.kind == "TimeLR":
        first, last = (schedule.clocks(step)[0] or 0 for step in (node.first, node.last - 1))
        endless = not node.ends and schedule.last is None
        last = MAX_STEPS if endless else last + 1
        yield Node(part.schedule, path, first, last, None, above, parts)
    else:
        begin, end = max(part.begin, node.first), min(part.end, length_of(node))
        offset = None if node.offset is None else node.offset + part.begin
        if begin < end:
            last = end - part.begin if end < MAX_STEPS else MAX_STEPS
            yield Node(part.schedule, path, begin - part.begin, last, offset, above, parts)
