"""One pass over the events of a YAML parser: the value, and the place of each part."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from olm.problem import MAX_LEVELS, MAX_VALUES, SHOWN, Path, Problem, clipped, found
from olm.text.findings import Findings, Unreadable, place_of
from olm.text.parser_disputes import directive, dispute, may_be_disputed
from olm.text.places import ROW, Row, Span, Spans, in_row, row_spans
from olm.text.scalars import ScalarError, plain, quoted
from olm.text.source import Text


class LibyamlRefused(Exception):
    """libyaml refuses the text: PyYAML's own parser is to report why."""


class Reader:
    """Builds the value of a text from the events of a parser, and continues after most errors."""

    def __init__(self, text: Text, loader: Any) -> None:
        self.text = text
        self.findings = Findings(text)
        self.spans: dict[Path, Span] = {}
        self.rows: dict[Path, Row] = {}
        self._flow_level = 0
        self._left = MAX_VALUES
        self._suspect = may_be_disputed(text.content)
        self._is_libyaml = loader is not yaml.SafeLoader
        get_event = loader(text.content).get_event
        self._next: Callable[[], Event] = get_event if self._is_libyaml else _marked(get_event)

    @property
    def places(self) -> Spans:
        """The places of the values."""
        return Spans(self.text, self.spans, self.rows)

    def read(self) -> Any:
        """The value.

        Raises:
            Unreadable: there is none, or the text has a syntax error.
            LibyamlRefused: libyaml says that it has one.
        """
        try:
            return self._document()
        except yaml.YAMLError as error:
            if self._is_libyaml:
                raise LibyamlRefused from None
            from olm.text.syntax_errors import syntax_problem

            raise Unreadable(syntax_problem(error, self.text)) from None

    def _document(self) -> Any:
        """The value of a text with one document."""
        if (percent := directive(self.text.content)) is not None:
            place = self.text.place_at(percent)
            message = "YAML directives are not allowed in a spec: remove the line with %"
            self.findings.problems.append(Problem("directive", message, place=place))
        self._next()
        start = self._next()
        if isinstance(start, StreamEndEvent):
            message = "the file is empty: a spec starts with its `kind`"
            self.findings.stop("empty", message, start)
        value = self._node(self._next(), ())
        self._next()
        if not isinstance(more := self._next(), StreamEndEvent):
            message = "a file must contain one document, found the start of another"
            self.findings.note("documents", message, more)
        return value

    def _node(self, event: Event, path: Path, key: Event | None = None) -> Any:
        """The value that starts with an event; reads no event beyond it."""
        self._left -= 1
        if self._left < 0:
            self.findings.stop("size", f"a spec must have at most {MAX_VALUES:,} values", event)
        value, last = None, event
        # Most values are such scalars. type() instead of isinstance, since every value comes here.
        if type(event) is ScalarEvent:
            value = self._scalar(event, key, path)
        elif isinstance(event, CollectionStartEvent):
            value, last = self._collection(event, key, path)
        elif isinstance(event, AliasEvent):
            message = (
                f"YAML aliases are not allowed in a spec: write out *{clipped(event.anchor or '')}"
            )
            self.findings.refuse("alias", message, event, path)
        self.spans[path] = (event, last, key)
        return value

    def _collection(
        self, event: CollectionStartEvent, key: Event | None, path: Path
    ) -> tuple[Any, Event]:
        if len(path) > MAX_LEVELS:
            message = f"lists and mappings must not be nested more than {MAX_LEVELS} deep"
            self.findings.stop("depth", message, event)
        if event.anchor or event.tag or self._suspect:
            self._odd(event, key, path)
        self._flow_level += bool(event.flow_style)
        inside = self._mapping if isinstance(event, MappingStartEvent) else self._list
        value, last = inside(path)
        self._flow_level -= bool(event.flow_style)
        return value, last

    def _list(self, path: Path) -> tuple[list[Any], Event]:
        items: list[Any] = []
        row: Row | None = array(ROW)
        while type(event := self._next()) is not SequenceEndEvent:
            at = (*path, len(items))
            numbers = None if row is None else in_row(event)
            if row is not None and numbers is None:
                self.spans.update(row_spans(self.text, path, row))
                row = None
            items.append(self._node(event, at))
            if row is not None and numbers is not None:
                row.extend(numbers)
                del self.spans[at]
        if row:
            self.rows[path] = row
        return items, event

    def _mapping(self, path: Path) -> tuple[dict[str, Any], Event]:
        mapping: dict[str, Any] = {}
        while type(event := self._next()) is not MappingEndEvent:
            key = self._key(event, path)
            if key is not None and key not in mapping:
                mapping[key] = self._node(self._next(), (*path, key), event)
                continue
            if key is not None:
                self._duplicate((*path, key), event)
            self._skip(self._next(), path)
        return mapping, event

    def _key(self, event: Event, path: Path) -> str | None:
        """The key of an event, if it is valid in a spec."""
        if type(event) is not ScalarEvent:
            kind = "an alias" if isinstance(event, AliasEvent) else "a list or a mapping"
            self.findings.note("key-type", f"keys must be strings, found {kind}", event)
            self._skip(event, path)
            return None
        if event.anchor or event.tag or self._suspect:
            self._odd(event, None, None)
        if event.value == "<<" and event.implicit[0]:
            message = "YAML merge keys are not allowed in a spec: write out the keys and values"
            self.findings.note("merge-key", message, event)
            return None
        try:
            key = _value(event)
        except ScalarError as error:
            self.findings.note(error.code, str(error), event)
            return None
        if not isinstance(key, str):
            self.findings.note("key-type", f"keys must be strings, found {found(key)}", event)
            return None
        return key

    def _duplicate(self, path: Path, event: Event) -> None:
        seen = self.spans[path][2] or event
        first = place_of(self.text, seen, seen)
        message = f"duplicate key `{clipped(str(path[-1]))}` (first on line {first.line})"
        self.findings.note("duplicate-key", message, event, first)

    def _skip(self, event: Event, path: Path) -> None:
        """Read a value that is not part of the document, to report the errors in it."""
        kept = self.spans, self.rows, self.findings.refused
        self.spans, self.rows, self.findings.refused = {}, {}, set()
        self._node(event, (*path, "skipped"))
        self.spans, self.rows, self.findings.refused = kept

    def _scalar(self, event: ScalarEvent, key: Event | None, path: Path) -> Any:
        if event.anchor or event.tag or self._suspect:
            self._odd(event, key, path)
        try:
            return _value(event)
        except ScalarError as error:
            self.findings.refuse(error.code, str(error), event, path)

    def _odd(
        self, event: ScalarEvent | CollectionStartEvent, key: Event | None, path: Path | None
    ) -> None:
        """Report an anchor, a tag, and syntax that only this parser accepts."""
        self.findings.properties(event, path)
        if message := dispute(event, key, self.text, self._flow_level > 0):
            if self._is_libyaml:
                raise LibyamlRefused
            self.findings.refuse("syntax", message, event, path)


def _marked(get_event: Callable[[], Event]) -> Callable[[], Event]:
    """PyYAML's own parser, which lets errors of int() and chr() through, as errors of YAML."""

    def event() -> Event:
        try:
            return get_event()
        except (ValueError, OverflowError) as error:
            raise yaml.YAMLError(str(error)) from None

    return event


def _value(event: ScalarEvent) -> bool | int | float | str | None:
    """The value of a scalar: a string if it is quoted, else by the core schema."""
    text: str = event.value
    if not event.implicit[0]:
        return quoted(text)
    return _usual(text) if len(text) <= SHOWN else plain(text)


@lru_cache(maxsize=4096)
def _usual(text: str) -> bool | int | float | str | None:
    """The value of a short scalar: most files have the same few keys and numbers."""
    return plain(text)
