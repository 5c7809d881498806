"""What only one of the two parsers reads. It is refused with both: verdicts are to be the same."""

from __future__ import annotations

import re

from yaml.events import Event, NodeEvent, ScalarEvent

from olm.text.findings import place_of
from olm.text.source import Text

_DIRECTIVE = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?[\r\n])*+%")
_COMMENT_AT_ONCE = re.compile(r"[|>][-+0-9]*#")
_COLON_AT_ONCE = re.compile(r":[][{},]")
_AT_ONCE = re.compile(r"\S:[][{},]")


def directive(text: str) -> int | None:
    r"""The index of the % that begins a directive; libyaml stops at those that it does not know.

    >>> directive("# ours\n%YAML 1.2\n---\nkind: LinearLR")
    7
    """
    found = _DIRECTIVE.match(text) if "%" in text else None
    return found.end() - 1 if found else None


def may_be_disputed(text: str) -> bool:
    """Whether `dispute` has to look at the nodes of this text. Most have no such characters."""
    # Characters that are not there are found to be so much faster than one pattern for all is.
    block = "|" in text or ">" in text
    return (
        "?" in text
        or _COLON_AT_ONCE.search(text) is not None
        or (block and _COMMENT_AT_ONCE.search(text) is not None)
    )


def dispute(event: NodeEvent, key: Event | None, text: Text, in_flow: bool) -> str:
    """Why this node would be none, or another one, for the other parser; nothing if it is the same.

    Args:
        event: the scalar, or the start of the list or mapping.
        key: its key, if it has one.
        text: the text that it stands in.
        in_flow: whether it stands between brackets or braces.
    """
    scalar = event if isinstance(event, ScalarEvent) else None
    if scalar and scalar.style in ("|", ">"):
        wrong = _COMMENT_AT_ONCE.match(*_line_from(event, text))
        return "a space must stand before a # that begins a comment" if wrong else ""
    if in_flow and scalar and scalar.implicit[0] and "?" in scalar.value:
        return "between brackets or braces a text with ? must be in quotes"
    if in_flow and isinstance(key, ScalarEvent) and key.implicit[0]:
        wrong = _AT_ONCE.match(*_line_from(event, text, back=2))
        return "a space must stand after the colon" if wrong else ""
    return ""


def _line_from(event: Event, text: Text, back: int = 0) -> tuple[str, int]:
    place = place_of(text, event, event)
    return text.line(place.line), max(place.column - 1 - back, 0)
