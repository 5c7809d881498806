"""Syntax errors in plain words: the messages of the parsers differ, and are about tokens."""

from __future__ import annotations

import re

import yaml
from yaml.error import Mark

from olm.problem import Place, Problem
from olm.text.source import Text

_NO_COLON = ("a key must be followed by a colon and a space", "")
_INDENTED = ("this line does not continue the lines above", "does its indentation match theirs?")
_UNCLOSED = ("this quote is never closed", "")
_ESCAPE = ("invalid escape sequence", "write the character itself, or two backslashes")

_BEYOND_UNICODE = re.compile(r"\\U(?!000[\da-fA-F]|0010)[\da-fA-F]{8}")

_KEY_AND_VALUE = re.compile(r"[A-Za-z_]\w* [^:#]+")
"""A line that lacks the colon after its key."""

_NAME_BEFORE = re.compile(r"[A-Za-z_]\w{0,99}\Z")
_INDEX = re.compile(r"\[\d{1,3}\]")

MEANINGS: dict[str, tuple[str, str]] = {
    "expected ':'": _NO_COLON,
    "values are not allowed": ("unexpected ':'", "does the indentation match the lines above?"),
    "entries are not allowed": ("a list must start on a line of its own", ""),
    "<block end>": _INDENTED,
    "',' or ']'": ("missing comma or closing ]", ""),
    "',' or '}'": ("missing comma or closing }", ""),
    "end of stream": _UNCLOSED,
    "document separator": _UNCLOSED,
    "node content": ("missing value", ""),
    "cannot start any token": ("a value cannot start with this character", "put it in quotes"),
    "escape": _ESCAPE,
    "chomping or indentation": ("a space is missing before the # that begins a comment", ""),
}
"""A part of a parser's message → the message and the hint to report instead."""

_AT_THE_START = ("expected ':'", "end of stream", "document separator")
_OPENED_EARLIER = ("',' or ']'", "',' or '}'")


def syntax_problem(error: Exception, text: Text) -> Problem:
    """The problem for an error of a parser.

    PyYAML's own parser raises a plain ValueError, which has no place, for an escape beyond
    U+10FFFF.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        if beyond := _BEYOND_UNICODE.search(text.content):
            message, hint = _ESCAPE
            return Problem("syntax", message, hint=hint, place=text.place_at(beyond.start()))
        return Problem("syntax", "invalid YAML", place=text.place_at(0))
    found = error.problem or ""
    start, stop = error.context_mark, error.problem_mark
    words = next((words for words in MEANINGS if words in found), "")
    if not words:
        message = "invalid YAML: " + ", ".join(filter(None, (error.context, found)))
        return Problem("syntax", message, place=_place(text, stop or start))
    if words == "values are not allowed" and (place := _key_without_colon(text, stop)):
        return Problem("syntax", _NO_COLON[0], place=place)
    message, hint = MEANINGS[words]
    if words in _OPENED_EARLIER and stop and text.content[stop.index : stop.index + 1] == "?":
        message, hint = "a text with ? must be in quotes between brackets or braces", ""
    if words in _OPENED_EARLIER and stop and (name := _name_with_index(text, stop)):
        hint = f"put {name} in quotes"
    place = _place(text, start if words in _AT_THE_START and start else stop)
    also = (_place(text, start),) if words in _OPENED_EARLIER else ()
    return Problem("syntax", message, hint=hint, place=place, also_places=also)


def _name_with_index(text: Text, bracket: Mark) -> str:
    """A name such as `betas[0]` whose bracket is at a mark; empty if there is none.

    Between braces, a bracket ends a text without quotes.
    """
    line = text.lines[bracket.line]
    before = _NAME_BEFORE.search(line[: bracket.column])
    index = _INDEX.match(line, bracket.column)
    return before[0] + index[0] if before and index else ""


def _key_without_colon(text: Text, colon: Mark | None) -> Place | None:
    """The line above a colon, if that line should have had one.

    A parser joins ``kind LinearLR`` and the key in the next line into one text, and stops at the
    colon after it.
    """
    if colon is None or colon.line == 0:
        return None
    above, line = text.lines[colon.line - 1], text.lines[colon.line]
    indent = len(line) - len(line.lstrip())
    words = above.strip()
    if not _KEY_AND_VALUE.fullmatch(words) or len(above) - len(above.lstrip()) != indent:
        return None
    return text.place(colon.line - 1, indent, colon.line - 1, indent + len(words))


def _place(text: Text, mark: Mark | None) -> Place:
    """The character at a mark or, after the last character, that one."""
    if mark is None:
        return text.place_at(0)
    if any(line.strip() for line in text.lines[mark.line :]):
        return text.place(mark.line, mark.column, mark.line, 0)
    return text.place_at(len(text.content.rstrip()))
