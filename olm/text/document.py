"""YAML, JSON or TOML text as plain values that know their line and column.

YAML and JSON are read with PyYAML's events, not with its composer, which overflows the C stack on
deep input, nor with its constructor, which reads ``1e-4`` as a string and ``no`` as false. Scalars
are those of YAML 1.2's core schema.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Protocol

import yaml

from olm.problem import Path, Problem
from olm.text.findings import Findings, Unreadable
from olm.text.places import Places
from olm.text.source import MAX_BYTES, Text, clean
from olm.text.yaml import LibyamlRefused, Reader

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser if it is installed; PyYAML's own gives the same verdicts, but is slower."""


_USUAL = 8192
"""A size in bytes that few specs exceed."""


@dataclass
class Document:
    """A text that was read: its value, the place of each part, and the problems of the text."""

    text: Text
    value: Any = None
    places: Places | None = None
    problems: list[Problem] = field(default_factory=list)
    refused: set[Path] = field(default_factory=set)
    """The paths of values that differ from the text because of one of the `problems`."""
    readable: bool = True
    """Whether there is a value in spite of the problems."""

    def located(self, problem: Problem) -> Problem:
        """The problem with its place in the file."""
        if (places := self.places) is None:
            return problem
        place = places.place(problem.path, problem.at_key)
        also = tuple(places.place(path, False) for path in problem.also if places.has(path))
        return problem._replace(place=place, also_places=also)

    def is_known(self, problem: Problem) -> bool:
        """Whether a problem is about a value for which reading reported one already."""
        parts = range(len(problem.path) + 1) if self.refused else ()
        return any(problem.path[:count] in self.refused for count in parts)


def read(data: str | bytes, file: str, at: Path = ()) -> Document:
    """The value at a path of a text as a document, with its problems."""
    text, problem = clean(data, file)
    is_toml = file.endswith(".toml")
    # The indentation of the rest of a larger text is checked by its parser.
    if problem and not (problem.code == "tab" and (at or is_toml)):
        return Document(text, problems=[problem], readable=False)
    if is_toml:
        return _read(_toml(text, at))
    try:
        return _read(_events(text, at, LOADER))
    except LibyamlRefused:
        # Messages and places differ between the parsers, and between versions of libyaml.
        return _read(_events(text, at, yaml.SafeLoader))


class _Reads(Protocol):
    text: Text
    findings: Findings

    @property
    def places(self) -> Places: ...
    def read(self) -> Any: ...


def _events(text: Text, at: Path, loader: Any) -> _Reads:
    if not at:
        return Reader(text, loader)
    from olm.text.part import Inside

    return Inside(text, loader, at)


def _toml(text: Text, at: Path) -> _Reads:
    from olm.text.toml import TomlReader

    return TomlReader(text, at)


def _read(reader: _Reads) -> Document:
    """The document of a reader, with its problems."""
    value, readable = None, True
    try:
        value = reader.read()
    except Unreadable as end:
        reader.findings.problems.append(end.problem)
        readable = False
    findings = reader.findings
    return Document(
        reader.text, value, reader.places, findings.problems, findings.refused, readable
    )


def read_file(path: str | PathLike[str], at: Path = ()) -> Document:
    """The value at a path of a file as a document.

    Raises:
        OSError: the file cannot be read.
    """
    # To open a buffered file takes longer than to read most specs.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        data = os.read(descriptor, _USUAL)
        # A pipe returns less than requested.
        while data and len(data) <= MAX_BYTES:
            if not (more := os.read(descriptor, MAX_BYTES + 1 - len(data))):
                break
            data += more
    finally:
        os.close(descriptor)
    return read(data, str(path), at)
