"""Command lines and shell scripts, read without running them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from olm.foreign.configs._places import NotedPlaces
from olm.foreign.configs._source import Source, no_mapping, text_of
from olm.problem import Place, Problem, SpecError
from olm.text.source import Text

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(.*)", re.DOTALL)
_ARRAY = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=\((.*)\)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:\[[@*]\])?(?::-([^}]*))?\})")
_RUNS = re.compile(r"\$\(|`|<\(|\beval\b")


def read(data: str | bytes, name: str) -> Source:
    """The options of the commands in a shell text, each under its name without hyphens before it.

    An option without a value is true; one that stands twice is a list. Variables and arrays that
    the text assigns are put in. The command without its options is under ``command``.

    Raises:
        SpecError: the text is invalid, uses a variable that it does not assign, or would have to be
            run.
    """
    text = text_of(data, name)
    reader = _Reader(text)
    for line, logical in _logical_lines(text.content):
        reader.line(line, logical)
    if not reader.options:
        raise SpecError([no_mapping(name)])
    value: dict[str, object] = {"command": " ".join(reader.command), **reader.options}
    return Source(text, "shell", value, reader.places)


def _logical_lines(content: str) -> Iterator[tuple[int, str]]:
    """The lines with their continuations and arrays, each with the number of its first line."""
    pending, first, depth = "", 1, 0
    for number, line in enumerate(content.splitlines(), 1):
        stripped = line.strip()
        if not pending and (not stripped or stripped.startswith("#")):
            continue
        if depth and stripped.startswith("#"):
            continue
        first = first if pending else number
        continued = stripped.endswith("\\")
        pending += ("\n" if pending else "") + stripped.removesuffix("\\")
        depth = pending.count("=(") and pending.count("(") - pending.count(")")
        if not continued and depth <= 0:
            yield first, pending
            pending, depth = "", 0
    if pending:
        yield first, pending


@dataclass
class _Reader:
    text: Text
    options: dict[str, object] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    variables: dict[str, list[str]] = field(default_factory=dict)
    broken: dict[str, Problem] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = NotedPlaces(self.text)

    def line(self, number: int, logical: str) -> None:
        """Take an assignment, or the words of a command."""
        if array := _ARRAY.fullmatch(logical):
            self._assign(array[1], array[2], number, several=True)
        elif (assigned := _ASSIGNMENT.fullmatch(logical)) and " --" not in logical:
            self._assign(assigned[1], assigned[2], number, several=False)
        else:
            self._options(self._words(logical, number), number)

    def _assign(self, name: str, value: str, number: int, *, several: bool) -> None:
        try:
            words = self._words(value, number)
        except SpecError as error:
            # It matters only if an option uses the variable.
            self.broken[name] = error.problems[0]
            return
        self.variables[name] = words if several else [" ".join(words)]

    def _words(self, text: str, number: int) -> list[str]:
        """The words of a line, with variables put in."""
        if _RUNS.search(text):
            message = "this would have to be run, and nothing in a configuration is run"
            raise SpecError([Problem("needs-code", message, place=self._place(text, number))])
        try:
            words = shlex.split(text, comments=True)
        except ValueError as error:
            message = f"this is not a shell command: {error}"
            raise SpecError([Problem("syntax", message, place=self._place(text, number))]) from None
        return [part for word in words for part in self._expanded(word, number)]

    def _expanded(self, word: str, number: int) -> list[str]:
        whole = _VARIABLE.fullmatch(word)
        if whole is not None:
            return self._variable(whole, word, number)
        return [_VARIABLE.sub(lambda match: " ".join(self._variable(match, word, number)), word)]

    def _variable(self, match: re.Match[str], word: str, number: int) -> list[str]:
        name = match[1] or match[2]
        if name in self.variables:
            return self.variables[name]
        if match[3] is not None:
            return [match[3]]
        if name in self.broken:
            raise SpecError([self.broken[name]])
        message = f"the variable {name} is not set in this file"
        place = self._place(f"${name}", number, word)
        hint = f"add {name}=... before it"
        raise SpecError([Problem("unset-variable", message, hint=hint, place=place)])

    def _options(self, words: list[str], number: int) -> None:
        """The options among the words of a command."""
        position = 0
        while position < len(words):
            word = words[position]
            position += 1
            if not word.startswith("-") or _is_number(word):
                self.command.append(word)
                continue
            name, equals, value = word.lstrip("-").partition("=")
            values: list[str] = [value] if equals else []
            while not equals and position < len(words) and not _is_option(words[position]):
                values.append(words[position])
                position += 1
            self._option(name, word, values, number)

    def _option(self, name: str, word: str, values: list[str], number: int) -> None:
        place = self._place(word, number)
        self.places.note((name,), place, place)
        made: object = True if not values else values[0] if len(values) == 1 else values
        self.options[name] = made

    def _place(self, part: str, number: int, word: str = "") -> Place:
        """The place of a part of a line, or of one of the lines that continue it."""
        for look in filter(None, (part, word)):
            for line in range(number, min(number + 200, len(self.text.lines) + 1)):
                column = self.text.line(line).find(look.splitlines()[0] if look else look)
                if column >= 0:
                    return Place(self.text.file, line, column + 1, column + 1 + len(look))
        return Place(self.text.file, number, 1, len(self.text.line(number)) + 1)


def _is_option(word: str) -> bool:
    return word.startswith("-") and not _is_number(word)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
