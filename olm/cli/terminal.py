"""Text for a terminal: colours, widths and a progress line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple, TextIO

STYLES = {
    "bold": "1",
    "error": "1;31",
    "warning": "1;33",
    "also": "34",
    "gutter": "2",
    "hint": "36",
    "fine": "32",
    "even phase": "34",
    "odd phase": "33",
}
"""The name of a style → its ANSI codes."""


class Paint:
    """Colours text, unless colours are switched off.

    Args:
        coloured: whether there are colours.
        links: whether text can lead to a file, as terminals show it.
    """

    def __init__(self, coloured: bool, links: bool = False) -> None:
        self.coloured, self.links = coloured, links

    @classmethod
    def of(cls, stream: TextIO) -> Paint:
        """The colours for a stream, and links if it is a terminal."""
        coloured = wants_colour(stream)
        return cls(coloured, coloured and stream.isatty())

    def link(self, text: str, path: Path) -> str:
        """A text that leads to a file."""
        if not self.links or not path.exists():
            return text
        return f"\x1b]8;;{path.as_uri()}\x1b\\{text}\x1b]8;;\x1b\\"

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.coloured and text else text


PLAIN = Paint(False)


def wants_colour(stream: TextIO) -> bool:
    """Whether to use colours: on a terminal, unless the environment overrides that."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


ASCII = str.maketrans(
    {"×": "x", "…": "...", "┤": "|", "└": "+", "┬": "+", "─": "-", "—": "-", "→": ">"}
)
"""What stands for other characters where the output is not UTF-8."""

NARROWEST = 40


class Screen(NamedTuple):
    """What a page is written for: a terminal, a file or a pipe."""

    width: int = 80
    height: int = 24
    has_unicode: bool = True
    paint: Paint = PLAIN
    breaks: bool = False
    """Whether long lines are broken, as people read them: programs read those of a pipe."""

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        """The screen behind a stream; a file or a pipe is 80 columns wide."""
        if not stream.isatty():
            return cls(has_unicode=_has_unicode(stream), paint=Paint.of(stream))
        from shutil import get_terminal_size

        size = get_terminal_size()
        paint, has_unicode = Paint.of(stream), _has_unicode(stream)
        return cls(max(size.columns, NARROWEST), size.lines, has_unicode, paint, breaks=True)

    @property
    def longest(self) -> int:
        """The length at which lines are broken; 0 if they are not."""
        return self.width if self.breaks else 0

    def text(self, line: str) -> str:
        """A line, without the characters that the output does not have."""
        return line if self.has_unicode else line.translate(ASCII)

    def wrapped(self, line: str) -> Iterator[str]:
        """A line of prose, broken where it is too long, and further in from the second line on."""
        if not self.breaks:
            yield line
            return
        indent = " " * (len(line) - len(line.lstrip()))
        yield from wrap(
            line.strip(), self.width, initial_indent=indent, subsequent_indent=indent + "  "
        )


def _has_unicode(stream: TextIO) -> bool:
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "")
    return encoding.startswith("utf")


def visible(text: str) -> str:
    r"""A text without characters that move the cursor, or hide or reverse other text.

    >>> visible("a\tb\x1b[2J")
    'a→b�[2J'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "→" if char == "\t" else "�" for char in text)


def columns(text: str) -> int:
    """The width of a text in columns of a terminal.

    >>> columns("lr"), columns("学习率"), columns("é")
    (2, 6, 1)
    """
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    wide = sum(east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(category(character) in ("Mn", "Me") for character in text)


class Progress:
    """A line on the terminal that shows the progress of a long run."""

    def __init__(self, total: int, unit: str = "files", every: int = 64) -> None:
        self.total, self.unit, self.every = total, unit, every
        self.shown = total >= 3 * every and sys.stderr.isatty()

    def at(self, done: int) -> None:
        """Update the line, every now and then."""
        if self.shown and done % self.every == 0:
            self._write(f"\r{done:,} of {self.total:,} {self.unit}")

    def clear(self) -> None:
        """Remove the line."""
        if self.shown:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
