"""One value of a larger text, with its places; the rest of the text may be whatever it is."""

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

from olm.problem import LISTED, Path, Place, Problem, clipped, dotted, nearest
from olm.text.findings import Unreadable, place_of
from olm.text.places import Spans
from olm.text.source import Text
from olm.text.yaml import Reader

DEEPEST = 1000
"""How deep the rest of a text may be nested: a parser's time grows with the square of it."""


class Inside(Reader):
    """Goes to the value at a path, over whatever stands in its way, and reads only that one."""

    def __init__(self, text: Text, loader: Any, at: Path) -> None:
        super().__init__(text, loader)
        self.at = at
        self._value: Any = None
        self._place: Place | None = None
        self._missing: Problem | None = None
        self._came = -1
        """How many keys down it came where something was missing."""

    @property
    def places(self) -> Spans:
        """Where what was read stands."""
        return Spans(self.text, self.spans, whole=False)

    def read(self) -> Any:
        """The value.

        Raises:
            Unreadable: it is not there, or the text cannot be read up to its end.
        """
        self._next()
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                self._seek(self._next(), 0, None)
        if self._place:
            return self._value
        raise Unreadable(self._missing or self._wrong("there is nothing here", event))

    def _seek(self, event: Event, done: int, key: Event | None) -> None:
        """Look for the value in the one that begins with an event, `done` keys down."""
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
        """The name of each item, its key, and the event with which it begins."""
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
        """Read over a value."""
        depth = 0
        while True:
            depth += isinstance(event, CollectionStartEvent)
            depth -= isinstance(event, CollectionEndEvent)
            if depth == 0:
                return
            if depth > DEEPEST:
                message = f"nothing is read that is nested more than {DEEPEST} deep"
                self.findings.stop("depth", message, event)
            event = self._next()

    def _found(self, event: Event, key: Event | None) -> None:
        place = place_of(self.text, key or event, key or event)
        if self._place is None:
            self._place = place
            self._value = self._node(event, (), key)
            return
        self._pass(event)
        message = f"here is {dotted(self.at)} again, after line {self._place.line}"
        self.findings.problems.append(
            Problem("at", message, place=place, also_places=(self._place,))
        )

    def _miss(self, event: Event, done: int, names: list[str]) -> None:
        """Remember how far it came, if that is further than before."""
        if done <= self._came:
            return
        self._came = done
        wanted, above = clipped(str(self.at[done])), dotted(self.at[:done])
        inside = f"in {above}" if above else "at the root"
        if isinstance(event, MappingStartEvent):
            meant = nearest(wanted, names)
            has = ", ".join(clipped(name) for name in names[:LISTED] if name)
            hint = f"did you mean `{meant}`?" if meant else f"its keys are {has}" if has else ""
        elif isinstance(event, SequenceStartEvent):
            hint = f"it is a list of {len(names)}"
        else:
            hint = "it is an alias" if isinstance(event, AliasEvent) else "it is a single value"
        self._missing = self._wrong(f"there is no `{wanted}` {inside}", event, hint)

    def _wrong(self, message: str, event: Event, hint: str = "") -> Problem:
        return Problem("at", message, hint=hint, place=place_of(self.text, event, event))
