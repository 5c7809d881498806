"""The format of JUnit, which every CI server shows: a test case per file.

A file with errors fails, and its failure lists them; warnings are output of the test case, unless
the run is strict. There is one failure per file because servers show only one of a test case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from olm.checking.check import Checked
from olm.cli.formats import Look
from olm.cli.formats._escape import as_xml
from olm.problem import Problem

SUMMARY = "JUnit's XML, a test case per file"


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """The report, once all results are in: it starts with the totals."""
    cases, failures = [], 0
    for result in results:
        failing = {"error", "warning"} if look.is_strict(result.file) else {"error"}
        failed = [problem for problem in result.problems if problem.severity in failing]
        others = [problem for problem in result.problems if problem.severity not in failing]
        cases.append(_case(result.file, failed, others))
        failures += bool(failed)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites {counts}>\n<testsuite name="olm check" {counts}>\n'
    yield from cases
    yield "</testsuite>\n</testsuites>\n"


def _case(file: str, failed: list[Problem], others: list[Problem]) -> str:
    inside = _failure(failed, file) + _output(others, file)
    start = f'<testcase classname="olm.check" name="{as_xml(file)}"'
    return f"{start}>\n{inside}</testcase>\n" if inside else f"{start}/>\n"


def _failure(problems: list[Problem], file: str) -> str:
    if not problems:
        return ""
    first, more = problems[0], len(problems) - 1
    message = f"{first.message} (and {more:,} more)" if more else first.message
    start = f'<failure type="{as_xml(first.code)}" message="{as_xml(message)}">'
    return f"{start}{_listed(problems, file)}</failure>\n"


def _output(problems: list[Problem], file: str) -> str:
    return f"<system-out>{_listed(problems, file)}</system-out>\n" if problems else ""


def _listed(problems: list[Problem], file: str) -> str:
    lines = (str(problem) if problem.place else f"{file}: {problem}" for problem in problems)
    return "\n".join(map(as_xml, lines))
