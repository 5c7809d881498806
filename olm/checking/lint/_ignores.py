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

_IGNORE = r"#\s*olm:\s*ignore\b(?:\s*\[([^\]]*)\])?"
_TOML_PIECE = (
    r'(?s)"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*'
)


class Ignore(NamedTuple):
    """A comment that silences warnings."""

    codes: tuple[str, ...]
    """The codes of the warnings; empty if it names none."""
    place: Place
    """The place of the comment."""
    line: int | None
    """The line that it applies to; None for the whole file."""


def ignores(document: Document) -> tuple[Ignore, ...]:
    """The comments of a YAML or TOML text that silence warnings; JSON has no comments."""
    text = document.text
    # Few texts have such a comment, and only these are searched for it.
    if "olm:" not in text.content or text.file.endswith(".json"):
        return ()
    silenced = _lines_silenced(text)
    found = []
    for line, column in _comments(document):
        for match in re.compile(_IGNORE).finditer(text.lines[line], column):
            names = (name.strip() for name in (match[1] or "").split(","))
            place = text.place(line, match.start(), line, match.end())
            found.append(Ignore(tuple(filter(None, names)), place, silenced[line]))
    return tuple(found)


def _lines_silenced(text: Text) -> list[int | None]:
    """For each line, the number of the line that a comment in it silences; None for the whole file.

    A comment beside a value silences its own line, and a comment alone in a line the next line that
    is not a comment. The comments at the beginning of a file silence the whole file.
    """
    silenced: list[int | None] = []
    below = len(text.lines) + 1
    for number, line in reversed([*enumerate(text.lines, 1)]):
        below = below if _is_comment(line) else number
        silenced.append(below)
    silenced.reverse()
    lines = (index for index, line in enumerate(text.lines) if line and not _is_comment(line))
    head = next(lines, len(silenced))
    return [None] * head + silenced[head:]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _comments(document: Document) -> Iterator[tuple[int, int]]:
    """The line and column of each comment, counted from 0."""
    text = document.text
    if text.file.endswith(".toml"):
        for piece in re.finditer(_TOML_PIECE, text.content):
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
    """The start and end of each scalar of a YAML text: a # outside of scalars starts a comment."""
    for event in _events(document):
        if isinstance(event, ScalarEvent) and event.start_mark and event.end_mark:
            start = (event.start_mark.line, event.start_mark.column)
            if event.style in ("|", ">"):
                # A comment may follow the indicator of a block.
                start = (event.start_mark.line + 1, 0)
            yield start, (event.end_mark.line, event.end_mark.column)


def _events(document: Document) -> Iterable[Event | None]:
    """The events of a text, in its order."""
    places = document.places
    if isinstance(places, Spans) and places.whole:
        # A mapping comes after its items, but only the order of the scalars matters here.
        return (event for _, (first, _, key) in places.items() for event in (key, first))
    events: Iterator[Event] = yaml.parse(document.text.content, Loader=LOADER)
    return events
