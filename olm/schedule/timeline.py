"""What happens when in a schedule: its parts, its marks, its end, and where its rate holds.

A kind declares its `length_fields`, and overrides `parts` and `own_marks` where the defaults do not
fit. The rest is derived. A kind that declares `own_clock` also overrides `part_steps`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from olm.fields.rules import Fit
from olm.fields.types import MAX_STEPS, step_fields
from olm.problem import Path
from olm.schedule.nesting import Nesting, class_variables_known

if TYPE_CHECKING:
    from olm.schedule.units_per_step import UnitsPerStep

NO_CHANGE = 10
"""How many steps a picture shows of a schedule that never changes."""

GOES_ON = 4
"""How many times its last mark a picture shows of a schedule that goes on changing."""

AFTERWARDS = 4
"""The part of its steps that a picture shows again of a schedule that holds but has no end."""


class Part(NamedTuple):
    """A schedule that another one is made of, and the steps of the other at which it applies."""

    start: int
    """The step at which the part starts, at its own step 0."""
    end: int
    """The step at which the part is over; `MAX_STEPS` if nothing ends it."""
    schedule: Any


@class_variables_known
class Timeline(Nesting):
    """A schedule as a sequence of events: all that pictures, durations and lint know of it."""

    stages: ClassVar[tuple[str, ...]] = ()
    """The fields that specify how long consecutive stages last: see `olm.fields.rules.stages`."""

    rising: ClassVar[tuple[str, ...]] = ()
    """The lists of which each item is above the one before: see `olm.fields.rules.ascending`."""

    fit: ClassVar[Fit | None] = None
    """The stages that must fit into the schedule: see `olm.fields.rules.fits`."""

    length_fields: ClassVar[tuple[str, ...]] = ("total_steps",)
    """The fields that specify how long the schedule lasts. Without any of them it has no end."""

    own_clock: ClassVar[bool] = False
    """Whether the parts run on another clock than the schedule, which `part_steps` defines."""

    periods: ClassVar[tuple[str, ...]] = ()
    """The fields whose steps start nowhere in particular: periods, time constants, shifts."""

    @property
    def axis_of_parts(self) -> str:
        """What the numbers of steps in this schedule count: ``steps``, ``samples``, ``tokens``."""
        return "steps"

    @property
    def axis_plan(self) -> UnitsPerStep | None:
        """How many of these each step takes; None without an axis, or before it is counted."""
        return None

    @property
    def has_axis(self) -> bool:
        """Whether the numbers in it, or in a schedule inside it, count samples or tokens."""
        return self.axis_of_parts != "steps" or any(part.has_axis for part in self.children())

    @property
    def moves_parts(self) -> bool:
        """Whether consecutive steps of the parts are not consecutive steps of the schedule."""
        return self.own_clock

    @property
    def needs_plan(self) -> bool:
        """Whether it cannot be evaluated before a clock has counted its axis."""
        return False

    @property
    def is_planned(self) -> bool:
        """Whether a clock has counted its axis."""
        return self.axis_of_parts != "steps" and not self.needs_plan

    def parts(self) -> list[Part]:
        """The schedules that this one is made of, in the order of `children`.

        By default all of them start at step 0, and nothing ends them.
        """
        return [Part(0, MAX_STEPS, child) for child in self.children()]

    def part_steps(self, step: int) -> list[int | None]:
        """For each part its own step when the schedule is at `step`; None if it does not apply.

        The last part goes on after its end. With `own_clock`, a kind overrides this.
        """
        starts = [part.start for part in self.parts()]
        latest = max((start for start in starts if start <= step), default=None)
        return [step - start if start == latest else None for start in starts]

    def part_ranges(self, first: int, last: int) -> list[tuple[int, int]]:
        """For each part its own first step, and the one after its last, from `first` to `last`.

        Args:
            first: the first step of the schedule.
            last: the step after its last; `MAX_STEPS` if it goes on.

        Returns:
            A range for each part, which is empty if the part is not reached.
        """
        if not self.own_clock:
            return [
                (max(first - start, 0), end - start if end < MAX_STEPS else MAX_STEPS)
                for start, end in ((part.start, min(part.end, last)) for part in self.parts())
            ]
        lows, highs = self.part_steps(first), self.part_steps(last - 1)
        return [
            (low or 0, (high or 0) + 1 if last < MAX_STEPS else MAX_STEPS)
            for low, high in zip(lows, highs, strict=True)
        ]

    def reached_at(self, part: Part, step: int) -> int | None:
        """The step at which a part is at its own `step` or later; None if it never is.

        With `own_clock`, the default supposes that the clock never goes back.
        """
        if not self.own_clock:
            return part.start + step
        index = self.parts().index(part)
        found = bisect_left(range(MAX_STEPS), step, key=lambda at: self.part_steps(at)[index] or 0)
        return found if found < MAX_STEPS else None

    def own_marks(self) -> Iterable[int]:
        """The steps at which the shape changes, without those of the parts.

        By default the numbers of steps in the fields. Of a shape that repeats, the first few.
        """
        for name in step_fields(type(self)):
            value = getattr(self, name)
            if value is not None:
                yield from value if isinstance(value, tuple) else (value,)

    def marks(self) -> list[int]:
        """The steps at which the shape changes, ascending."""
        marks: set[int | None] = {*self.own_marks()}
        for part in self.parts():
            marks |= {
                self.reached_at(part, mark)
                for mark in part.schedule.marks()
                if part.start + mark < part.end
            }
            marks |= {part.start} if part.start else set()
        return sorted(mark for mark in marks if mark is not None)

    def holds_from(self) -> int | None:
        """The step from which on the rate holds; None if it never does."""
        steps = [0, *self.own_marks()]
        for part in self.parts():
            ends = part.end < MAX_STEPS
            held = part.end - part.start if ends else part.schedule.holds_from()
            reached = None if held is None else self.reached_at(part, held)
            if reached is None:
                return None
            steps.append(reached)
        return min(max(steps), MAX_STEPS)

    def length_path(self) -> Path:
        """The first of the `length_fields` that has a value; empty if there is none."""
        there = (name for name in self.length_fields if self.__dict__.get(name) is not None)
        return next(((name,) for name in there), ())

    def ends_at(self) -> int | None:
        """The step at which the schedule is over by its length; None if it has no end.

        A composition without `length_fields` ends where the last of its parts does.
        """
        if self.length_path():
            return self.holds_from()
        parts = self.parts()
        latest = max((part.start for part in parts), default=0)
        ends = [(part, part.schedule.ends_at()) for part in parts if part.start == latest]
        reached = [self.reached_at(part, end) for part, end in ends if end is not None]
        return max((step for step in reached if step is not None), default=None)

    def horizon(self) -> int:
        """How many steps to look at: to the end, or enough to see how the rate holds or goes on."""
        held = self.holds_from()
        if held is not None:
            end = self.ends_at()
            # Without an end, the rate that holds is part of the picture.
            last = max(held, end) if end is not None else held + held // AFTERWARDS
            return min(last, MAX_STEPS) or NO_CHANGE
        last = max([part.start + part.schedule.horizon() for part in self.parts()], default=0)
        return min(last or GOES_ON * max(self.marks(), default=25), MAX_STEPS) or NO_CHANGE
