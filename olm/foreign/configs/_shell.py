"""Command lines and shell scripts, read without running them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from olm.foreign.configs._code import Code
from olm.foreign.configs._places import NotedPlaces
from olm.foreign.configs._shell_lines import logical_lines, split, without_end
from olm.foreign.configs._source import Source, no_mapping, text_of
from olm.problem import Place, Problem, SpecError
from olm.text.source import Text

_ASSIGNMENT = re.compile(r"(?:(?:export|local|declare)\s+)?([A-Za-z_]\w*)(\+?)=(.*)", re.DOTALL)
_ARRAY = re.compile(r"(?:(?:export|local|declare)\s+)?([A-Za-z_]\w*)(\+?)=\((.*)\)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:\[[@*]\])?(?::-([^}]*))?\})")
_RUNS = re.compile(r"\$\(|`|<\(|\$\{")
_HAS_OPTIONS = re.compile(r"ARG|OPT|FLAG|EXTRA|CMD|PARAM", re.IGNORECASE)
"""The name of a variable that may have options, and not only the value of one."""
_COMMAND = re.compile(r"`[^`]*`|[$<]\((?:[^()]|\([^()]*\)|\(\([^()]*\)\))*\)")
"""What the shell would run, up to its end."""
_BEGINS = re.compile(r"(?:if|for|while|until|case)\b|[\w-]+\s*\(\)|function\b")
_ENDS = re.compile(r"(?:^|;\s*)(?:fi|done|esac)\b|^\}")
_OPERATOR = re.compile(r"[;&|]+|\d?[<>].*|&>.*")
"""What ends the arguments of a command."""


def read(data: str | bytes, name: str) -> Source:
    """The options of the commands in a shell text, each under its name without hyphens before it.

    An option without a value is true; one with several values is a list. Variables and arrays that
    the text assigns are put in; in a text without a command, for others to source, they have the
    options themselves. The command without its options is under ``command``. An option whose
    value only running the text could tell is an error where a format asks for it.

    Raises:
        SpecError: the text is invalid, or has no options, or uses a variable of options that it
            does not assign.
    """
    text = text_of(data, name)
    reader = _Reader(text)
    for line, logical in logical_lines(text.content):
        reader.line(line, logical)
    if not reader.options:
        reader.unused_arrays()
    if not reader.options:
        raise SpecError([no_mapping(name)])
    value: dict[str, object] = {"command": " ".join(reader.command), **reader.options}
    return Source(text, "shell", value, reader.places)


@dataclass
class _Reader:
    text: Text
    options: dict[str, object] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    variables: dict[str, list[str]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """The line of the command that has each option."""
    depth: int = 0
    """In how many conditions, loops and functions the line is."""

    def __post_init__(self) -> None:
        self.places = NotedPlaces(self.text)

    def line(self, number: int, logical: str) -> None:
        """Take an assignment, or the words of a command."""
        if _BEGINS.match(logical):
            self.depth += 1
        if _ENDS.search(logical):
            self.depth = max(0, self.depth - 1)
        if array := _ARRAY.fullmatch(logical):
            self._assign(array[1], self._words(array[3], number), bool(array[2]))
            return
        words = self._words(logical, number)
        assigned = _ASSIGNMENT.fullmatch(words[-1]) if words else None
        if assigned and (words[:-1] in ([], ["export"], ["local"], ["declare"])):
            self._assign(assigned[1], [assigned[3]], bool(assigned[2]))
        else:
            self._options(words, number)

    def unused_arrays(self) -> None:
        """Take the options of the variables, which another script passes to a command."""
        for words in self.variables.values():
            if any(map(_is_option, words)):
                self._options(words, 1)

    def _assign(self, name: str, words: list[str], more: bool) -> None:
        if self.depth:
            # Whether it is assigned, and when, only running the text could tell.
            words = ["$(...)"]
        self.variables[name] = [*(self.variables.get(name, []) if more else []), *words]

    def _words(self, text: str, number: int) -> list[str]:
        """The words of a line, with variables put in. What would have to be run stays as it is."""
        commands: list[str] = []

        def hidden(match: re.Match[str]) -> str:
            commands.append(match[0])
            return f"\x00{len(commands) - 1}\x00"

        try:
            words = shlex.split(_COMMAND.sub(hidden, text), comments=True)
        except ValueError as error:
            message = f"this is not a shell command: {error}"
            raise SpecError([Problem("syntax", message, place=self._place(text, number))]) from None
        shown = (re.sub("\x00(\\d+)\x00", lambda m: commands[int(m[1])], word) for word in words)
        return [part for word in shown for part in self._expanded(without_end(word))]

    def _expanded(self, word: str) -> list[str]:
        """The words of a word: a variable alone may have several."""
        whole = _VARIABLE.fullmatch(word)
        if whole is None or _value_of(whole, self.variables) is None:
            return [_VARIABLE.sub(lambda m: _joined(_value_of(m, self.variables), m[0]), word)]
        return [part for value in _value_of(whole, self.variables) or [] for part in split(value)]

    def _options(self, words: list[str], number: int) -> None:
        """The options among the words of a command."""
        for word in words if any(map(_is_option, words)) else ():
            variable = _VARIABLE.fullmatch(word)
            if variable and _HAS_OPTIONS.search(variable[1] or variable[2]):
                raise SpecError([self._untold(word, word, number)])
        position = 0
        while position < len(words):
            word = words[position]
            position += 1
            if not _is_option(word):
                self.command.append(word)
                continue
            name, equals, value = word.lstrip("-").partition("=")
            values: list[str] = [value] if equals else []
            while not equals and position < len(words) and _is_value(words[position]):
                values.append(words[position])
                position += 1
            if word == "-c" and values and " -" in values[0]:
                # It is the command of another shell.
                self._options(split(values[0]), number)
                continue
            self._option(name, word, values, number)

    def _option(self, name: str, word: str, values: list[str], number: int) -> None:
        place = self._place(word, number)
        made: object = True if not values else values[0] if len(values) == 1 else values
        for value in values:
            if _RUNS.search(value) or _VARIABLE.search(value):
                made = Code(value, place, self._untold(value, word, number))
        if name in self.options and self.lines[name] != number and self.options[name] != made:
            message = f"two commands have `{word}` with different values"
            made = Code(word, place, Problem("not-one-schedule", message, place=place))
        self.places.note((name,), place, place)
        self.options[name], self.lines[name] = made, number

    def _untold(self, value: str, word: str, number: int) -> Problem:
        """The problem of a value that only running the text could tell."""
        variable = _VARIABLE.search(value)
        if variable is None or _COMMAND.search(value):
            message = "this would have to be run, and nothing in a configuration is run"
            return Problem("needs-code", message, place=self._place(value, number, word))
        name = variable[1] or variable[2]
        message = f"the variable {name} is not set in this file"
        place = self._place(variable[0], number, word)
        return Problem("unset-variable", message, hint=f"add {name}=... before it", place=place)

    def _place(self, part: str, number: int, word: str = "") -> Place:
        """The place of a part of a line, of one that continues it, or of a variable's text."""
        here = range(number, len(self.text.lines) + 1)
        for look in filter(None, (part.partition("\n")[0], word)):
            pattern = re.compile(rf"(?<![\w-]){re.escape(look)}(?![\w-])")
            for line in [*here, *range(1, number)]:
                if found := pattern.search(self.text.line(line)):
                    return Place(self.text.file, line, found.start() + 1, found.end() + 1)
        return Place(self.text.file, number, 1, len(self.text.line(number)) + 1)


def _value_of(match: re.Match[str], variables: dict[str, list[str]]) -> list[str] | None:
    """The words of a variable: those assigned, or its default; None if there are none."""
    assigned = variables.get(match[1] or match[2])
    return [match[3]] if assigned is None and match[3] is not None else assigned


def _joined(words: list[str] | None, otherwise: str) -> str:
    return otherwise if words is None else " ".join(words)


def _is_value(word: str) -> bool:
    return not _is_option(word) and _OPERATOR.fullmatch(word) is None


def _is_option(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not _is_number(word)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
