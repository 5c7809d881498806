"""The format for grep and for editors that parse compiler messages: one line per problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from olm.checking.check import Checked
from olm.cli.formats import Look, outcome
from olm.cli.terminal import visible
from olm.problem import Problem

SUMMARY = "one line per problem: FILE:LINE:COLUMN: message"


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """One line per problem, and a summary."""
    for result in results:
        for problem in result.problems:
            yield f"{visible(_line(problem, result.file))}\n"
    yield f"{outcome(look.tally)}\n"


def _line(problem: Problem, file: str) -> str:
    return str(problem) if problem.place else f"{file}: {problem}"
