"""What a YAML parser stumbles over, in our words: the parsers' own differ, and speak of tokens."""

from __future__ import annotations

import yaml
from yaml.error import Mark

from olm.problem import Place, Problem
from olm.text.source import Text

_INDENTED = ("this does not fit the lines above", "is it indented as they are?")
_UNCLOSED = ("the quote that opens here is not closed", "")
_ESCAPE = ("this is no escape sequence", "write the character itself, or two backslashes")

MEANINGS: dict[str, tuple[str, str]] = {
    "expected ':'": ("a key must be followed by a colon and a space", ""),
    "values are not allowed": ("here is a colon too many", "is the line indented as those above?"),
    "entries are not allowed": ("a list must begin on a line of its own", ""),
    "<block end>": _INDENTED,
    "expected key": _INDENTED,
    "expected '-'": _INDENTED,
    "',' or ']'": ("a comma or the closing ] is missing here", ""),
    "',' or '}'": ("a comma or the closing } is missing here", ""),
    "end of stream": _UNCLOSED,
    "document separator": _UNCLOSED,
    "document indicator": _UNCLOSED,
    "node content": ("a value is missing here", ""),
    "cannot start any token": ("a value cannot begin with this character", "put it in quotes"),
    "escape": _ESCAPE,
    "hexadecimal": _ESCAPE,
    "hexdecimal": _ESCAPE,
}
"""What the parsers' messages contain → the message and the hint that are shown instead."""

_AT_THE_START = ("expected ':'", "end of stream", "document separator", "document indicator")
_OPENED_EARLIER = ("',' or ']'", "',' or '}'")


def syntax_problem(error: Exception, text: Text) -> Problem:
    """The problem that a parser raised.

    PyYAML's own parser raises a plain ValueError for an escaped character that there is not; its
    place is unknown.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem("syntax", "this is not YAML", place=text.place_at(0))
    said = error.problem or ""
    start, stop = error.context_mark, error.problem_mark
    words = next((words for words in MEANINGS if words in said), "")
    if not words:
        message = "this is not YAML: " + ", ".join(filter(None, (error.context, said)))
        return Problem("syntax", message, place=_place(text, stop or start))
    message, hint = MEANINGS[words]
    place = _place(text, start if words in _AT_THE_START and start else stop)
    also = (_place(text, start),) if words in _OPENED_EARLIER else ()
    return Problem("syntax", message, hint=hint, place=place, also_places=also)


def _place(text: Text, mark: Mark | None) -> Place:
    """The character at a mark; if there is none, the end of what there is."""
    if mark is None:
        return text.place_at(0)
    if any(line.strip() for line in text.lines[mark.line :]):
        return text.place(mark.line, mark.column, mark.line, 0)
    return text.place_at(len(text.content.rstrip()))
