"""Bytes as clean text, and places in it: UTF-8, with nothing that parsers read differently."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from olm.problem import Place, Problem

MAX_BYTES = 1024 * 1024
"""The longest text that is read."""

# What YAML forbids, and the line breaks that editors, JSON and YAML 1.1 do not agree on.
_FORBIDDEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BRACES_FIRST = re.compile(r"(?:\s|#[^\n]*)*+[{\[]")
_TAB_INDENT = re.compile(r"^ *\t[\t ]*(?=[^\s#])", re.MULTILINE)


@dataclass
class Text:
    """A text and the file that it stands in."""

    file: str
    content: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends and the blanks before them."""
        return [line.rstrip() for line in _LINE_BREAK.split(self.content)]

    def line(self, number: int) -> str:
        """A line, counted from 1; the empty one after the last."""
        return self.lines[number - 1] if number <= len(self.lines) else ""

    def place(self, line: int, column: int, end_line: int, end: int) -> Place:
        """A stretch between two positions, counted from 0, as far as it is on the first's line."""
        last = len(self.line(line + 1))
        end = min(end, last) if end_line == line else last
        return Place(self.file, line + 1, column + 1, max(end, column + 1) + 1)

    def place_at(self, index: int) -> Place:
        """The place of the character with this index."""
        before = _LINE_BREAK.split(self.content[:index])
        return self.place(len(before) - 1, len(before[-1]), len(before) - 1, 0)


def clean(data: str | bytes, file: str) -> tuple[Text, Problem | None]:
    r"""The text that a file holds, and why it cannot be parsed, if it cannot.

    >>> clean(b"a:\t1", "a.yaml")
    (Text(file='a.yaml', content='a: 1'), None)
    >>> print(clean(b"a:\n\tb: 1", "a.yaml")[1])
    a.yaml:2:1: error[tab]: YAML is indented with spaces, found a tab
    """
    if len(data) > MAX_BYTES:
        text, place = Text(file, ""), Place(file, 1, 1, 1)
        return text, Problem("size", f"a spec must have at most {MAX_BYTES:,} bytes", place=place)
    # A byte that is not UTF-8 becomes one half of a surrogate pair, which no text may have.
    content = data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data
    text = Text(file, content.removeprefix("\ufeff"))
    if wrong := _FORBIDDEN.search(text.content):
        return text, _forbidden(wrong[0], text.place_at(wrong.start()))
    if "\t" not in text.content:
        return text, None
    if not _BRACES_FIRST.match(text.content) and (tab := _TAB_INDENT.search(text.content)):
        place = text.place_at(tab.start() + tab[0].index("\t"))
        return text, Problem("tab", "YAML is indented with spaces, found a tab", place=place)
    # Elsewhere a tab is a space, also to the parser that would not have it.
    return Text(file, text.content.replace("\t", " ")), None


def _forbidden(character: str, place: Place) -> Problem:
    if "\udc80" <= character <= "\udcff":
        message = f"a spec must be UTF-8 text, found the byte 0x{ord(character) - 0xDC00:02X}"
        hint = "is it UTF-16?" if place.line == place.column == 1 and character > "\udcfd" else ""
        return Problem("encoding", message, hint=hint, place=place)
    message = f"the character U+{ord(character):04X} does not belong in a spec"
    return Problem("character", message, place=place)
