"""Fingerprints of findings, which stay the same from run to run even if lines move."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from olm.checking.check import Checked
from olm.cli.formats._location import from_root
from olm.problem import Problem

VERSION = 1
"""To be increased when fingerprints are computed differently."""


def fingerprinted(results: Iterable[Checked]) -> Iterator[tuple[Checked, Problem, str]]:
    """Every finding with its result and a unique fingerprint."""
    seen: Counter[str] = Counter()
    for result in results:
        file = from_root(result.file)
        for problem in result.problems:
            key = json.dumps([VERSION, file, problem.code, *_where(problem, result)])
            seen[key] += 1
            yield result, problem, sha256(f"{key} {seen[key]}".encode()).hexdigest()


def _where(problem: Problem, result: Checked) -> Iterator[object]:
    """The path in the document or, without one, the text of the line."""
    yield from (problem.path, problem.at_key)
    if not problem.path and problem.place:
        yield result.text.line(problem.place.line).strip()
