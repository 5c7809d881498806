"""The lines and words of a shell text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator


def logical_lines(content: str) -> Iterator[tuple[int, str]]:
    """The lines with their continuations, strings and arrays, each with its first line's number."""
    pending, first = "", 1
    for number, line in enumerate(content.splitlines(), 1):
        stripped = line.strip()
        is_comment = stripped.startswith("#")
        if is_comment and (not pending or pending.count("=(")):
            continue
        if not pending and not stripped:
            continue
        first = first if pending else number
        pending += ("\n" if pending else "") + stripped.removesuffix("\\")
        depth = pending.count("=(") and pending.count("(") - pending.count(")")
        if not stripped.endswith("\\") and depth <= 0 and not _is_open(pending):
            yield first, pending
            pending = ""
    if pending:
        yield first, pending


def _is_open(text: str) -> bool:
    """Whether a string begins in a text and does not end in it."""
    quote, escaped, before = "", False, " "
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote == "#":
            quote = "" if character == "\n" else quote
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'" or (character == "#" and before.isspace()):
            quote = character
        before = character
    return quote in ("'", '"') if quote else False


def split(text: str) -> list[str]:
    """The words of a text that has options; another text, such as a path, is a word."""
    if not re.search(r"(?:^|\s)-", text):
        return [text] if text.strip() else []
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def without_end(word: str) -> str:
    """A word without the semicolon after a command."""
    return word.removesuffix(";") or word
