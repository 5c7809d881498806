"""The comments with which a file silences warnings: ``# olm: ignore[jump, late-rise]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import yaml
from yaml.events import Event, ScalarEvent

from olm.problem import Place
from olm.text.document import LOADER, Document
from olm.text.places import Spans
from olm.text.source import Text

_IGNORE = re.compile(r"#\s*olm:\s*ignore\b(?:\s*\[([^\]]*)\])?")
_TOML_PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)


class Ignore(NamedTuple):
    """A comment that silences warnings."""

    codes: tuple[str, ...]
    """Their codes; none if it names none."""
    place: Place
    """Where it stands."""
    line: int | None
    """The line that it is about; None if that is the whole file."""


def ignores(document: Document) -> tuple[Ignore, ...]:
    """The comments of a YAML or TOML text that silence warnings; JSON has no comments."""
    text = document.text
    # Few texts have one, and only they are looked at closely.
    if "olm:" not in text.content or text.file.endswith(".json"):
        return ()
    about = _lines_meant(text)
    found = []
    for line, column in _comments(document):
        for match in _IGNORE.finditer(text.lines[line], column):
            names = (name.strip() for name in (match[1] or "").split(","))
            place = text.place(line, match.start(), line, match.end())
            found.append(Ignore(tuple(filter(None, names)), place, about[line]))
    return tuple(found)


def _lines_meant(text: Text) -> list[int | None]:
    """For each line, the number of the one that a comment in it is about; None for the whole file.

    That is its own, or the next if it has nothing else. What a file begins with is about all of it.
    """
    meant: list[int | None] = []
    below = len(text.lines) + 1
    for number, line in reversed([*enumerate(text.lines, 1)]):
        below = below if _is_comment(line) else number
        meant.append(below)
    meant.reverse()
    lines = (index for index, line in enumerate(text.lines) if line and not _is_comment(line))
    head = next(lines, len(meant))
    return [None] * head + meant[head:]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _comments(document: Document) -> Iterator[tuple[int, int]]:
    """The line and column, counted from 0, where each comment begins."""
    text = document.text
    if text.file.endswith(".toml"):
        for piece in _TOML_PIECE.finditer(text.content):
            if piece[0][0] == "#":
                place = text.place_at(piece.start())
                yield place.line - 1, place.column - 1
        return
    scalars = _scalars(document)
    start, end = next(scalars, _NOTHING)
    for line, content in enumerate(text.lines):
        column = content.find("#")
        while column >= 0:
            while end <= (line, column):
                start, end = next(scalars, _NOTHING)
            if (line, column) < start:
                yield line, column
                break
            column = content.find("#", column + 1)


_NOTHING = ((2**62, 0), (2**62, 0))


def _scalars(document: Document) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where each scalar of a YAML text begins and ends: a # outside of them begins a comment."""
    for event in _events(document):
        if isinstance(event, ScalarEvent) and event.start_mark and event.end_mark:
            start = (event.start_mark.line, event.start_mark.column)
            if event.style in ("|", ">"):
                # Beside the indicator of a block there may be a comment.
                start = (event.start_mark.line + 1, 0)
            yield start, (event.end_mark.line, event.end_mark.column)


def _events(document: Document) -> Iterable[Event | None]:
    """The events of a text, in the order in which they stand there."""
    places = document.places
    if isinstance(places, Spans) and places.whole:
        # A mapping comes after what is in it; that a key does not is all that matters here.
        return (event for span in places.spans.values() for event in (span.key, span.first))
    events: Iterator[Event] = yaml.parse(document.text.content, Loader=LOADER)
    return events
