"""Syntax that only one of the two parsers accepts. Both reject it, for the same verdicts."""

from __future__ import annotations

import re

from yaml.events import Event, NodeEvent, ScalarEvent

from olm.text.findings import place_of
from olm.text.source import Text

_DIRECTIVE = r"(?:[ \t]*(?:#[^\r\n]*)?[\r\n])*+%"
_COMMENT_AT_ONCE = re.compile(r"[|>][-+0-9]*#")
_COLON_AT_ONCE = re.compile(r":[][{},]")
_AT_ONCE = re.compile(r"\S:[][{},]")


def directive(text: str) -> int | None:
    r"""The index of the % that starts a directive; libyaml stops at unknown directives.

    >>> directive("# ours\n%YAML 1.2\n---\nkind: LinearLR")
    7
    """
    found = re.match(_DIRECTIVE, text) if "%" in text else None
    return found.end() - 1 if found else None


def may_be_disputed(text: str) -> bool:
    """Whether `dispute` must check the nodes of this text. Most texts have no such characters."""
    # To search for single characters is much faster than one pattern for all of them.
    block = "|" in text or ">" in text
    return (
        "?" in text
        or _COLON_AT_ONCE.search(text) is not None
        or (block and _COMMENT_AT_ONCE.search(text) is not None)
    )


def dispute(event: NodeEvent, key: Event | None, text: Text, in_flow: bool) -> str:
    """Why the other parser rejects this node or reads another value; empty if it does not.

    Args:
        event: the scalar, or the start of the list or mapping.
        key: the key of the node, if it has one.
        text: the text that contains the node.
        in_flow: whether the node is between brackets or braces.
    """
    scalar = event if isinstance(event, ScalarEvent) else None
    if scalar and scalar.style in ("|", ">"):
        wrong = _COMMENT_AT_ONCE.match(*_line_from(event, text))
        return "a # that starts a comment needs a space before it" if wrong else ""
    if in_flow and scalar and scalar.implicit[0] and "?" in scalar.value:
        return "between brackets or braces, a text with ? must be in quotes"
    if in_flow and isinstance(key, ScalarEvent) and key.implicit[0]:
        wrong = _AT_ONCE.match(*_line_from(event, text, back=2))
        return "the colon needs a space after it" if wrong else ""
    return ""


def _line_from(event: Event, text: Text, back: int = 0) -> tuple[str, int]:
    place = place_of(text, event, event)
    return text.line(place.line), max(place.column - 1 - back, 0)
