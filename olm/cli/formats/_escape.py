"""Texts as JSON and as XML that is ASCII, so that no stream can spoil it."""

from __future__ import annotations

import json
import re
from typing import Any

REPLACEMENT = "\ufffd"
"""What stands for a character that the format forbids."""

_NOT_ASCII = re.compile("[^\0-\x7f]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    # Written as they are, these would be read as spaces in an attribute.
    | {blank: f"&#{ord(blank)};" for blank in "\t\n\r"}
)


def as_json(value: Any) -> str:
    r"""A value as one line of JSON.

    >>> print(as_json({"file": "é\ud800"}))
    {"file": "\u00e9\ufffd"}
    """
    return _NOT_ASCII.sub(_escaped, json.dumps(value, ensure_ascii=False, allow_nan=False))


def as_xml(text: str) -> str:
    r"""A text as it stands in XML, between tags or between double quotes.

    >>> print(as_xml('"a" < é\n\x1b'))
    &quot;a&quot; &lt; &#233;&#10;&#65533;
    """
    clean = _NOT_XML.sub(REPLACEMENT, text).translate(_XML)
    return clean.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _escaped(character: re.Match[str]) -> str:
    # The name of a file may have half of a surrogate pair, which strict readers of JSON refuse.
    half = "\ud800" <= character[0] <= "\udfff"
    return json.dumps(REPLACEMENT if half else character[0])[1:-1]
