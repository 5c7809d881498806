"""What tells a finding from others, and is the same in the next run although lines have moved."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from olm.checking.check import Checked
from olm.cli.formats._location import from_root
from olm.problem import Problem

VERSION = 1
"""To be raised with a change of what a fingerprint is made of."""


def fingerprinted(results: Iterable[Checked]) -> Iterator[tuple[Checked, Problem, str]]:
    """Every finding with its result and with a fingerprint that no other finding has."""
    seen: Counter[str] = Counter()
    for result in results:
        file = from_root(result.file)
        for problem in result.problems:
            key = json.dumps([VERSION, file, problem.code, *_where(problem, result)])
            seen[key] += 1
            yield result, problem, sha256(f"{key} {seen[key]}".encode()).hexdigest()


def _where(problem: Problem, result: Checked) -> Iterator[object]:
    """The place in the document, or the text of the line where there is none."""
    yield from (problem.path, problem.at_key)
    if not problem.path and problem.place:
        yield result.text.line(problem.place.line).strip()
