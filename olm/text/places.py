"""The places of the parts of a value in its text."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol, TypeAlias

from yaml.error import Mark
from yaml.events import Event, ScalarEvent

from olm.problem import Path, Place
from olm.text.findings import place_of
from olm.text.source import Text


class Places(Protocol):
    """The place of each part of a value."""

    def has(self, path: Path) -> bool:
        """Whether there is a value at a path."""

    def place(self, path: Path, at_key: bool) -> Place:
        """The place of the value at a path or of its key; else of the value that lacks it."""


Span = tuple[Event, Event, Event | None]
"""The first and last event of a value and, in a mapping, its key.

A plain tuple: there is one for each value of each file, and hardly any is looked at.
"""


Row: TypeAlias = "array[int]"
"""The line, the first column and the column after the last one of each item of a list, from 0.

All items are unquoted scalars on one line each. A table has tens of thousands of them, and the
garbage collector would visit the event of each again and again.
"""

ROW = "I"
"""The type code of such an array."""


def in_row(event: Event) -> tuple[int, int, int] | None:
    """The numbers of an item in such a list; None for all other events."""
    if type(event) is not ScalarEvent or not event.implicit[0] or event.anchor or event.tag:
        return None
    start, end = event.start_mark, event.end_mark
    if start is None or end is None or start.line != end.line:
        return None
    # The lines of a text lack what looks blank at their ends.
    if event.value[-1:].isspace():
        return None
    return start.line, start.column, end.column


def row_spans(text: Text, path: Path, row: Row) -> Iterator[tuple[Path, Span]]:
    """The path and the event of each item of a list."""
    return (((*path, index), _span(text, row, index)) for index in range(len(row) // 3))


def _span(text: Text, row: Row, index: int) -> Span:
    line, *columns = row[3 * index : 3 * index + 3]
    start, end = (Mark(text.file, 0, line, column, None, 0) for column in columns)
    written = text.lines[line][columns[0] : columns[1]]
    event = ScalarEvent(None, None, (True, False), written, start, end)
    return event, event, None


class Spans(NamedTuple):
    """The places of a value that was read from events."""

    text: Text
    spans: Mapping[Path, Span]
    """The events of each value, the items of a list before the list; without those in `rows`."""
    rows: Mapping[Path, Row]
    """The places of the items of lists of unquoted scalars."""
    whole: bool = True
    """Whether the value is the whole text."""

    def get(self, path: Path) -> Span | None:
        """The events of the value at a path."""
        if (span := self.spans.get(path)) is not None or not path:
            return span
        row, index = self.rows.get(path[:-1]), path[-1]
        if row is None or not isinstance(index, int) or not 0 <= index < len(row) // 3:
            return None
        return _span(self.text, row, index)

    def items(self) -> Iterator[tuple[Path, Span]]:
        """The path and the events of each value, its scalars in the order of the text."""
        for path, span in self.spans.items():
            if (row := self.rows.get(path)) is not None:
                yield from row_spans(self.text, path, row)
            yield path, span

    def unquoted(self) -> Iterator[tuple[Path, str]]:
        """The path and the text of each scalar without quotes."""
        lines = self.text.lines if self.rows else []
        for path, (event, _, _) in self.spans.items():
            if type(event) is ScalarEvent:
                if event.implicit[0]:
                    yield path, event.value
            elif (row := self.rows.get(path)) is not None:
                places = zip(row[::3], row[1::3], row[2::3], strict=True)
                for index, (line, start, end) in enumerate(places):
                    yield (*path, index), lines[line][start:end]

    def has(self, path: Path) -> bool:
        """Whether there is a value at a path."""
        return self.get(path) is not None

    def place(self, path: Path, at_key: bool) -> Place:
        """The place of the value at a path or of its key; else of the value that lacks it."""
        there = path
        while (span := self.get(there)) is None and there:
            there = there[:-1]
        if span is None:
            return self.text.place_at(0)
        first, last, key = span
        if there == path and not at_key and not (key and _is_blank(first)):
            return place_of(self.text, first, last)
        if key:
            return place_of(self.text, key, key)
        first, last, _ = self.get((*there, "kind")) or span
        return place_of(self.text, first, last)


def _is_blank(first: Event) -> bool:
    """Whether the value that starts with an event is empty; parsers disagree about its place."""
    return isinstance(first, ScalarEvent) and first.implicit[0] and not first.value


class Lines(NamedTuple):
    """The places of a value, of whose parts only the lines are known."""

    text: Text
    lines: Mapping[Path, int]
    """The line, counted from 1, of the value at a path."""
    at: Path = ()
    """The place in the text that the paths are relative to."""

    def has(self, path: Path) -> bool:
        """Whether there is a value at a path."""
        return self.at + path in self.lines

    def place(self, path: Path, at_key: bool = False) -> Place:
        """The line of the value at a path; else of the value that lacks it."""
        whole = self.at + path
        while whole and whole not in self.lines:
            whole = whole[:-1]
        return line_of(self.text, self.lines.get(whole, 1))


def line_of(text: Text, number: int) -> Place:
    """A line without leading blanks, as a place."""
    line = text.line(number)
    return text.place(number - 1, len(line) - len(line.lstrip()), number - 1, len(line))
