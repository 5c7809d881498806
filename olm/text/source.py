"""Bytes as text: UTF-8, without characters that parsers read differently; and places in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from olm.problem import Place, Problem

MAX_BYTES = 1024 * 1024
"""The longest text that is read."""

# What YAML forbids, and line breaks on which editors, JSON and YAML 1.1 disagree.
_FORBIDDEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BRACES_FIRST = re.compile(r"(?:\s|#[^\n]*)*+[{\[]")
_TAB_INDENT = re.compile(r"^ *\t[\t ]*(?=[^\s#])", re.MULTILINE)


@dataclass
class Text:
    """A text, and the file that contains it."""

    file: str
    content: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without line breaks and trailing blanks."""
        return [line.rstrip() for line in _LINE_BREAK.split(self.content)]

    def line(self, number: int) -> str:
        """A line, counted from 1; empty after the last one."""
        return self.lines[number - 1] if number <= len(self.lines) else ""

    def place(self, line: int, column: int, end_line: int, end: int) -> Place:
        """The part between two positions, counted from 0, up to the end of the first line."""
        last = len(self.line(line + 1))
        end = min(end, last) if end_line == line else last
        return Place(self.file, line + 1, column + 1, max(end, column + 1) + 1)

    def place_at(self, index: int) -> Place:
        """The place of the character with this index."""
        before = _LINE_BREAK.split(self.content[:index])
        return self.place(len(before) - 1, len(before[-1]), len(before) - 1, 0)


def clean(data: str | bytes, file: str) -> tuple[Text, Problem | None]:
    r"""The text of a file, and the problem if it cannot be parsed.

    >>> clean(b"a:\t1", "a.yaml")
    (Text(file='a.yaml', content='a: 1'), None)
    >>> print(clean(b"a:\n\tb: 1", "a.yaml")[1])
    a.yaml:2:1: error[tab]: YAML must be indented with spaces, found a tab
    """
    if len(data) > MAX_BYTES:
        text, place = Text(file, ""), Place(file, 1, 1, 1)
        return text, Problem("size", f"a spec must have at most {MAX_BYTES:,} bytes", place=place)
    # A byte that is not UTF-8 becomes half of a surrogate pair, which is forbidden below.
    content = data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data
    text = Text(file, content.removeprefix("\ufeff"))
    if wrong := _FORBIDDEN.search(text.content):
        return text, _forbidden(wrong[0], text.place_at(wrong.start()))
    if "\t" not in text.content:
        return text, None
    if not _BRACES_FIRST.match(text.content) and (tab := _TAB_INDENT.search(text.content)):
        place = text.place_at(tab.start() + tab[0].index("\t"))
        return text, Problem("tab", "YAML must be indented with spaces, found a tab", place=place)
    # Elsewhere a tab is a space, also for the parser that rejects tabs.
    return Text(file, text.content.replace("\t", " ")), None


def _forbidden(character: str, place: Place) -> Problem:
    if "\udc80" <= character <= "\udcff":
        message = f"a spec must be UTF-8 text, found the byte 0x{ord(character) - 0xDC00:02X}"
        hint = "is it UTF-16?" if place.line == place.column == 1 and character > "\udcfd" else ""
        return Problem("encoding", message, hint=hint, place=place)
    message = f"a spec must not contain the character U+{ord(character):04X}"
    return Problem("character", message, place=place)
