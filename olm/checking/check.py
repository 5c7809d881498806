"""All problems of a file: its text, its fields, its expectations, and warnings of lint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from olm.checking.lint import Needs, warned
from olm.checking.lint._subject import Subject
from olm.problem import Path, Place, Problem, SpecError, by_position
from olm.schedule.schedule import Schedule
from olm.spec.load import parse_document
from olm.spec.spec import Spec
from olm.text.document import Document, read_file
from olm.text.source import Text

if TYPE_CHECKING:
    from olm.schedule.clock import Clock


class Options(NamedTuple):
    """What to check, and where."""

    at: Path = ()
    """The place of the schedule in each file, if it is not the whole file."""
    lint: bool = False
    """Whether to report warnings that require rates."""
    select: tuple[str, ...] = ()
    """The codes of the warnings to report; by default all."""
    ignore: tuple[str, ...] = ()
    """The codes of the warnings to skip."""
    base_lr: float | None = None
    """The base rate that lint assumes, instead of that in the file."""
    clock: Clock | None = None
    """The clock that overrides that of the file."""
    default_clock: Clock | None = None
    """The clock for what neither `clock` nor the file specifies."""


@dataclass(frozen=True)
class Checked:
    """The result of a check of a file."""

    document: Document
    problems: tuple[Problem, ...]
    """The problems, in the order of their places."""
    spec: Spec | None = None
    """The spec, unless there is an error."""
    counted: Spec | None = None
    """The spec in optimizer steps, if nothing in it needs a clock."""
    fixed: int = 0
    """How many problems were fixed before this check."""
    clocks: tuple[str, ...] = ()
    """How the clock of the options differs from that of the file, a line per field."""
    waits: bool = False
    """Whether lint could not evaluate rates, because there are durations and no clock."""

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.document.text.file

    @property
    def text(self) -> Text:
        """Its text."""
        return self.document.text

    def count(self, severity: str) -> int:
        """How many problems have this severity."""
        return sum(problem.severity == severity for problem in self.problems)


def check_file(path: str, options: Options | None = None) -> Checked:
    """Check a file; if it cannot be read, that is its problem."""
    options = options or Options()
    try:
        return check(read_file(path, options.at), options)
    except OSError as error:
        message = f"cannot read this file: {(error.strerror or str(error)).lower()}"
        problem = Problem("unreadable", message, place=Place(path, 1, 1, 1))
        return Checked(Document(Text(path, ""), readable=False), (problem,))


def check(document: Document, options: Options | None = None) -> Checked:
    """Check a document that was read."""
    options = options or Options()
    try:
        spec = parse_document(document)
    except SpecError as error:
        return _of_other_tool(document, error, options) or Checked(document, error.problems)
    counted = None
    try:
        clock = _clock(spec, options)
        counted = _counted(spec, clock)
        subject = Subject(counted or spec, document, options.base_lr, clock)
        found = _of_text(subject, options) if counted is None else _found(subject, options)
        problems = sorted(found, key=by_position)
    except SpecError as error:
        located = (document.located(problem) for problem in error.problems)
        return Checked(document, tuple(sorted(located, key=by_position)))
    except Exception as error:
        if (kind := _plugin_in(spec.schedule)) is None:
            raise
        return Checked(document, (document.located(_unforeseen(kind, error)),))
    clocks = _otherwise(spec, options)
    if any(problem.severity == "error" for problem in problems):
        return Checked(document, tuple(problems), clocks=clocks)
    waits = options.lint and counted is None
    return Checked(document, tuple(problems), spec, counted, clocks=clocks, waits=waits)


def _of_other_tool(document: Document, error: SpecError, options: Options) -> Checked | None:
    """The check of a file of another tool; None if a spec is wrong in another way."""
    if not any(each.code == "missing-kind" and not each.path for each in error.problems):
        return None
    # Few documents need it, and it imports every format.
    from olm.checking.other_tools import checked

    return checked(document, options)


def _of_text(subject: Subject, options: Options) -> list[Problem]:
    """The problems of a valid spec that has durations still."""
    return warned(subject, "text", options.select, options.ignore)


def _found(subject: Subject, options: Options) -> list[Problem]:
    """The problems of a valid spec in steps."""
    located, spec = subject.document.located, subject.spec
    unmet = [located(problem) for problem in _unmet(spec)]
    if spec.also:
        from olm.checking.ranges import out_of_range

        unmet += map(located, out_of_range(subject))
    given: Needs = "rates" if options.lint else "steps"
    return unmet + warned(subject, given, options.select, options.ignore)


def _clock(spec: Spec, options: Options) -> Clock | None:
    """The clock of the run: of the options, else of the file, else the default.

    Raises:
        SpecError: the clocks contradict each other.
    """
    known = None
    for clock in filter(None, (options.clock, spec.clock, options.default_clock)):
        known = clock if known is None else known.over(clock)
    return known


def _otherwise(spec: Spec, options: Options) -> tuple[str, ...]:
    """How the clock of the options differs from that of the file."""
    if options.clock is None or spec.clock is None:
        return ()
    return tuple(f"clock.{line}" for line in options.clock.differences(spec.clock))


def _counted(spec: Spec, clock: Clock | None) -> Spec | None:
    """A spec in optimizer steps; None if that needs a clock, and nothing else is wrong.

    Raises:
        SpecError: the spec cannot be converted to steps.
    """
    try:
        return spec.resolve(clock)
    except SpecError as error:
        waits = clock is None and spec.expect is None
        if waits and all(problem.code == "clock" for problem in error.problems):
            return None
        raise


def _plugin_in(schedule: Schedule) -> str | None:
    """The kind of a plugin in a schedule: its code may raise any exception."""
    if "." in schedule.kind:
        return schedule.kind
    return next(filter(None, map(_plugin_in, schedule.children())), None)


def _unforeseen(kind: str, error: Exception) -> Problem:
    from olm.schedule.plugins import in_short

    message = f"`{kind}` cannot be evaluated by its own package: {in_short(error)}"
    return Problem("plugin", message, ("kind",))


def _unmet(spec: Spec) -> Iterator[Problem]:
    """The expectations of a valid spec that are not met."""
    if spec.expect is not None:
        from olm.spec.expectation import unmet

        yield from unmet(spec)
