"""Configurations in gin, read line by line: nothing is imported or called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from olm.foreign.configs._code import Code
from olm.foreign.configs._places import NotedPlaces
from olm.foreign.configs._source import Source, no_mapping, text_of
from olm.problem import Path, Place, Problem, SpecError
from olm.text.source import Text

_BLOCK = re.compile(r"([\w./]+)\s*:\s*")
_BINDING = re.compile(r"(\s*)([\w./]+)\s*=\s*(.*)", re.DOTALL)
_MACRO = re.compile(r"%([\w./]+)")
_QUOTES = ("'", '"')
_DEEPEST = 16


def read(data: str | bytes, name: str) -> Source:
    """The bindings of a gin file: macros, and the parameters of each function under its name.

    A macro is replaced by its value, which may stand below. A reference to a function is text, such
    as ``@utils.learning_rate()``; includes and imports are skipped.

    Raises:
        SpecError: the text is invalid, or has no binding.
    """
    text = text_of(data, name)
    reader = _Reader(text)
    for number, statement in _statements(text.content):
        reader.take(number, statement)
    if not reader.raw:
        raise SpecError([no_mapping(name)])
    return Source(text, "gin", reader.values(), reader.places)


def _statements(content: str) -> Iterator[tuple[int, str]]:
    """The statements with the numbers of their first lines, those over several lines as one."""
    pending, first, ended = "", 1, True
    for number, line in enumerate(content.splitlines(), 1):
        line = _without_comment(line).rstrip()
        if not line.strip():
            continue
        # A string may go on in the next line.
        if pending and ended and not line.strip().startswith(("'", '"')):
            yield first, pending
            pending = ""
        first = first if pending else number
        pending += ("\n" if pending else "") + line.removesuffix("\\")
        ended = not (line.endswith(("\\", "=")) or _is_open(pending))
    if pending:
        yield first, pending


def _without_comment(line: str) -> str:
    """A line up to a ``#`` that is in no string."""
    quote = ""
    for index, character in enumerate(line):
        if quote:
            quote = "" if character == quote and line[index - 1] != "\\" else quote
        elif character in "'\"":
            quote = character
        elif character == "#":
            return line[:index]
    return line


def _is_open(text: str) -> bool:
    """Whether a bracket of a statement is not closed yet."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    return sum(map(bare.count, "([{")) > sum(map(bare.count, ")]}"))


class _Reader:
    def __init__(self, text: Text) -> None:
        self.text = text
        self.places = NotedPlaces(text)
        self.raw: dict[Path, tuple[str, Place]] = {}
        self.block = ""

    def take(self, number: int, statement: str) -> None:
        """Take a binding, or the beginning of a block of bindings."""
        if block := _BLOCK.fullmatch(statement):
            self.block = _name(block[1])
            return
        binding = _BINDING.fullmatch(statement)
        if binding is None:
            self.block = ""
            return
        indented, key, value = binding.groups()
        if not indented:
            self.block = ""
        path = (self.block, key) if self.block else _path(key)
        line = self.text.line(number)
        start = line.find(key)
        place = Place(self.text.file, number, start + 1, start + 1 + len(key))
        end = len(line.rstrip()) + 1
        at = max(line.find("=") + 2, 1)
        self.places.note(path, place, Place(self.text.file, number, at, max(end, at)))
        self.places.keys.setdefault(path[:1], place)
        self.raw[path] = value.strip(), place

    def values(self) -> dict[Any, Any]:
        """The bindings as nested mappings."""
        made: dict[Any, Any] = {}
        for path, (value, place) in self.raw.items():
            found = self.value(value, place, 0)
            if len(path) == 1:
                made[path[0]] = found
            else:
                made.setdefault(path[0], {})[path[1]] = found
        return made

    def value(self, text: str, place: Place, depth: int) -> Any:
        """The value of a text: a constant, that of a macro, or a reference as it is."""
        if text.startswith("@"):
            return text
        macro = _MACRO.fullmatch(text)
        if macro and (_name(macro[1]),) in self.raw and depth < _DEEPEST:
            return self.value(*self.raw[(_name(macro[1]),)], depth + 1)
        try:
            value = ast.literal_eval(" ".join(text.split("\n")))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            if text[:1] in _QUOTES and not text.endswith(text[:1]):
                problem = Problem("syntax", "this string is not closed", place=place)
                raise SpecError([problem]) from None
            return Code(text, place)
        return list(value) if isinstance(value, tuple) else value


def _name(key: str) -> str:
    """The name of a function without its scopes."""
    return key.rpartition("/")[2]


def _path(key: str) -> Path:
    """The path of a binding at the beginning of a line: a macro, or a parameter."""
    function, _, parameter = _name(key).rpartition(".")
    return (function, parameter) if function else (parameter,)
