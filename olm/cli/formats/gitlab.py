"""The format of GitLab's Code Quality reports, for the widget in a merge request.

A job uploads it with ``artifacts: reports: codequality: FILE``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from olm.checking.check import Checked
from olm.cli.formats import Look
from olm.cli.formats._escape import as_json
from olm.cli.formats._fingerprint import fingerprinted
from olm.cli.formats._location import from_root
from olm.problem import Problem

SUMMARY = "a Code Quality report for GitLab"

SEVERITIES = {"error": "major", "warning": "minor"}


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """A list of findings, one per line."""
    yield "["
    separator = "\n"
    for result, problem, fingerprint in fingerprinted(results):
        yield f"{separator}{as_json(_finding(problem, result, fingerprint))}"
        separator = ",\n"
    yield "\n]\n"


def _finding(problem: Problem, result: Checked, fingerprint: str) -> dict[str, Any]:
    hint = f" ({problem.hint})" if problem.hint else ""
    return {
        "description": f"{problem.message}{hint}",
        "check_name": problem.code,
        "fingerprint": fingerprint,
        "severity": SEVERITIES[problem.severity],
        "location": {
            "path": from_root(problem.place.file if problem.place else result.file),
            # The report has no findings without a line.
            "lines": {"begin": problem.place.line if problem.place else 1},
        },
    }
