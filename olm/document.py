"""YAML or JSON text as plain values that know their line and column, and as a spec.

The text is read with PyYAML's events, not with its composer, which overflows the C stack on deep input, nor with its
constructor, which reads ``1e-4`` as a string and ``no`` as false. Scalars are those of YAML 1.2's core schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from olm.problem import MAX_LEVELS, Path, Place, Problem, SpecError, clipped, found
from olm.spec import Spec, parse

if TYPE_CHECKING:
    from yaml import Event, Mark

MAX_BYTES = 1024 * 1024
"""The longest text that is read."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where it is there; PyYAML's own gives the same verdicts, slower."""

_NOT_TEXT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML forbids, and the line breaks that editors, JSON and YAML 1.1 do not agree on."""

_IN_BRACES = re.compile(r"(?:\s|#[^\n]*)*+[{\[]")
_TAB_INDENT = re.compile(r"^[ ]*\t[\t ]*(?=[^\s#])", re.MULTILINE)

_NULL = re.compile(r"(?:null|Null|NULL|~|)")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_START = frozenset("+-.0123456789")

MAX_DIGITS = 309
"""The most digits of a whole number: any longer one overflows a float64."""


class Span(NamedTuple):
    """Where a value stands: its own marks and, in a mapping, those of its key."""

    start: Mark
    end: Mark
    key_start: Mark | None
    key_end: Mark | None


@dataclass
class Document:
    """A text that was read: its value, where each part of it stands, and what is wrong with it as a text."""

    file: str
    text: str = ""
    value: Any = None
    spans: dict[Path, Span] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    readable: bool = True
    """Whether there is a value to look at in spite of the problems."""

    def parse(self) -> Spec:
        """The spec that the document says.

        Raises:
            SpecError: with every problem of the text and of what it says, each with its place, in their order.
        """
        problems = list(self.problems)
        if self.readable:
            try:
                spec = parse(self.value)
                if not problems:
                    return spec
            except SpecError as error:
                refused = {problem.path for problem in self.problems if not problem.at_key}
                problems += (
                    self.located(problem)
                    for problem in error.problems
                    if not any(problem.path[: len(path)] == path for path in refused)
                )
        raise SpecError(sorted(problems, key=lambda problem: problem.place or _START)) from None

    def located(self, problem: Problem) -> Problem:
        """The problem with its place in the file."""
        also = tuple(self.place(path) for path in problem.also)
        return replace(problem, place=self.place(problem.path, problem.at_key), also_places=also)

    def place(self, path: Path, at_key: bool = False) -> Place:
        """Where the value at a path stands, or its key; for what is not there, what it is missing from."""
        while path not in self.spans and path:
            path = path[:-1]
        span = self.spans.get(path)
        if span is None:
            return Place(self.file, 1, 1, 1)
        if at_key and span.key_start and span.key_end:
            return self._stretch(span.key_start, span.key_end)
        if at_key and (kind := self.spans.get((*path, "kind"))):
            return self._stretch(kind.start, kind.end)
        return self._stretch(span.start, span.end)

    def line(self, number: int) -> str:
        """A line of the text, counted from 1."""
        return self._lines[number - 1] if number <= len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return re.split(r"\r\n|\r|\n", self.text)

    def _stretch(self, start: Mark, end: Mark) -> Place:
        if end.line == start.line:
            last = max(end.column, start.column + 1)
        else:
            last = max(len(self.line(start.line + 1).rstrip()), start.column + 1)
        return Place(self.file, start.line + 1, start.column + 1, last + 1)


_START = Place("", 0, 0, 0)


def load(path: str | PathLike[str]) -> Spec:
    """The spec in a YAML or JSON file.

    Raises:
        OSError: the file cannot be read.
        SpecError: with every problem that there is, each with its line and column.
    """
    return read(FilePath(path).read_bytes(), str(path)).parse()


def loads(text: str | bytes, name: str = "<text>") -> Spec:
    """The spec in a YAML or JSON text; `name` is what stands for the file in a problem.

    >>> loads("{kind: LinearLR, total_steps: 1e3}").schedule
    Linear(total_steps=1000, end_lr=0.0, start_factor=1.0)
    >>> loads("kind: LinearLR\\ntotal_step: 1e3", "a.olm.yaml")
    Traceback (most recent call last):
        ...
    olm.problem.SpecError: a.olm.yaml:1:7: error[missing-field]: LinearLR needs the field `total_steps`
    a.olm.yaml:2:1: error[unknown-field]: LinearLR has no field `total_step` (did you mean `total_steps`?)
    """
    return read(text, name).parse()


def read(data: str | bytes, file: str) -> Document:
    """A YAML or JSON text as a document, whatever is wrong with it."""
    document = Document(file)
    try:
        document.text = _text(data, file)
        _Reader(document).read()
    except _Unreadable as stop:
        document.readable = False
        document.problems.append(stop.problem)
    return document


class _Unreadable(Exception):
    """There is no reading on from here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def _text(data: str | bytes, file: str) -> str:
    """The text, within bounds and without what parsers read differently.

    Raises:
        _Unreadable: it is too long, not UTF-8, or has characters that do not belong in a text.
    """
    if len(data) > MAX_BYTES:
        raise _unreadable(
            "size", f"a spec must have at most {MAX_BYTES:,} bytes, found {len(data):,}", file
        )
    try:
        text = (
            data.decode("utf-8")
            if isinstance(data, bytes)
            else data.encode("utf-8").decode("utf-8")
        )
    except UnicodeError as error:
        before = (
            data[: error.start]
            if isinstance(error, UnicodeDecodeError | UnicodeEncodeError)
            else data[:0]
        )
        raise _unreadable("encoding", "a spec must be UTF-8 text", file, before) from None
    text = text.removeprefix("\ufeff")
    if wrong := _NOT_TEXT.search(text):
        name = f"the character U+{ord(wrong[0]):04X} does not belong in a spec"
        raise _unreadable("character", name, file, text[: wrong.start()])
    if "\t" in text:
        if not _IN_BRACES.match(text) and (tab := _TAB_INDENT.search(text)):
            before = text[: tab.end() - 1]
            raise _unreadable("tab", "YAML is indented with spaces, found a tab", file, before)
        # Elsewhere a tab is a space, also to the parser that would not have it.
        text = text.replace("\t", " ")
    return text


def _unreadable(code: str, message: str, file: str, before: str | bytes = "") -> _Unreadable:
    """A problem that stands after the text `before`."""
    so_far = before.decode("utf-8", "replace") if isinstance(before, bytes) else before
    lines = re.split(r"\r\n|\r|\n", so_far)
    column = len(lines[-1]) + 1
    return _Unreadable(Problem(code, message, place=Place(file, len(lines), column, column + 1)))


class _Reader:
    """One pass over the parser's events that builds the value and notes where everything stands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.events: Iterator[Event] = yaml.parse(document.text, Loader=LOADER)

    def read(self) -> None:
        try:
            self._stream()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            what = ", ".join(filter(None, (error.context, error.problem)))
            raise _Unreadable(
                Problem(
                    "syntax",
                    f"this is not YAML: {what}",
                    place=Place(self.document.file, line, column, column + 1),
                )
            ) from None

    def _stream(self) -> None:
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise self._stop(
                "empty", "there is nothing in this document: a spec begins with its `kind`", start
            )
        if start.version or start.tags:
            self._note("directive", "a spec has no directives: leave the line with % out", start)
        self.document.value = self._node(next(self.events), ())
        next(self.events)
        more = next(self.events)
        if not isinstance(more, yaml.StreamEndEvent):
            self._note("documents", "a file must have one document, here begins another", more)

    def _node(self, event: Event, path: Path, key: Event | None = None) -> Any:
        """The value that begins with an event; nothing more is read than what belongs to it."""
        if len(path) > MAX_LEVELS:
            raise self._stop(
                "depth", f"lists and mappings must not be nested more than {MAX_LEVELS} deep", event
            )
        if isinstance(event, yaml.AliasEvent):
            value, end = (
                self._note(
                    "alias",
                    f"a spec has no aliases: write out what *{event.anchor} is",
                    event,
                    path,
                ),
                event,
            )
        else:
            if event.anchor:
                self._note("anchor", f"a spec has no anchors: leave &{event.anchor} out", event)
            if event.tag:
                self._note("tag", "a spec has no tags: leave the one here out", event, path)
            if isinstance(event, yaml.ScalarEvent):
                value, end = self._scalar(event, path), event
            elif isinstance(event, yaml.SequenceStartEvent):
                value, end = self._list(path)
            else:
                value, end = self._mapping(path)
        keys = (key.start_mark, key.end_mark) if key else (None, None)
        self.document.spans[path] = Span(event.start_mark, end.end_mark, *keys)
        return value

    def _list(self, path: Path) -> tuple[list[Any], Event]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return items, event

    def _mapping(self, path: Path) -> tuple[dict[str, Any], Event]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key is None or key in mapping:
                if key is not None:
                    first = self.document.place((*path, key), at_key=True)
                    self._note(
                        "duplicate-key",
                        f"the key `{key}` stands here again, after line {first.line}",
                        event,
                    )
                self._skip(next(self.events), path)
            else:
                mapping[key] = None
                mapping[key] = self._node(next(self.events), (*path, key), event)
        return mapping, event

    def _key(self, event: Event, path: Path) -> str | None:
        """The key that an event is, if it is one that a spec can have."""
        if not isinstance(event, yaml.ScalarEvent):
            self._note(
                "key-type", "keys must be strings, found an alias, a list or a mapping", event
            )
            self._skip(event, path)
            return None
        if event.anchor or event.tag:
            self._note(
                "anchor" if event.anchor else "tag", "a spec has no anchors and no tags", event
            )
        if event.implicit[0] and event.value == "<<":
            self._note("merge-key", "a spec has no merge keys: write out the keys", event)
            return None
        key = self._scalar(event, None)
        if not isinstance(key, str):
            self._note("key-type", f"keys must be strings, found {found(key)}", event)
            return None
        return key

    def _skip(self, event: Event, path: Path) -> None:
        """Read a value that has no place in the document, for what is wrong inside it."""
        spans, self.document.spans = self.document.spans, {}
        self._node(event, path)
        self.document.spans = spans

    def _scalar(self, event: Event, path: Path | None) -> Any:
        """A scalar by the core schema of YAML 1.2: a string if it is quoted."""
        text: str = event.value
        if not event.implicit[0]:
            if any("\ud800" <= character <= "\udfff" for character in text):
                self._note(
                    "character",
                    "half of a character, escaped, does not belong in a spec",
                    event,
                    path,
                )
            return text
        if text[:1] in _NUMBER_START and text[:1]:
            return self._number(text, event, path)
        if _NULL.fullmatch(text):
            return None
        return text.lower() == "true" if _BOOL.fullmatch(text) else text

    def _number(self, text: str, event: Event, path: Path | None) -> Any:
        if _WHOLE.fullmatch(text) or _OTHER_BASE.fullmatch(text):
            if len(text) > MAX_DIGITS:
                return self._note(
                    "number", f"a number of {len(text)} digits overflows", event, path
                )
            return int(text, 0) if text[1:2] in ("o", "x") else int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if abs(number) == float("inf"):
                return self._note("number", f"the number {clipped(text)} overflows", event, path)
            return number
        if _NOT_FINITE.fullmatch(text):
            return self._note("number", f"numbers must be finite, found {text}", event, path)
        return text

    def _note(self, code: str, message: str, event: Event, path: Path | None = None) -> None:
        """Remember a problem. What stands at `path` is then not looked at again."""
        place = self.document._stretch(event.start_mark, event.end_mark)
        about, at_key = (path, False) if path is not None else ((), True)
        self.document.problems.append(Problem(code, message, about, at_key, place=place))

    def _stop(self, code: str, message: str, event: Event) -> _Unreadable:
        place = self.document._stretch(event.start_mark, event.end_mark)
        return _Unreadable(Problem(code, message, place=place))
