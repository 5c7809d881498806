"""Syntax errors in plain words: the messages of the parsers differ, and are about tokens."""

from __future__ import annotations

import yaml
from yaml.error import Mark

from olm.problem import Place, Problem
from olm.text.source import Text

_INDENTED = ("this line does not continue the lines above", "does its indentation match theirs?")
_UNCLOSED = ("this quote is never closed", "")
_ESCAPE = ("invalid escape sequence", "write the character itself, or two backslashes")

MEANINGS: dict[str, tuple[str, str]] = {
    "expected ':'": ("a key must be followed by a colon and a space", ""),
    "values are not allowed": ("unexpected ':'", "does the indentation match the lines above?"),
    "entries are not allowed": ("a list must start on a line of its own", ""),
    "<block end>": _INDENTED,
    "expected key": _INDENTED,
    "expected '-'": _INDENTED,
    "',' or ']'": ("missing comma or closing ]", ""),
    "',' or '}'": ("missing comma or closing }", ""),
    "end of stream": _UNCLOSED,
    "document separator": _UNCLOSED,
    "document indicator": _UNCLOSED,
    "node content": ("missing value", ""),
    "cannot start any token": (
        "a value cannot start with this character",
        "put it in quotes",
    ),
    "escape": _ESCAPE,
    "hexadecimal": _ESCAPE,
    "hexdecimal": _ESCAPE,
}
"""A part of a parser's message → the message and the hint to report instead."""

_AT_THE_START = ("expected ':'", "end of stream", "document separator", "document indicator")
_OPENED_EARLIER = ("',' or ']'", "',' or '}'")


def syntax_problem(error: Exception, text: Text) -> Problem:
    """The problem for an error of a parser.

    PyYAML's own parser raises a plain ValueError for an escape of a character that does not exist;
    its place is unknown.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem("syntax", "invalid YAML", place=text.place_at(0))
    found = error.problem or ""
    start, stop = error.context_mark, error.problem_mark
    words = next((words for words in MEANINGS if words in found), "")
    if not words:
        message = "invalid YAML: " + ", ".join(filter(None, (error.context, found)))
        return Problem("syntax", message, place=_place(text, stop or start))
    message, hint = MEANINGS[words]
    place = _place(text, start if words in _AT_THE_START and start else stop)
    also = (_place(text, start),) if words in _OPENED_EARLIER else ()
    return Problem("syntax", message, hint=hint, place=place, also_places=also)


def _place(text: Text, mark: Mark | None) -> Place:
    """The character at a mark or, after the last character, that one."""
    if mark is None:
        return text.place_at(0)
    if any(line.strip() for line in text.lines[mark.line :]):
        return text.place(mark.line, mark.column, mark.line, 0)
    return text.place_at(len(text.content.rstrip()))
