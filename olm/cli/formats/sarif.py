"""The format of SARIF 2.1.0, which GitHub's code scanning, Azure DevOps and editors read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from olm.checking.check import Checked
from olm.checking.fix import edits
from olm.cli.formats import Look
from olm.cli.formats._escape import as_json
from olm.cli.formats._fingerprint import VERSION, fingerprinted
from olm.cli.formats._location import uri
from olm.problem import Place, Problem

SUMMARY = "SARIF 2.1.0, for code scanning"

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT = "%SRCROOT%"


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """One run, with one result per line; the rules, known only then, are at its end."""
    yield f'{{"$schema": "{SCHEMA}", "version": "2.1.0", "runs": [{{"results": ['
    rules: dict[str, str] = {}
    separator = "\n"
    for result, problem, fingerprint in fingerprinted(results):
        rules.setdefault(problem.code, problem.severity)
        index = list(rules).index(problem.code)
        yield f"{separator}{as_json(_result(problem, result, index, fingerprint))}"
        separator = ",\n"
    yield f'\n], "tool": {as_json({"driver": _driver(rules)})}, {_COORDINATES}}}]}}\n'


_COORDINATES = as_json(
    {
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {ROOT: {"description": {"text": "the root of the repository"}}},
    }
)[1:-1]


def _result(problem: Problem, result: Checked, rule: int, fingerprint: str) -> dict[str, Any]:
    hint = f" ({problem.hint})" if problem.hint else ""
    # Two missing values are reported at one place, and each may be listed once.
    others = dict.fromkeys(problem.also_places)
    also = [_location(place.file, place, result) for place in others]
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": f"{problem.message}{hint}"},
        "locations": [_location(result.file, problem.place, result)],
        **({"relatedLocations": also} if also else {}),
        **_fixes(problem, result),
        "partialFingerprints": {f"olmFinding/v{VERSION}": fingerprint},
    }


def _location(file: str, place: Place | None, result: Checked) -> dict[str, Any]:
    region = {"region": _region(place, result)} if place else {}
    file = place.file if place else file
    return {"physicalLocation": {"artifactLocation": _artifact(file), **region}}


def _artifact(file: str) -> dict[str, str]:
    where = uri(file)
    return {"uri": where} if where.startswith("file:") else {"uri": where, "uriBaseId": ROOT}


def _region(place: Place, result: Checked) -> dict[str, int]:
    """The region in UTF-16 units: viewers count in these even if told otherwise."""
    line = result.text.line(place.line) if place.file == result.file else ""
    return {
        "startLine": place.line,
        "startColumn": place.column + _pairs(line[: place.column - 1]),
        "endColumn": place.end + _pairs(line[: place.end - 1]),
    }


def _pairs(text: str) -> int:
    """How many characters take two units of UTF-16."""
    return 0 if text.isascii() else sum(character > "\uffff" for character in text)


def _fixes(problem: Problem, result: Checked) -> dict[str, Any]:
    written = edits(problem, result.text)
    if not written:
        return {}
    place, text = written[0]
    changes = [
        {"deletedRegion": _region(place, result), "insertedContent": {"text": new}}
        for place, new in written
    ]
    change = {"artifactLocation": _artifact(place.file), "replacements": changes}
    description = {"text": problem.hint or f"write {text}"}
    return {"fixes": [{"description": description, "artifactChanges": [change]}]}


def _driver(rules: dict[str, str]) -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = {"version": version("olm-schedules")}
    except PackageNotFoundError:
        number = {}
    return {"name": "olm", **number, "rules": [_rule(*rule) for rule in rules.items()]}


def _rule(code: str, severity: str) -> dict[str, Any]:
    from olm.checking.pages import page

    rule = {"id": code, "defaultConfiguration": {"level": severity}}
    try:
        shown = page(code)
    except KeyError:
        # The code of a lint that a plugin brings may have no page.
        return rule
    text = {"text": shown.text, "markdown": shown.text}
    return {**rule, "shortDescription": {"text": shown.title}, "help": text}
