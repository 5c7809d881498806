"""Scalars by the core schema of YAML 1.2: null, booleans, numbers and strings."""

from __future__ import annotations

import re
from math import isinf

from olm.problem import clipped

MAX_DIGITS = 309
"""The most digits of an integer: a longer one overflows a float64."""

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_HALF_CHARACTER = "[\ud800-\udfff]"
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class ScalarError(ValueError):
    """A scalar that is invalid in a spec; `code` is the code of the problem."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def plain(text: str) -> bool | int | float | str | None:
    """The value of a scalar without quotes.

    >>> [plain(text) for text in ("1e-4", "1e3", "010", "0x1F", "no", "1_000", "1:30", "~")]
    [0.0001, 1000.0, 10, 31, 'no', '1_000', '1:30', None]

    Raises:
        ScalarError: the number overflows, or is infinite or NaN.
    """
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMBER_STARTS else text


def for_every_reader(text: str) -> str:
    """A number in a form that YAML 1.1, YAML 1.2 and JSON all read, with the same digits.

    YAML 1.1 reads a number with an exponent as a string unless it has a point and a sign.

    >>> [for_every_reader(text) for text in ("1e-4", "1.5E3", ".5", "+3", "010", "0x1F", "2.")]
    ['1.0e-4', '1.5e+3', '0.5', '3', '10', '31', '2.0']

    Raises:
        ValueError: the text is not a finite number.
    """
    number = plain(text)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"not a number: {clipped(text)!r}")
    if isinstance(number, int):
        return str(number)
    mantissa, exponent, power = text.lower().lstrip("+-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    sign, plus = "-" * (text[0] == "-"), "+" * (power[:1].isdigit())
    return f"{sign}{int(whole or 0)}.{fraction or '0'}{exponent}{plus}{power}"


def quoted(text: str) -> str:
    """The value of a scalar in quotes: itself.

    Raises:
        ScalarError: an escape sequence is half of a character, which libyaml rejects.
    """
    if not text.isascii() and (half := re.search(_HALF_CHARACTER, text)):
        raise ScalarError(
            "syntax", f"\\u{ord(half[0]):x} is half of a surrogate pair: write the character"
        )
    return text


def _number(text: str) -> int | float | str:
    # Most numbers are plain digits; str.isdigit alone accepts digits of other scripts, too.
    if text.isdigit() and text.isascii() and len(text) <= MAX_DIGITS:
        return int(text)
    if _WHOLE.fullmatch(text) or _OTHER_BASE.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ScalarError("number", f"a number of {len(text):,} digits overflows")
        return int(text, 0) if text[1:2] in ("o", "x") else int(text)
    if _FLOAT.fullmatch(text):
        if isinf(number := float(text)):
            raise ScalarError("number", f"the number {clipped(text)} overflows")
        return number
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError("number", f"numbers must be finite, found {text}")
    return text
