"""Conversion of the durations in a schedule to optimizer steps, by a clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Generic, NamedTuple

from pydantic import ValidationError

from olm.fields.durations import THE_REST, Duration, Rounding, rounded
from olm.fields.errors import problems_of
from olm.fields.rules import Fit
from olm.fields.types import MAX_STEPS
from olm.problem import OlmError, Path, Problem, SpecError, dotted, found, quantity
from olm.schedule.clock import Clock
from olm.schedule.fitting import shortened
from olm.schedule.step_fields import Made, fields_with, is_counted, steps_of, with_numbers
from olm.schedule.timeline import Timeline

if TYPE_CHECKING:
    from olm.schedule.axis_clock import AxisClock
    from olm.schedule.units_per_step import Exact


@dataclass(frozen=True)
class Counted:
    """A duration with the number of steps that it was converted to."""

    path: Path
    """Its path in the schedule."""
    written: Duration
    """The duration as written."""
    exact: Fraction
    """Its number of steps before rounding."""
    steps: int
    """Its number of steps."""
    start: Fraction = Fraction(0)
    """The step of the run at which it starts, before rounding."""
    begin: int = 0
    """The step of the run at which it starts."""
    from_end: bool = False
    """Whether it is counted back from the end of its schedule, so that its start is rounded."""
    counts: str = "steps"
    """What it is counted in: ``steps``, or the ``samples`` or ``tokens`` of an axis."""
    offset: Exact = 0
    """How many of `counts` come before the schedule that has the axis."""

    @property
    def unit(self) -> str:
        """The singular of `counts`."""
        return self.counts.removesuffix("s")

    @property
    def as_written(self) -> tuple[str, str]:
        """The path and the duration, as a state keeps them."""
        return dotted(self.path), self.written.text

    @property
    def rounding(self) -> str:
        """The rounding in words; empty if the number is whole."""
        if self.exact == self.steps:
            return ""
        if self.from_end:
            exact, step, words = self.start, self.begin, [f"from {self.unit} {self.begin:,}"]
        else:
            exact, step = self.start + self.exact, self.begin + self.steps
            if self.written.is_rest and step == exact:
                return ""
            words = [f"to {self.unit} {step:,}"] if self.begin else []
        if step != exact:
            words.append(f"rounded {'up' if step > exact else 'down'} from {float(exact):,.10g}")
        return ", ".join(words)


@dataclass(frozen=True)
class Plan(Generic[Made]):
    """A schedule in optimizer steps, with the conversion of each of its durations.

    >>> from olm.kinds.warmup import WarmupCosine
    >>> print(plan(WarmupCosine(warmup_steps="3%", total_steps="2ep"),
    ...            Clock(total_steps=250, steps_per_epoch=125)))
    warmup_steps: 3% is 8 steps, rounded up from 7.5
    total_steps: 2ep is 250 steps
    """

    schedule: Made
    """The schedule, without durations."""
    counted: tuple[Counted, ...]
    """Its durations, in the order of the fields."""
    clock: Clock
    """The clock that counted them."""

    def __str__(self) -> str:
        return "\n".join(map(_in_words, self.counted))

    def _repr_html_(self) -> str:
        from olm.schedule.showing.notebook import of_plan

        return of_plan(self)

    @property
    def durations(self) -> tuple[tuple[str, str], ...]:
        """The durations as written, each with its path."""
        return tuple(counted.as_written for counted in self.counted)


def plan(schedule: Made, clock: Clock, rounding: Rounding = "nearest") -> Plan[Made]:
    """A schedule in optimizer steps.

    A duration is counted from the start of its schedule. Its end is rounded, by default to the
    nearest step and a half step up, and the next stage starts there. A last stage such as
    `decay_steps` is counted back from the end: its start is rounded to the nearest step, or its
    length up or down. A duration above 0 is at least 1 step, if there are enough steps: stages that
    fit as written fit in every run.

    Args:
        schedule: the schedule.
        clock: the clock of the run.
        rounding: how the ends of durations are rounded.

    >>> from olm.kinds.warmup import Warmup
    >>> warmup, clock = Warmup(warmup_steps="3%"), Clock(total_steps=150)
    >>> [plan(warmup, clock, way).schedule.warmup_steps for way in ("nearest", "up", "down")]
    [5, 5, 4]

    Raises:
        SpecError: the clock lacks a field for a duration, or the result is not valid.
    """
    counter = _Counter(clock, rounding)
    counted = counter.schedule(schedule, _Interval(end=clock.total_steps), ())
    if counter.problems:
        raise SpecError(counter.problems)
    return Plan(counted, tuple(counter.counted), clock)


def steps_at(
    places: Mapping[Path, int | Duration], clock: Clock, rounding: Rounding = "nearest"
) -> list[int]:
    """The steps at which something happens, some of which may be durations.

    Args:
        places: the step or duration of each, by its path.
        clock: the clock of the run.
        rounding: how the ends of durations are rounded.

    Raises:
        SpecError: the clock lacks a field for a duration, or a step is below 0 or beyond the
            maximum.
    """
    counter = _Counter(clock, rounding)
    ends = [
        counter.end(at, _START, _Interval(), path).step if isinstance(at, Duration) else at
        for path, at in places.items()
    ]
    problems = [*counter.problems, *map(_out_of_range, counter.counted)]
    if any(problems):
        raise SpecError(filter(None, problems))
    return ends


@dataclass(frozen=True)
class _Interval:
    """The steps of the run at which a schedule applies."""

    start: Fraction = Fraction(0)
    """The step at which it starts, before rounding."""
    begin: int = 0
    """The step at which it starts."""
    end: int | None = None
    """The step at which it is over, if that is known."""
    is_known: bool = True
    """Whether the schedule around it could be counted."""
    is_placed: bool = True
    """Whether its steps are consecutive steps of the run, from `begin` on."""


class _Counter:
    """Counts the durations of a schedule, and records the results and the problems."""

    def __init__(self, clock: Clock | AxisClock, rounding: Rounding) -> None:
        self.clock, self.rounding = clock, rounding
        self.counted: list[Counted] = []
        self.problems: list[Problem] = []

    def schedule(self, schedule: Made, interval: _Interval, path: Path) -> Made:
        """The schedule in steps; unchanged if there is a problem."""
        if schedule.axis_of_parts != "steps" and isinstance(self.clock, Clock):
            return self._along_axis(schedule, interval, path)
        first, problems = len(self.counted), len(self.problems)
        self._own(schedule, interval, path)
        counted = self.counted[first:]
        if len(self.problems) == problems:
            try:
                steps = {item.path[len(path) :]: item.steps for item in counted}
                made = with_numbers(schedule, steps)
            except ValidationError as error:
                self.problems += _explained(error, counted, path)
            else:
                exact = {item.path[len(path) :]: item.exact for item in counted}
                return self._children(made, _intervals(made, exact, interval), path)
        unknown = replace(interval, is_known=False)
        return self._children(schedule, [unknown for _ in schedule.children()], path)

    def _along_axis(self, schedule: Made, interval: _Interval, path: Path) -> Made:
        """A schedule whose numbers count samples or tokens, and those inside it, counted."""
        axis, clock = schedule.axis_of_parts, self.clock
        assert isinstance(clock, Clock)
        try:
            units = clock.units(axis)
        except OlmError as error:
            if is_counted(schedule):
                # It was counted by another clock, as in a state.
                return schedule
            self._missing(f"axis: {error}", clock.lacks_of(axis), (*path, "axis"))
            return schedule
        if not (units.is_constant or interval.is_placed):
            text = f"axis must not be {axis} inside a schedule that moves or repeats its parts"
            hint = "the batch changes during the run: put the axis around that schedule"
            self.problems.append(Problem("varying-batch", text, (*path, "axis"), hint=hint))
            return schedule
        from olm.schedule.axis_clock import AxisClock

        along = AxisClock(clock, axis, interval.begin)
        # A sample or token is so small a part of a step that its rounding is no question.
        inside = _Counter(along, "nearest")
        end = None if interval.end is None else along.end(interval.end)
        planned = schedule.model_copy(update={"per_step": along.per_step()})
        made = inside.schedule(planned, _Interval(end=end, is_known=interval.is_known), path)
        self.counted += [replace(item, offset=along.offset) for item in inside.counted]
        self.problems += inside.problems
        return made

    def _children(self, schedule: Made, intervals: list[_Interval], path: Path) -> Made:
        children = [
            (self.schedule(child, interval, path + place), child)
            for (place, child), interval in zip(schedule.placed_children(), intervals, strict=True)
        ]
        if all(made is child for made, child in children):
            return schedule
        return schedule.with_children([made for made, _ in children])

    def _own(self, schedule: Timeline, interval: _Interval, path: Path) -> None:
        """Count the durations in the fields of a schedule itself."""
        kind, before, first = type(schedule), _START, len(self.counted)
        ends: dict[str, _Point] = {}
        items = [*steps_of(schedule)]
        for index, (place, value) in enumerate(items):
            start = before if (staged := place[0] in kind.stages) else _START
            if not isinstance(value, Duration):
                end = _Point(start.exact + value, start.step + value)
            elif kind.fit and kind.fit.last == place[0] and not value.is_rest:
                end = self._last(value, ends[kind.fit.into], interval, path + place)
            else:
                above = ends.get(str(place[0])) if place[0] in kind.rising else None
                nowhere = place[0] in kind.periods
                where = replace(interval, is_placed=False) if nowhere else interval
                later = [one for at, one in items[index + 1 :] if at[0] in kind.stages]
                until = self._until(where, later) if value == THE_REST and staged else None
                end = self.end(value, start, where, path + place, above, until)
            ends[str(place[0])] = end
            before = end if staged else before
        over = (
            _over(kind.fit, ends)
            if kind.fit
            else before.step - self._rounded(before.exact, interval)
        )
        if over > 0:
            names = (kind.fit.first, kind.fit.last) if kind.fit else kind.stages
            self.counted[first:] = shortened(kind, names, self.counted[first:], len(path), over)

    def _last(self, written: Duration, end: _Point, interval: _Interval, path: Path) -> _Point:
        """The length of a last stage, which is counted back from the end of its schedule."""
        if self._refused(written, interval, path):
            return end
        exact = self.clock.steps_until(interval.start + end.exact, written)
        start = end.exact - exact
        # Libraries that round up or down do so with the length: ceil or floor of a share.
        steps = rounded(exact, self.rounding)
        if self.rounding == "nearest":
            steps = end.step - self._rounded(start, interval)
        if exact >= 0:
            steps = max(steps, 1 if exact else 0)
        begin = interval.begin + end.step - steps
        counted = Counted(path, written, exact, steps, interval.start + start, begin, from_end=True)
        self.counted.append(replace(counted, counts=self.clock.counts))
        return _Point(exact, steps)

    def end(
        self,
        written: Duration,
        before: _Point,
        interval: _Interval,
        path: Path,
        above: _Point | None = None,
        until: Fraction | None = None,
    ) -> _Point:
        """The end of a duration that starts at a point.

        Args:
            written: the duration.
            before: where it starts.
            interval: when its schedule applies.
            path: its path.
            above: the item before it, in a list of which each item is above the one before.
            until: for the rest, the step of the run at which it ends, if stages follow it.
        """
        if written.is_rest:
            if interval.end is None:
                if interval.is_known:
                    self._lacks(written, path)
                return before
            until = Fraction(interval.end) if until is None else until
            steps = self._rounded(until - interval.start, interval) - before.step
            if before.exact < until - interval.start:
                steps = max(steps, 1)
            exact = until - interval.start - before.exact
            end = _Point(before.exact + exact, before.step + steps)
        elif self._refused(written, interval, path):
            return before
        else:
            exact = self.clock.steps(written, interval.start + before.exact)
            steps = self._rounded(before.exact + exact, interval) - before.step
            if exact >= 0:
                # The duration before may have been extended to 1 step, beyond the end of this one.
                steps = max(steps, 1 if exact else 0)
            if above and exact > above.exact:
                steps = max(steps, above.step + 1)
            end = _Point(before.exact + exact, before.step + steps)
        start, begin = interval.start + before.exact, interval.begin + before.step
        counted = Counted(path, written, exact, steps, start, begin, counts=self.clock.counts)
        self.counted.append(counted)
        return end

    def _rounded(self, exact: Fraction, interval: _Interval) -> int:
        """The number of steps from the begin of an interval, with its end rounded."""
        return rounded(interval.start + exact, self.rounding) - interval.begin

    def _until(self, interval: _Interval, later: Sequence[int | Duration]) -> Fraction | None:
        """Where the rest ends that some stages follow: they are counted back from the end."""
        if interval.end is None or not later:
            return None
        until = Fraction(interval.end)
        for lasts in reversed(later):
            if isinstance(lasts, int):
                until -= lasts
            elif not self.clock.lacks(lasts):
                # What cannot be counted is reported where it stands.
                until -= self.clock.steps_until(until, lasts)
        return until

    def _refused(self, written: Duration, interval: _Interval, path: Path) -> bool:
        """Whether a duration cannot be counted, which is then a problem."""
        if self.clock.lacks(written):
            self._lacks(written, path)
            return True
        if interval.is_placed or self.clock.is_linear(written):
            return False
        text = f"{dotted(path)}: {written} is not the same number of {self.clock.counts} everywhere"
        hint = (
            "the batch changes during the run: give a number of steps, or put the schedule on an "
            "axis of samples or tokens"
        )
        self.problems.append(Problem("varying-batch", text, path, hint=hint))
        return True

    def _lacks(self, written: Duration, path: Path) -> None:
        lacks = self.clock.lacks(written)
        self._missing(f"{dotted(path)}: {written} needs a clock with {lacks}", lacks, path)

    def _missing(self, text: str, field: str, path: Path) -> None:
        clock = f"`clock: {{{field}: ...}}`"
        hint = f"add {clock} at the root, or pass clock=olm.Clock(...) to olm.build"
        self.problems.append(Problem("clock", text, path, hint=hint))


class _Point(NamedTuple):
    """A step, counted from the start of its schedule."""

    exact: Fraction
    step: int


_START = _Point(Fraction(0), 0)


def _over(fit: Fit, ends: Mapping[str, _Point]) -> int:
    """By how many steps two stages are too long, if they fit as written."""
    first, end = ends[fit.first], ends[fit.into]
    last = ends[fit.last] if fit.last else _Point(Fraction(0), 1)
    exact = first.exact + last.exact
    fits = exact <= end.exact if fit.last else exact < end.exact
    return first.step + last.step - end.step if fits else 0


def _intervals(
    made: Timeline, exact: Mapping[Path, Fraction], interval: _Interval
) -> list[_Interval]:
    """The intervals of the parts of a schedule whose own durations are counted."""
    if not made.children():
        return []
    parts = made.parts()
    # The same fields before rounding give the exact starts.
    unrounded = type(made).model_construct(**{**dict(made), **fields_with(made, exact)})
    starts = [part.start for part in (unrounded if exact else made).parts()]
    return [
        _Interval(
            interval.start + start,
            interval.begin + begin,
            interval.end if end == MAX_STEPS else interval.begin + end,
            interval.is_known,
            interval.is_placed and not made.moves_parts,
        )
        for start, (begin, end, _) in zip(starts, parts, strict=True)
    ]


def _explained(error: ValidationError, counted: list[Counted], path: Path) -> Iterator[Problem]:
    """The problems of a schedule in steps, with the durations that they are about as hints."""
    for problem in problems_of(error):
        about = (problem.path, *problem.also)
        involved = [
            item for item in counted if any(item.path[len(path) :][: len(p)] == p for p in about)
        ]
        hint = "; ".join([*filter(None, [problem.hint]), *map(_in_words, involved)])
        yield problem.under(path)._replace(hint=hint)


def _out_of_range(counted: Counted) -> Problem | None:
    if 0 <= counted.steps <= MAX_STEPS:
        return None
    bound = "at least 0" if counted.steps < 0 else f"at most {MAX_STEPS}"
    text = f"{counted.path[-1]} must be {bound}, found {found(counted.steps)}"
    return Problem("range", text, counted.path, hint=_in_words(counted))


def _in_words(counted: Counted) -> str:
    if abs(counted.steps) > MAX_STEPS:
        # The number may have a hundred digits.
        return f"{dotted(counted.path)}: {counted.written} is beyond {MAX_STEPS:,} {counted.counts}"
    rounding = f", {counted.rounding}" if counted.rounding else ""
    steps = quantity(counted.steps, counted.unit)
    return f"{dotted(counted.path)}: {counted.written} is {steps}{rounding}"
