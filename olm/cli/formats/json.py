"""The format for programs: one object, whose schema is schemas/findings.json.

Its `version` is raised when something in it is renamed, removed or changes its meaning, but not
when something is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from olm.checking.check import Checked
from olm.checking.fix import edits
from olm.cli.formats import Look, Tally
from olm.cli.formats._escape import as_json
from olm.problem import Place, Problem

SUMMARY = "one JSON object, for programs"

VERSION = 1


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """The object, with one finding per line."""
    yield f'{{"version": {VERSION}, "findings": ['
    separator = "\n"
    for result in results:
        for problem in result.problems:
            yield f"{separator}{as_json(_finding(problem, result))}"
            separator = ",\n"
    yield f'\n], "summary": {as_json(_summary(look.tally))}}}\n'


def _finding(problem: Problem, result: Checked) -> dict[str, Any]:
    written = edits(problem, result.text)
    return {
        "file": problem.place.file if problem.place else result.file,
        **_stretch(problem.place),
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "path": problem.path,
        "also": [{"file": place.file, **_stretch(place)} for place in problem.also_places],
        "fix": written[0][1] if len(written) == 1 else None,
        "edits": [{**_stretch(place), "text": text} for place, text in written],
    }


def _stretch(place: Place | None) -> dict[str, int | None]:
    if place is None:
        return {"line": None, "column": None, "end_column": None}
    return {"line": place.line, "column": place.column, "end_column": place.end}


def _summary(tally: Tally) -> dict[str, int]:
    return {
        "files": tally.files,
        "files_with_findings": tally.wrong,
        "errors": tally.errors,
        "warnings": tally.warnings,
        "fixable": tally.fixable,
    }
