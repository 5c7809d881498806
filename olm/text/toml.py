"""TOML text as a value. Its parser reports no places, so the place of a value is its line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from olm.problem import MAX_LEVELS, Path, Place, Problem, dotted, nearest
from olm.text.findings import Findings, Unreadable
from olm.text.places import Lines, line_of
from olm.text.source import Text

_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'{3}.*?\'{3,5}|"(?:\\.|[^"\\])*"|'[^']*'|\#[^\n]*|[][{}\n]''',
    re.DOTALL,
)
"""The tokens that show where a statement of TOML ends: strings, comments, brackets, lines."""

TOO_DEEP = f"lists and mappings must not be nested more than {MAX_LEVELS} deep"

MOST_DIGITS = 4300
"""The most digits of a whole number that Python reads."""

_LONG = re.compile(rf"[0-9](?:_?[0-9]){{{MOST_DIGITS},}}")

_SINGLE = re.compile(r"([A-Za-z0-9_-]+)[ \t]*=[ \t]*[^\[{]")
"""The start of most statements: a key without dots, and a value without parts."""


@dataclass
class LazyLines:
    """The lines of the values of a text, computed when a problem needs them."""

    text: Text
    at: Path

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.text, dict(_lines(self.text)), self.at)

    def has(self, path: Path) -> bool:
        """Whether there is a value at a path."""
        return self._lines.has(path)

    def place(self, path: Path, at_key: bool = False) -> Place:
        """The line of the value at a path; else of the value that lacks it."""
        return self._lines.place(path, at_key)


class TomlReader:
    """Reads the value at a path of a TOML text."""

    def __init__(self, text: Text, at: Path) -> None:
        self.text = text
        self.findings = Findings(text)
        self.at = at
        self.places = LazyLines(text, at)

    def read(self) -> Any:
        """The value.

        Raises:
            Unreadable: there is no such value, or the text is not TOML.
        """
        try:
            value = tomllib.loads(self.text.content)
        # int() raises a ValueError of its own for too many digits.
        except (ValueError, RecursionError) as error:
            raise Unreadable(_problem(self.text, error)) from None
        for done, part in enumerate(self.at):
            try:
                value = value[int(part) if isinstance(value, list) else str(part)]
            except (KeyError, IndexError, TypeError, ValueError):
                raise Unreadable(self._missing(value, done)) from None
        if (deep := _too_deep(value)) is not None:
            raise Unreadable(Problem("depth", TOO_DEEP, place=self.places.place(deep)))
        return value

    def _missing(self, value: Any, done: int) -> Problem:
        wanted, above = str(self.at[done]), dotted(self.at[:done])
        meant = nearest(wanted, value) if isinstance(value, dict) else None
        message = f"there is no `{wanted}` {f'in {above}' if above else 'at the root'}"
        hint = f"did you mean `{meant}`?" if meant else ""
        place = LazyLines(self.text, ()).place(self.at[:done])
        return Problem("at", message, hint=hint, place=place)


def _too_deep(value: Any) -> Path | None:
    """The path at which a value is nested too deeply; None if it is not."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, dict | list):
            if len(path) == MAX_LEVELS:
                return path
            items = inner.items() if isinstance(inner, dict) else enumerate(inner)
            waiting += [((*path, key), each) for key, each in items]
    return None


def _problem(text: Text, error: Exception) -> Problem:
    """The error of the parser, whose message ends with the line."""
    if not isinstance(error, tomllib.TOMLDecodeError) and (found := _LONG.search(text.content)):
        message = f"a whole number must have at most {MOST_DIGITS:,} digits"
        return Problem("number", message, place=text.place_at(found.start()))
    if isinstance(error, RecursionError):
        deepest = max(range(len(text.lines)), key=lambda line: text.lines[line].count("["))
        return Problem("depth", TOO_DEEP, place=line_of(text, deepest + 1))
    message = str(error)
    what, _, where = message.rpartition(" (at ")
    number = where.removeprefix("line ").partition(",")[0]
    place = line_of(text, int(number) if number.isdigit() else len(text.lines))
    what = what or message
    return Problem("syntax", f"invalid TOML: {what[:1].lower()}{what[1:]}", place=place)


def _lines(text: Text) -> Iterator[tuple[Path, int]]:
    """Every path with its line."""
    table: Path = ()
    counts: Counter[Path] = Counter()
    for line, statement in _statements(text):
        if statement[0] == "[":
            *outer, last = _keys(statement)
            table = ()
            for key in outer:
                table = _last_of((*table, key), counts)
            table = (*table, last)
            counts[table] += statement.startswith("[[")
            table = _last_of(table, counts)
            yield table, line
        else:
            single = _SINGLE.match(statement)
            paths = [(single[1],)] if single else _paths(tomllib.loads(statement))
            yield from ((table + path, line) for path in paths)


def _last_of(table: Path, counts: Counter[Path]) -> Path:
    """The last table with this name, if there are several."""
    return (*table, counts[table] - 1) if counts[table] else table


def _keys(header: str) -> list[str]:
    """The keys in the header of a table."""
    value: Any = tomllib.loads(header)
    keys = []
    while value and value != [{}]:
        ((key, value),) = value.items()
        keys.append(key)
    return keys


def _statements(text: Text) -> Iterator[tuple[int, str]]:
    """The first line of each statement, and its text."""
    content = text.content.rstrip() + "\n"
    start, line, first, depth = 0, 1, 1, 0
    for token in _TOKEN.finditer(content):
        part = token[0]
        if part == "\n" and depth == 0:
            statement = content[start : token.start()].strip()
            if statement and statement[0] != "#":
                yield first, statement
            start, first = token.end(), line + 1
        depth += (part in "[{") - (part in "]}")
        line += part.count("\n")


def _paths(value: Any, levels: int = MAX_LEVELS) -> Iterator[Path]:
    """Every path in a value, except the empty one."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (key,)
        # Nothing that is nested deeper is looked up.
        if isinstance(inner, dict | list) and levels:
            yield from ((key, *path) for path in _paths(inner, levels - 1))
