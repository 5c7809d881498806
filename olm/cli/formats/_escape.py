"""Texts as ASCII-only JSON and XML, which any stream can encode."""

from __future__ import annotations

import json
import re
from typing import Any

REPLACEMENT = "\ufffd"
"""The replacement for characters that the format forbids."""

_NOT_ASCII = re.compile("[^\0-\x7f]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    # Unescaped, these would be read as spaces in an attribute.
    | {blank: f"&#{ord(blank)};" for blank in "\t\n\r"}
)


def as_json(value: Any) -> str:
    r"""A value as one line of JSON.

    >>> print(as_json({"file": "é\ud800"}))
    {"file": "\u00e9\ufffd"}
    """
    return _NOT_ASCII.sub(_escaped, json.dumps(value, ensure_ascii=False, allow_nan=False))


def as_xml(text: str) -> str:
    r"""A text escaped for XML, between tags or in double quotes.

    >>> print(as_xml('"a" < é\n\x1b'))
    &quot;a&quot; &lt; &#233;&#10;&#65533;
    """
    clean = _NOT_XML.sub(REPLACEMENT, text).translate(_XML)
    return clean.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _escaped(character: re.Match[str]) -> str:
    # The name of a file may contain half of a surrogate pair, which strict JSON readers reject.
    half = "\ud800" <= character[0] <= "\udfff"
    return json.dumps(REPLACEMENT if half else character[0])[1:-1]
