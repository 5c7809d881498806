"""From durations to optimizer steps: what a clock makes of a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import Generic, NamedTuple

from pydantic import ValidationError

from olm.fields.durations import REST, Duration
from olm.fields.errors import problems_of
from olm.fields.rules import Fit
from olm.fields.types import MAX_STEPS
from olm.problem import Path, Problem, SpecError, dotted, found, quantity
from olm.schedule.clock import Clock
from olm.schedule.fitting import shortened
from olm.schedule.step_fields import Made, fields_with, steps_of, with_numbers
from olm.schedule.timeline import Timeline

_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Counted:
    """A duration, and the steps that it was found to be."""

    path: Path
    """Where it stands."""
    written: Duration
    """As it was written."""
    exact: Fraction
    """How many steps it is before it is rounded."""
    steps: int
    """How many steps it is."""
    start: Fraction = Fraction(0)
    """The step of the run at which it begins, before that is rounded."""
    begin: int = 0
    """The step of the run at which it begins."""
    from_end: bool = False
    """Whether it is counted back from the end of its schedule, so that its beginning is rounded."""

    @property
    def rounding(self) -> str:
        """What became of what is not whole, in words; nothing if it is whole."""
        if self.exact == self.steps:
            return ""
        if self.from_end:
            exact, step, words = self.start, self.begin, [f"from step {self.begin:,}"]
        else:
            exact, step = self.start + self.exact, self.begin + self.steps
            words = [f"to step {step:,}"] if self.begin else []
        if step != exact:
            words.append(f"rounded {'up' if step > exact else 'down'} from {float(exact):.10g}")
        return ", ".join(words)


@dataclass(frozen=True)
class Plan(Generic[Made]):
    """A schedule in optimizer steps, and what was done to get there.

    >>> from olm.kinds.warmup import WarmupCosine
    >>> print(plan(WarmupCosine(warmup_steps="3%", total_steps="2ep"),
    ...            Clock(total_steps=250, steps_per_epoch=125)))
    warmup_steps: 3% is 8 steps, rounded up from 7.5
    total_steps: 2ep is 250 steps
    """

    schedule: Made
    """The schedule, without durations."""
    counted: tuple[Counted, ...]
    """Its durations, in the order in which they stand."""
    clock: Clock
    """What they were counted by."""

    def __str__(self) -> str:
        return "\n".join(map(_in_words, self.counted))

    @property
    def durations(self) -> tuple[tuple[str, str], ...]:
        """The durations as they were written, each with its path."""
        return tuple((dotted(one.path), one.written.text) for one in self.counted)


def plan(schedule: Made, clock: Clock) -> Plan[Made]:
    """A schedule in optimizer steps.

    A duration is counted from where its schedule begins, and it is its end that is rounded, to the
    nearest step, a half up: what follows it begins there. A last stage such as `decay_steps` is
    counted back from the end, and its start is rounded. What is not zero is at least one step,
    where there are as many: stages that fit as they are written fit in every run.

    Args:
        schedule: the schedule.
        clock: what the run is.

    Raises:
        SpecError: the clock does not know what a duration needs; or what comes out is not valid.
    """
    counter = _Counter(clock)
    counted = counter.schedule(schedule, _Turn(end=clock.total_steps), ())
    if counter.problems:
        raise SpecError(counter.problems)
    return Plan(counted, tuple(counter.counted), clock)


def steps_at(places: Mapping[Path, int | Duration], clock: Clock) -> list[int]:
    """The steps at which something happens, of which some may be said by a duration.

    Args:
        places: what says each, and where that stands.
        clock: what the run is.

    Raises:
        SpecError: the clock does not know what a duration needs; or a step is too far away.
    """
    counter = _Counter(clock)
    ends = [
        counter.end(at, _START, _Turn(), path).step if isinstance(at, Duration) else at
        for path, at in places.items()
    ]
    problems = [*counter.problems, *map(_too_far, counter.counted)]
    if any(problems):
        raise SpecError(filter(None, problems))
    return ends


def nearest(exact: Fraction) -> int:
    """The nearest whole number; of two, the one above.

    >>> [nearest(Fraction(half, 2)) for half in (-1, 1, 3, 4)]
    [0, 1, 2, 2]
    """
    return floor(exact + _HALF)


@dataclass(frozen=True)
class _Turn:
    """When a schedule applies, in steps of the run."""

    start: Fraction = Fraction(0)
    """Where it begins, before that was rounded."""
    begin: int = 0
    """Where it begins."""
    end: int | None = None
    """Where it has no more to say, if that is known."""
    is_known: bool = True
    """Whether the schedule in which it stands could be counted."""

    def rounded(self, exact: Fraction) -> int:
        """How many steps what begins here lasts, if its end is rounded."""
        return nearest(self.start + exact) - self.begin


class _Counter:
    """Counts the durations of a schedule, and notes what it did and what it cannot do."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.counted: list[Counted] = []
        self.problems: list[Problem] = []

    def schedule(self, schedule: Made, turn: _Turn, path: Path) -> Made:
        """The schedule in steps; as it is, where there is a problem."""
        first, problems = len(self.counted), len(self.problems)
        self._own(schedule, turn, path)
        counted = self.counted[first:]
        if len(self.problems) == problems:
            try:
                made = with_numbers(schedule, {one.path[len(path) :]: one.steps for one in counted})
            except ValidationError as error:
                self.problems += _explained(error, counted, path)
            else:
                exact = {one.path[len(path) :]: one.exact for one in counted}
                return self._children(made, _turns(made, exact, turn), path)
        unknown = replace(turn, is_known=False)
        return self._children(schedule, [unknown for _ in schedule.children()], path)

    def _children(self, schedule: Made, turns: list[_Turn], path: Path) -> Made:
        children = [
            (self.schedule(child, turn, path + place), child)
            for (place, child), turn in zip(schedule.placed_children(), turns, strict=True)
        ]
        if all(made is child for made, child in children):
            return schedule
        return schedule.with_children([made for made, _ in children])

    def _own(self, schedule: Timeline, turn: _Turn, path: Path) -> None:
        """Count what stands in the fields of a schedule itself."""
        kind, before, first = type(schedule), _START, len(self.counted)
        ends: dict[str, _Point] = {}
        for place, value in steps_of(schedule):
            start = before if (staged := place[0] in kind.stages) else _START
            if not isinstance(value, Duration):
                end = _Point(start.exact + value, start.step + value)
            elif kind.fit and kind.fit.last == place[0] and value.unit != REST:
                end = self._last(value, ends[kind.fit.into], turn, path + place)
            else:
                end = self.end(value, start, turn, path + place)
            ends[str(place[0])] = end
            before = end if staged else before
        over = _over(kind.fit, ends) if kind.fit else before.step - turn.rounded(before.exact)
        if over > 0:
            names = (kind.fit.first, kind.fit.last) if kind.fit else kind.stages
            self.counted[first:] = shortened(kind, names, self.counted[first:], len(path), over)

    def _last(self, written: Duration, end: _Point, turn: _Turn, path: Path) -> _Point:
        """How long a last stage is, which is counted back from the end of its schedule."""
        if written.needs not in self.clock.known:
            self._lacks(written, path)
            return end
        exact = self.clock.steps(written)
        start = end.exact - exact
        steps = max(end.step - turn.rounded(start), 1 if exact else 0)
        begin = turn.begin + end.step - steps
        counted = Counted(path, written, exact, steps, turn.start + start, begin, from_end=True)
        self.counted.append(counted)
        return _Point(exact, steps)

    def end(self, written: Duration, before: _Point, turn: _Turn, path: Path) -> _Point:
        """Where something ends that begins where something else did."""
        if written.unit == REST:
            if turn.end is None:
                if turn.is_known:
                    self._lacks(written, path)
                return before
            steps = turn.end - turn.begin - before.step
            if before.exact < turn.end - turn.start:
                steps = max(steps, 1)
            exact, end = Fraction(steps), _Point(turn.end - turn.start, before.step + steps)
        elif written.needs not in self.clock.known:
            self._lacks(written, path)
            return before
        else:
            exact = self.clock.steps(written)
            steps = turn.rounded(before.exact + exact) - before.step
            if exact >= 0:
                # What precedes it may have been made a step long, and so end after this does.
                steps = max(steps, 1 if exact else 0)
            end = _Point(before.exact + exact, before.step + steps)
        start, begin = turn.start + before.exact, turn.begin + before.step
        self.counted.append(Counted(path, written, exact, steps, start, begin))
        return end

    def _lacks(self, written: Duration, path: Path) -> None:
        text = f"{dotted(path)}: {written} needs a clock with {written.needs}"
        hint = f"`clock: {{{written.needs}: ...}}` at the root says it, or who builds the schedule"
        self.problems.append(Problem("clock", text, path, hint=hint))


class _Point(NamedTuple):
    """A step, counted from where its schedule begins."""

    exact: Fraction
    step: int


_START = _Point(Fraction(0), 0)


def _over(fit: Fit, ends: Mapping[str, _Point]) -> int:
    """By how many steps two stages are too long that fit as they are written."""
    first, end = ends[fit.first], ends[fit.into]
    last = ends[fit.last] if fit.last else _Point(Fraction(0), 1)
    exact = first.exact + last.exact
    fits = exact <= end.exact if fit.last else exact < end.exact
    return first.step + last.step - end.step if fits else 0


def _turns(made: Timeline, exact: Mapping[Path, Fraction], turn: _Turn) -> list[_Turn]:
    """When the parts of a schedule apply, which has its own steps by now."""
    if not made.children():
        return []
    parts = made.parts()
    # What says when they begin says it as well before it is rounded.
    unrounded = type(made).model_construct(**{**dict(made), **fields_with(made, exact)})
    starts = [part.start for part in (unrounded if exact else made).parts()]
    return [
        _Turn(
            turn.start + start,
            turn.begin + begin,
            turn.end if end == MAX_STEPS else turn.begin + end,
            turn.is_known,
        )
        for start, (begin, end, _) in zip(starts, parts, strict=True)
    ]


def _explained(error: ValidationError, counted: list[Counted], path: Path) -> Iterator[Problem]:
    """What is wrong with a schedule in steps, and what these steps were."""
    for problem in problems_of(error):
        about = (problem.path, *problem.also)
        said = [one for one in counted if any(one.path[len(path) :][: len(p)] == p for p in about)]
        hint = "; ".join([*filter(None, [problem.hint]), *map(_in_words, said)])
        yield replace(problem.under(path), hint=hint)


def _too_far(one: Counted) -> Problem | None:
    if one.steps <= MAX_STEPS:
        return None
    text = f"{one.path[-1]} must be at most {MAX_STEPS}, found {found(one.steps)}"
    return Problem("range", text, one.path, hint=_in_words(one))


def _in_words(one: Counted) -> str:
    if abs(one.steps) > MAX_STEPS:
        # The number may have a hundred digits.
        return f"{dotted(one.path)}: {one.written} is beyond {MAX_STEPS:,} steps"
    rounding = f", {one.rounding}" if one.rounding else ""
    return f"{dotted(one.path)}: {one.written} is {quantity(one.steps, 'step')}{rounding}"
