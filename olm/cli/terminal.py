"""Text for a terminal: colours, widths and a progress line."""

from __future__ import annotations

import os
import sys
from typing import TextIO

STYLES = {
    "bold": "1",
    "error": "1;31",
    "warning": "1;33",
    "also": "34",
    "gutter": "2",
    "hint": "36",
    "fine": "32",
}
"""The name of a style → its ANSI codes."""


class Paint:
    """Colours text, unless colours are switched off."""

    def __init__(self, coloured: bool) -> None:
        self.coloured = coloured

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.coloured and text else text


def wants_colour(stream: TextIO) -> bool:
    """Whether to use colours: on a terminal, unless the environment overrides that."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


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
