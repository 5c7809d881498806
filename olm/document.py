"""YAML or JSON text as plain values that know their line and column, and as a spec.

The text is read with PyYAML's events, not with its composer, which overflows the C stack on deep
input, nor with its constructor, which reads ``1e-4`` as a string and ``no`` as false. Scalars are
those of YAML 1.2's core schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path as FilePath
from typing import Any

import yaml

from olm.events import Reader, Span
from olm.findings import Unreadable, place_of
from olm.problem import Path, Place, Problem, SpecError
from olm.spec import Spec, parse
from olm.text import MAX_BYTES, Text, clean

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where it is there; PyYAML's own gives the same verdicts, slower."""


_USUAL = 8192
"""How many bytes few specs exceed."""


@dataclass
class Document:
    """A text that was read: its value, where each part stands, and what is wrong with the text."""

    text: Text
    value: Any = None
    spans: dict[Path, Span] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: set[Path] = field(default_factory=set)
    """Where values stand that are not as they were written, for `problems` tells of them."""
    readable: bool = True
    """Whether there is a value to look at in spite of the problems."""

    def parse(self) -> Spec:
        """The spec that the document says.

        Raises:
            SpecError: with every problem of the text and of what it says, in the order of their
                places.
        """
        problems = list(self.problems)
        if self.readable:
            try:
                spec = parse(self.value)
                if not problems:
                    return spec
            except SpecError as error:
                problems += (self.located(one) for one in error.problems if not self._known(one))
        raise SpecError(sorted(problems, key=_position)) from None

    def located(self, problem: Problem) -> Problem:
        """The problem with its place in the file."""
        also = tuple(self.place(path) for path in problem.also if path in self.spans)
        return replace(problem, place=self.place(problem.path, problem.at_key), also_places=also)

    def place(self, path: Path, at_key: bool = False) -> Place:
        """Where the value at a path stands, or its key.

        For what is not there it is what it is missing from.
        """
        there = path
        while there and there not in self.spans:
            there = there[:-1]
        span = self.spans.get(there)
        if span is None:
            return self.text.place_at(0)
        if there == path and not at_key and not (span.key and span.is_blank):
            return place_of(self.text, span.first, span.last)
        if span.key:
            return place_of(self.text, span.key, span.key)
        kind = self.spans.get((*there, "kind"), span)
        return place_of(self.text, kind.first, kind.last)

    def _known(self, problem: Problem) -> bool:
        """Whether it is about a value that was refused when the text was read."""
        parts = range(len(problem.path) + 1) if self.refused else ()
        return any(problem.path[:count] in self.refused for count in parts)


def load(path: str | PathLike[str]) -> Spec:
    """The spec in a YAML or JSON file.

    Raises:
        OSError: the file cannot be read.
        SpecError: with every problem that there is, each with its line and column.
    """
    return read_file(path).parse()


def loads(text: str | bytes, name: str = "<text>") -> Spec:
    """The spec in a YAML or JSON text; `name` is what stands for the file in a problem.

    >>> loads("{kind: LinearLR, total_steps: 1e3}").schedule
    Linear(total_steps=1000, end_lr=0.0, start_factor=1.0)
    >>> loads("{kind: LinearLR, total_steps: 0}", "a.olm.yaml")
    Traceback (most recent call last):
        ...
    olm.problem.SpecError: a.olm.yaml:1:31: error[range]: total_steps must be at least 1, found 0
    """
    return read(text, name).parse()


def read(data: str | bytes, file: str) -> Document:
    """A YAML or JSON text as a document, whatever is wrong with it."""
    text, problem = clean(data, file)
    if problem:
        return Document(text, problems=[problem], readable=False)
    reader = Reader(text, LOADER)
    document = Document(text, None, reader.spans, reader.findings.problems, reader.findings.refused)
    try:
        document.value = reader.read()
    except Unreadable as end:
        document.problems.append(end.problem)
        document.readable = False
    return document


def read_file(path: str | PathLike[str]) -> Document:
    """A YAML or JSON file as a document.

    Raises:
        OSError: the file cannot be read.
    """
    with FilePath(path).open("rb") as file:
        # In two goes: a buffer for the longest text costs more than reading a short one does.
        data = file.read(_USUAL)
        if len(data) == _USUAL:
            data += file.read(MAX_BYTES + 1 - _USUAL)
    return read(data, str(path))


def _position(problem: Problem) -> tuple[int, int]:
    place = problem.place
    return (place.line, place.column) if place else (0, 0)
