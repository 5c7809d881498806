"""What happens when in a schedule: its parts, its marks, and from when on its rate stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel

from olm.fields.types import MAX_STEPS, step_fields
from olm.problem import Path

NO_CHANGE = 10
"""How many steps are shown of a schedule that never changes."""

GOES_ON = 4
"""How many times its last mark is shown of a schedule that goes on changing."""


class Timeline(BaseModel):
    """A schedule as a course of events. Pictures, durations and lint need to know no more of it.

    A kind with children says in `parts` when each begins; all else follows. A kind that runs its
    children on another clock than its own says the rest itself.
    """

    stages: ClassVar[tuple[str, ...]] = ()
    """The fields that say how long consecutive stages last: see `olm.fields.rules.stages`."""

    def children(self) -> tuple[Self, ...]:
        """The schedules that stand in the fields, in their order."""
        return tuple(child for _, inner in self._nested() for child in inner)

    def placed_children(self) -> list[tuple[Path, Self]]:
        """The schedules that stand in the fields, each with its place, in their order."""
        return [
            ((name, index) if isinstance(getattr(self, name), tuple) else (name,), child)
            for name, inner in self._nested()
            for index, child in enumerate(inner)
        ]

    def at(self, path: Path) -> Any:
        """What stands at a path, in this schedule or one in it.

        >>> from olm.kinds.step import MultiStep
        >>> MultiStep(milestones=[30, 80]).at(("milestones", 1))
        80
        """
        value: Any = self
        for part in path:
            value = value[part] if isinstance(part, int) else getattr(value, part)
        return value

    def with_children(self, children: Sequence[Self]) -> Self:
        """The same with other children, as many as there are."""
        left, update = iter(children), {}
        for name, inner in self._nested():
            others = tuple(next(left) for _ in inner)
            update[name] = others if isinstance(getattr(self, name), tuple) else others[0]
        return self.model_copy(update=update)

    def parts(self) -> list[tuple[int, Any]]:
        """The schedules that this one is made of, each with the step where its own step 0 lies.

        A part's turn ends where a later one begins; those that begin together go on together.
        Children are parts in the order of `children`; by default all of them begin at step 0.
        """
        return [(0, child) for child in self.children()]

    def turns(self) -> list[tuple[int, int, Any]]:
        """The parts with the step at which each one's turn begins, and that at which it ends."""
        parts = self.parts()
        starts = sorted({start for start, _ in parts})
        ends = dict(zip(starts, [*starts[1:], MAX_STEPS], strict=bool(starts)))
        return [(start, ends[start], part) for start, part in parts]

    def spans(self) -> list[tuple[int, int, Any]]:
        """The parts with the step at which each one begins, and that at which it is over.

        That is where its turn ends, unless it is over before there is another.
        """
        return self.turns()

    def clocks(self, step: int) -> list[int | None]:
        """At a step, the own step of each part; None for one whose turn it is not."""
        return [step - start if start <= step < end else None for start, end, _ in self.turns()]

    def marks(self) -> list[int]:
        """The steps at which the shape changes, ascending; of an endless one the first of them."""
        marks = {*self.own_marks()}
        for start, end, part in self.turns():
            marks |= {start + mark for mark in part.marks() if start + mark < end}
            marks |= {start} if start else set()
        return sorted(marks)

    @property
    def endless(self) -> bool:
        """Whether the rate goes on changing for ever by itself, whatever the `own_marks` are."""
        return False

    def own_marks(self) -> Iterable[int]:
        """The steps at which the shape changes by itself: the numbers of steps in its fields."""
        for name in step_fields(type(self)):
            value = getattr(self, name)
            if value is not None:
                yield from value if isinstance(value, tuple) else (value,)

    def holds_from(self) -> int | None:
        """The step from which on the rate stays as it is; None if it never does."""
        if self.endless:
            return None
        steps = [0, *self.own_marks()]
        for start, end, part in self.turns():
            held = end - start if end < MAX_STEPS else part.holds_from()
            if held is None:
                return None
            steps.append(start + held)
        return min(max(steps), MAX_STEPS)

    def horizon(self) -> int:
        """How many steps to look at: to where the rate stays, or to see how it goes on."""
        held = self.holds_from()
        if held is not None:
            return held or NO_CHANGE
        last = max([start + part.horizon() for start, _, part in self.turns()], default=0)
        return min(last or GOES_ON * max(self.marks(), default=25), MAX_STEPS)

    @property
    def depth(self) -> int:
        """How deep schedules are nested here: 1 for one without children."""
        return 1 + max((child.depth for child in self.children()), default=0)

    def _nested(self) -> Iterator[tuple[str, tuple[Self, ...]]]:
        """The fields that hold schedules, with the schedules."""
        for name in child_fields(type(self)):
            value = getattr(self, name)
            if value is not None:
                yield name, value if isinstance(value, tuple) else (value,)


@cache
def child_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model that hold schedules.

    >>> from olm.kinds import KINDS
    >>> child_fields(KINDS["RepeatLR"])
    ('scheduler',)
    """

    def holds(annotation: Any) -> bool:
        if isinstance(annotation, type) and issubclass(annotation, Timeline):
            return True
        return any(map(holds, get_args(annotation)))

    fields = model.model_fields.items()
    return tuple(name for name, field in fields if holds(field.annotation))
