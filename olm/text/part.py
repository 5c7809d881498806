"""One value of a larger text, with its places; the rest of the text is ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from olm.problem import LISTED, Path, Place, Problem, clipped, dotted, listed, nearest, quantity
from olm.text.findings import Unreadable, place_of
from olm.text.places import Spans
from olm.text.source import Text
from olm.text.yaml import Reader

DEEPEST = 1000
"""How deeply the rest of a text may be nested: parsing time grows with the square of it."""


class Inside(Reader):
    """Skips to the value at a path, and reads only that value."""

    def __init__(self, text: Text, loader: Any, at: Path) -> None:
        super().__init__(text, loader)
        self.at = at
        self._value: Any = None
        self._place: Place | None = None
        self._missing: Problem | None = None
        self._came = -1
        """How many keys of the path were found before one was missing."""

    @property
    def places(self) -> Spans:
        """The places of the values."""
        return Spans(self.text, self.spans, self.rows, whole=False)

    def _document(self) -> Any:
        """The value at the path, in any document of the text."""
        self._next()
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                self._seek(self._next(), 0, None)
        if self._place:
            return self._value
        raise Unreadable(self._missing or self._wrong("the file is empty", event))

    def _seek(self, event: Event, done: int, key: Event | None) -> None:
        """Search the value that starts with an event, `done` keys down."""
        if done == len(self.at):
            self._found(event, key)
        elif isinstance(event, CollectionStartEvent):
            self._flow_level += bool(event.flow_style)
            self._look_into(event, done)
            self._flow_level -= bool(event.flow_style)
        else:
            self._miss(event, done, [])

    def _look_into(self, start: CollectionStartEvent, done: int) -> None:
        wanted, names, there = str(self.at[done]), [], False
        for name, key, event in self._items(start):
            if name == wanted:
                there = True
                self._seek(event, done + 1, key)
            else:
                names.append(name)
                self._pass(event)
        if not there:
            self._miss(start, done, names)

    def _items(self, start: Event) -> Iterator[tuple[str, Event | None, Event]]:
        """The name of each item, its key, and its first event."""
        if isinstance(start, SequenceStartEvent):
            index = 0
            while not isinstance(event := self._next(), CollectionEndEvent):
                yield str(index), None, event
                index += 1
            return
        while not isinstance(key := self._next(), MappingEndEvent):
            self._pass(key)
            yield key.value if isinstance(key, ScalarEvent) else "", key, self._next()

    def _pass(self, event: Event) -> None:
        """Skip a value."""
        depth = 0
        while True:
            depth += isinstance(event, CollectionStartEvent)
            depth -= isinstance(event, CollectionEndEvent)
            if depth == 0:
                return
            if depth > DEEPEST:
                message = f"values must not be nested more than {DEEPEST:,} levels deep"
                self.findings.stop("depth", message, event)
            event = self._next()

    def _found(self, event: Event, key: Event | None) -> None:
        place = place_of(self.text, key or event, key or event)
        if self._place is None:
            self._place = place
            self._value = self._node(event, (), key)
            return
        self._pass(event)
        message = f"duplicate {dotted(self.at)} (first on line {self._place.line})"
        self.findings.problems.append(
            Problem("at", message, place=place, also_places=(self._place,))
        )

    def _miss(self, event: Event, done: int, names: list[str]) -> None:
        """Record how much of the path was found, if that is more than before."""
        if done <= self._came:
            return
        self._came = done
        wanted, above = clipped(str(self.at[done])), dotted(self.at[:done])
        inside = f"in {above}" if above else "at the root"
        if isinstance(event, MappingStartEvent):
            meant = nearest(wanted, names)
            has = listed(clipped(name) for name in names[:LISTED] if name)
            hint = f"did you mean `{meant}`?" if meant else f"its keys are {has}" if has else ""
        elif isinstance(event, SequenceStartEvent):
            hint = f"found a list of {quantity(len(names), 'item')}"
        else:
            hint = "found an alias" if isinstance(event, AliasEvent) else "found a single value"
        self._missing = self._wrong(f"there is no `{wanted}` {inside}", event, hint)

    def _wrong(self, message: str, event: Event, hint: str = "") -> Problem:
        return Problem("at", message, hint=hint, place=place_of(self.text, event, event))
