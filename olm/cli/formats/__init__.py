"""The output formats. A file here is a format: text.py is ``--format text``.

A format has a `SUMMARY`, a line for the help, and `report(results, look)`, which yields the text to
print as results come in. Files whose names begin with ``_`` are helpers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple, Protocol, cast

from olm.checking.check import Checked
from olm.cli.terminal import Paint
from olm.problem import listed, quantity


@dataclass
class Tally:
    """How many files were checked, and how many problems of each severity they have."""

    files: int = 0
    wrong: int = 0
    """How many files have problems."""
    errors: int = 0
    warnings: int = 0
    fixable: int = 0
    """How many of the problems `--fix` can fix."""
    fixed: int = 0
    """How many problems `--fix` has fixed; the other numbers do not include them."""
    waiting: int = 0
    """How many files lint could not evaluate, because they have durations and no clock."""
    failing: int = 0
    """How many problems fail the run: the errors, and the warnings of strict files."""

    def add(self, result: Checked, strict: bool = False) -> None:
        """Count a file."""
        self.files += 1
        self.fixed += result.fixed
        self.waiting += result.waits
        if result.problems:
            self.wrong += 1
            self.errors += result.count("error")
            self.warnings += result.count("warning")
            self.failing += len(result.problems) if strict else result.count("error")
            self.fixable += sum(problem.fix is not None for problem in result.problems)


class Look(NamedTuple):
    """What a format needs to know of the run."""

    tally: Tally
    """The counts so far; complete once all results have been consumed."""
    paint: Paint = Paint(False)
    is_strict: Callable[[str], bool] = lambda file: False
    """Whether warnings in a file fail the run."""


class Output(NamedTuple):
    """A report that the arguments ask for."""

    format: str | None = None
    file: str | None = None
    """The file to write it to; None for standard output."""


class Format(Protocol):
    """What the module of a format has."""

    SUMMARY: str

    def report(self, results: Iterable[Checked], look: Look) -> Iterator[str]:
        """The text to print, in pieces of whole lines."""


def names() -> list[str]:
    """The names of all formats."""
    found = (module.name for module in iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_"))


def named(name: str) -> Format:
    """The format with this name."""
    return cast(Format, import_module(f"{__name__}.{name}"))


def in_help() -> str:
    """All formats with their summaries, for the help.

    >>> in_help().startswith("concise (one line per problem: ")
    True
    """
    return listed(f"{name} ({named(name).SUMMARY})" for name in names())


def outcome(tally: Tally) -> str:
    """How many problems there are in how many files.

    >>> outcome(Tally(3, 1, errors=1, warnings=2)), outcome(Tally(2))
    ('1 error and 2 warnings in 1 of 3 files', '2 files are fine')
    >>> outcome(Tally(1, 1, errors=2))
    '2 problems in 1 file'
    """
    files = quantity(tally.files, "file")
    if not tally.wrong:
        return f"{files} {'is' if tally.files == 1 else 'are'} fine"
    those = files if tally.files == 1 else f"{tally.wrong:,} of {files}"
    if not tally.warnings:
        return f"{quantity(tally.errors, 'problem')} in {those}"
    errors = f"{quantity(tally.errors, 'error')} and " if tally.errors else ""
    return f"{errors}{quantity(tally.warnings, 'warning')} in {those}"
