"""The format of GitHub Actions: annotations in the diff, and a table on the page of the run.

GitHub shows ten errors and ten warnings of a step as annotations, so the table lists all of them,
up to the size limit. The ``endColumn`` of an annotation is the column after its last character:
GitHub does not document that, but displays it so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from olm.checking.check import Checked
from olm.cli.formats import Look, outcome
from olm.cli.formats._location import from_root
from olm.cli.formats._summary import Summary
from olm.cli.terminal import visible
from olm.problem import Problem

SUMMARY = "annotations for GitHub Actions, and a table in $GITHUB_STEP_SUMMARY"

_NOT_IN_A_LINE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_MESSAGE = str.maketrans(_IN_MESSAGES)
_PROPERTY = str.maketrans(_IN_MESSAGES | {":": "%3A", ",": "%2C"})


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """A workflow command for each problem as soon as it is found, and the table at the end."""
    table = Summary()
    for result in results:
        for problem in result.problems:
            yield f"{command(problem, result.file)}\n"
            table.add(problem, result.file)
    yield f"{outcome(look.tally)}\n"
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            table.append_to(path, outcome(look.tally))
        except OSError as error:
            yield f"::warning title=olm::{message(f'cannot write the summary: {error}')}\n"


def command(problem: Problem, file: str) -> str:
    """The workflow command that shows a problem.

    >>> from olm.problem import Place
    >>> place = Place("a,b.olm.yaml", 2, 1, 11)
    >>> print(command(Problem("range", "found 0", hint="100 %?", place=place), "a,b.olm.yaml"))
    ::error file=a%2Cb.olm.yaml,line=2,endLine=2,col=1,endColumn=11,title=olm%3A \
range::a,b.olm.yaml:2:1: found 0%0A100 %25?
    """
    place = problem.place
    properties: dict[str, str | int] = {"file": from_root(place.file if place else file)}
    if place:
        properties |= {"line": place.line, "endLine": place.line}
        properties |= {"col": place.column, "endColumn": place.end}
    properties["title"] = f"olm: {problem.code}"
    listed = ",".join(f"{name}={value_of(str(value))}" for name, value in properties.items())
    # The log omits the properties, so the message repeats the place.
    text = f"{place or file}: {problem.message}" + f"\n{problem.hint}" * bool(problem.hint)
    return f"::{problem.severity} {listed}::{message(text)}"


def message(text: str) -> str:
    """A text, escaped for the message of a workflow command."""
    return visible(text.translate(_MESSAGE))


def value_of(text: str) -> str:
    """A text, escaped for a property of a workflow command."""
    return _NOT_IN_A_LINE.sub("\ufffd", text.translate(_PROPERTY))
