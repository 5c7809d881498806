"""What a terminal can do and a file cannot: colours, and a line that changes."""

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
"""The name of a style → the codes that switch it on."""


class Paint:
    """Puts text into styles, or leaves it as it is where colours are not wanted."""

    def __init__(self, coloured: bool) -> None:
        self.coloured = coloured

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.coloured and text else text


def wants_colour(stream: TextIO) -> bool:
    """Whether to write colours: to a terminal, unless the environment says otherwise."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def visible(text: str) -> str:
    r"""A text without anything that moves the cursor, hides or turns around what follows.

    >>> visible("a\tb\x1b[2J")
    'a→b�[2J'
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "→" if one == "\t" else "�" for one in text)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes.

    >>> columns("lr"), columns("学习率"), columns("é")
    (2, 6, 1)
    """
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    wide = sum(east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(category(character) in ("Mn", "Me") for character in text)


class Progress:
    """A line on the terminal that says how far a long run is, and is gone when it ends."""

    def __init__(self, total: int, unit: str = "files", every: int = 64) -> None:
        self.total, self.unit, self.every = total, unit, every
        self.shown = total >= 3 * every and sys.stderr.isatty()

    def at(self, done: int) -> None:
        """Say how far it is, every now and then."""
        if self.shown and done % self.every == 0:
            self._write(f"\r{done:,} of {self.total:,} {self.unit}")

    def clear(self) -> None:
        """Leave the line to what comes next."""
        if self.shown:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
