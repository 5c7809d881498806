"""The root key `rounding`."""

from __future__ import annotations

from typing import Any, get_args

from olm.fields.durations import Rounding
from olm.fields.errors import fix_of, invalid
from olm.fields.imported import there
from olm.problem import Fix, found, listed

WAYS: tuple[str, ...] = get_args(Rounding)
"""The values."""

_NAMES = {
    "nearest": "round half_up half-up",
    "up": "ceil ceiling",
    "down": "floor int trunc truncate",
}

MEANT = {name: way for way, names in _NAMES.items() for name in names.split()}
"""The names that other libraries have for the values."""


def rounding(value: Any) -> Any:
    """How durations are rounded, if it is one of the ways.

    Raises:
        PydanticCustomError: it is none.
    """
    if there(value) in WAYS:
        return value
    ours = MEANT.get(value.lower()) if isinstance(value, str) else None
    words = listed((repr(way) for way in WAYS), "or")
    fix = Fix(ours, in_quotes=True) if ours else fix_of(value, WAYS)
    raise invalid(
        "choice",
        f"must be {words}, found {found(value)}",
        hint=f"did you mean `{fix.text}`?" if fix else "",
        fix=fix,
    )
