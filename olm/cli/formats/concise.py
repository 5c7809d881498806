"""The format for grep and for editors that read compilers' messages: a line a problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from olm.checking.check import Checked
from olm.cli.formats import Look, in_words
from olm.cli.terminal import visible
from olm.problem import Problem

SUMMARY = "a line for each problem: FILE:LINE:COLUMN: what"


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """A line for each problem, and a summary."""
    for result in results:
        for problem in result.problems:
            yield f"{visible(_line(problem, result.file))}\n"
    yield f"{in_words(look.tally)}\n"


def _line(problem: Problem, file: str) -> str:
    return str(problem) if problem.place else f"{file}: {problem}"
