"""All that is wrong with a file: its text, its fields, what it expects, and what lint finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


@dataclass(frozen=True)
class Options:
    """What is looked for, and where."""

    at: Path = ()
    """Where in each file the schedule stands, if it is not the whole."""
    lint: bool = False
    """Whether to look for the warnings that need rates, too."""
    select: tuple[str, ...] = ()
    """The codes of the warnings to look for; all of them if there is none."""
    ignore: tuple[str, ...] = ()
    """The codes of the warnings not to look for."""
    base_lr: float | None = None
    """The base rate for which lint looks at the rates, in place of that in the file."""
    clock: Clock | None = None
    """What the run is, in place of what the file says."""
    default_clock: Clock | None = None
    """What the run is as far as neither that nor the file says it."""


@dataclass(frozen=True)
class Checked:
    """A file that was checked."""

    document: Document
    problems: tuple[Problem, ...]
    """What was found, in the order of the places."""
    spec: Spec | None = None
    """What it says, unless there is an error."""
    counted: Spec | None = None
    """The same in optimizer steps, if nothing in it waits for a clock."""
    fixed: int = 0
    """How many problems were fixed before this check."""
    clocks: tuple[str, ...] = ()
    """What the file says of the run, and whoever checks otherwise: a line a field."""
    waits: bool = False
    """Whether lint could not look at its rates, for it has durations and no clock."""

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.document.text.file

    @property
    def text(self) -> Text:
        """Its text."""
        return self.document.text

    def count(self, severity: str) -> int:
        """How many problems of a severity there are."""
        return sum(problem.severity == severity for problem in self.problems)


def check_file(path: str, options: Options | None = None) -> Checked:
    """Check a file; one that cannot be read has that as its problem."""
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
        return Checked(document, error.problems)
    counted = None
    try:
        clock = _clock(spec, options)
        counted = _counted(spec, clock)
        problems = sorted(_found(counted or spec, document, options, clock), key=by_position)
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


def _found(spec: Spec, document: Document, options: Options, clock: Clock | None) -> list[Problem]:
    """What is found in a spec that is valid."""
    total = None if clock is None else clock.total_steps
    subject = Subject(spec, document, options.base_lr, total)
    if not spec.is_counted:
        return warned(subject, "text", options.select, options.ignore)
    unmet = [document.located(one) for one in _unmet(spec)]
    given: Needs = "rates" if options.lint else "steps"
    return unmet + warned(subject, given, options.select, options.ignore)


def _clock(spec: Spec, options: Options) -> Clock | None:
    """What the run is: as it is given, else as the file says, else by default.

    Raises:
        SpecError: no run is like that.
    """
    known = None
    for clock in filter(None, (options.clock, spec.clock, options.default_clock)):
        known = clock if known is None else known.over(clock)
    return known


def _otherwise(spec: Spec, options: Options) -> tuple[str, ...]:
    """What the file says of the run, and whoever checks otherwise."""
    if options.clock is None or spec.clock is None:
        return ()
    return tuple(f"clock.{line}" for line in options.clock.differences(spec.clock))


def _counted(spec: Spec, clock: Clock | None) -> Spec | None:
    """A spec in optimizer steps; None if it has no clock, and says nothing that cannot wait.

    Raises:
        SpecError: it cannot be counted.
    """
    try:
        return spec.resolve(clock)
    except SpecError as error:
        waits = clock is None and spec.expect is None
        if waits and all(problem.code == "clock" for problem in error.problems):
            return None
        raise


def _plugin_in(schedule: Schedule) -> str | None:
    """A kind of a package's that is in a schedule: its code may raise whatever it likes."""
    if "." in schedule.kind:
        return schedule.kind
    return next(filter(None, map(_plugin_in, schedule.children())), None)


def _unforeseen(kind: str, error: Exception) -> Problem:
    from olm.schedule.plugins import in_short

    message = f"`{kind}` cannot be evaluated by its own package: {in_short(error)}"
    return Problem("plugin", message, ("kind",))


def _unmet(spec: Spec) -> Iterator[Problem]:
    """What a spec that is valid expects in vain."""
    if spec.expect is not None:
        from olm.spec.expectation import unmet

        yield from unmet(spec.expect, spec.schedule)
