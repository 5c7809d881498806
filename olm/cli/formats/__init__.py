"""How findings are written. A file here is a format: text.py is ``--format text``.

A format has a `SUMMARY`, a line for the help, and `report(results, look)`, which gives the text to
print, piece by piece, as the results come. A file whose name begins with ``_`` is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from olm.checking.check import Checked
from olm.cli.terminal import Paint


@dataclass
class Tally:
    """How many files were checked, and how many problems of each severity were found."""

    files: int = 0
    wrong: int = 0
    """How many files have problems."""
    errors: int = 0
    warnings: int = 0
    fixable: int = 0
    """How many of the problems `--fix` would mend."""
    mended: int = 0
    """How many problems it has mended, which are none any more."""
    waiting: int = 0
    """Of how many files lint could not look at the rates, for want of a clock."""

    def add(self, result: Checked) -> None:
        """Count a file."""
        self.files += 1
        self.mended += result.mended
        self.waiting += result.waits
        if result.problems:
            self.wrong += 1
            self.errors += result.count("error")
            self.warnings += result.count("warning")
            self.fixable += sum(problem.fix is not None for problem in result.problems)


@dataclass(frozen=True)
class Look:
    """What a format needs to know of the run."""

    paint: Paint = field(default_factory=lambda: Paint(False))
    tally: Tally = field(default_factory=Tally)
    """What was counted so far; all of it once the results have come to their end."""
    strict: bool = False
    """Whether a warning fails the run, too."""


class Format(Protocol):
    """What the module of a format has."""

    SUMMARY: str

    def report(self, results: Iterable[Checked], look: Look) -> Iterator[str]:
        """The text to print, in pieces that end with a line."""


def names() -> list[str]:
    """The formats that there are."""
    found = (module.name for module in iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_"))


def named(name: str) -> Format:
    """A format."""
    return cast(Format, import_module(f"{__name__}.{name}"))


def in_help() -> str:
    """The formats, each with its summary.

    >>> in_help().startswith("concise (a line for each problem: ")
    True
    """
    return ", ".join(f"{name} ({named(name).SUMMARY})" for name in names())


def in_words(tally: Tally) -> str:
    """How many problems there are in how many files.

    >>> in_words(Tally(3, 1, errors=1, warnings=2)), in_words(Tally(2))
    ('1 error and 2 warnings in 1 of 3 files', '2 files are fine')
    >>> in_words(Tally(1, 1, errors=2))
    '2 problems in 1 file'
    """
    of_files = "1 file" if tally.files == 1 else f"{tally.files:,} files"
    if not tally.wrong:
        return f"{of_files} {'is' if tally.files == 1 else 'are'} fine"
    those = of_files if tally.files == 1 else f"{tally.wrong:,} of {of_files}"
    if not tally.warnings:
        return f"{_several(tally.errors, 'problem')} in {those}"
    errors = f"{_several(tally.errors, 'error')} and " if tally.errors else ""
    return f"{errors}{_several(tally.warnings, 'warning')} in {those}"


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
