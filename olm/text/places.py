"""The places of the parts of a value in its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

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


class Spans(NamedTuple):
    """The places of a value that was read from events."""

    text: Text
    spans: Mapping[Path, Span]
    whole: bool = True
    """Whether the value is the whole text."""

    def has(self, path: Path) -> bool:
        """Whether there is a value at a path."""
        return path in self.spans

    def place(self, path: Path, at_key: bool) -> Place:
        """The place of the value at a path or of its key; else of the value that lacks it."""
        there = path
        while there and there not in self.spans:
            there = there[:-1]
        span = self.spans.get(there)
        if span is None:
            return self.text.place_at(0)
        first, last, key = span
        if there == path and not at_key and not (key and _is_blank(first)):
            return place_of(self.text, first, last)
        if key:
            return place_of(self.text, key, key)
        first, last, _ = self.spans.get((*there, "kind"), span)
        return place_of(self.text, first, last)


def _is_blank(first: Event) -> bool:
    """Whether the value that starts with an event is empty; parsers disagree about its place."""
    return isinstance(first, ScalarEvent) and first.implicit[0] and not first.value


@dataclass(frozen=True)
class Lines:
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
