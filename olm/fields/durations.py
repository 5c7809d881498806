"""How long something lasts, in the unit that its author thinks in: 3%, 2ep, 1.5e6sp, 20e9tok."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from pydantic_core import SchemaSerializer, core_schema

UNITS = {
    "%": ("total_steps", "of the run"),
    "dur": ("total_steps", "of the run"),
    "ep": ("steps_per_epoch", "epochs"),
    "sp": ("samples_per_step", "samples"),
    "tok": ("tokens_per_step", "tokens"),
}
"""A unit → what a clock must know to count it in steps, and what it counts.

The suffixes are MosaicML Composer's, whose ``dur`` is a share of the run, and the per cent sign.
"""

REST = "rest"
"""What a schedule has left of its turn, or of the run: the one duration without a number."""

SUCH_AS = "3%, 2ep or 20e9tok"
"""Examples, for messages."""

_NUMBER = r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,16})?(?:[eE][+-]?[0-9]{1,2})?"
_WRITTEN = re.compile(rf"(-?{_NUMBER})({'|'.join(UNITS)})")


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of steps that only a clock knows. It has no order, and nothing is added to it.

    >>> duration("3%")
    '3%'
    >>> duration("3%") == duration("0.03dur")
    True
    """

    amount: Fraction
    """How many of the unit; of the run, the share; 0 for the rest."""
    unit: str
    """The unit, with ``dur`` for a per cent as well, or ``rest``."""
    text: str = field(compare=False)
    """As it was written."""

    # pydantic asks what it meets, and writes the text.
    __pydantic_serializer__: ClassVar[SchemaSerializer] = SchemaSerializer(
        core_schema.any_schema(serialization=core_schema.to_string_ser_schema(when_used="always"))
    )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return repr(self.text)

    @property
    def needs(self) -> str:
        """The field of a clock that says how many steps it is."""
        return UNITS.get(self.unit, UNITS["dur"])[0]


THE_REST = Duration(Fraction(0), REST, REST)
"""What is left."""


def duration(text: str) -> Duration | None:
    """The duration that a text says; None if it says none.

    >>> duration("20e9tok").amount
    Fraction(20000000000, 1)
    >>> duration("10 %")
    """
    if text == REST:
        return THE_REST
    written = _WRITTEN.fullmatch(text)
    if written is None:
        return None
    amount, unit = Fraction(Decimal(written[1])), written[2]
    return Duration(amount / 100, "dur", text) if unit == "%" else Duration(amount, unit, text)


def pattern(*, zero: bool = True, negative: bool = False, rest: bool = True) -> str:
    """The regular expression of the durations that a field takes, for a JSON Schema.

    Args:
        zero: whether there may be none of the unit.
        negative: whether it may go back.
        rest: whether it may be the rest.
    """
    some = "" if zero else "(?=[0-9.]*[1-9])"
    words = f"{REST}|" if rest else ""
    # Python's `$` takes a line end for an end.
    return rf"^(?:{words}{some}{'-?' if negative else ''}{_NUMBER}(?:{'|'.join(UNITS)}))$(?!\n)"


_MEANT = {
    word: unit
    for unit, words in {
        "%": "% percent pct",
        "dur": "dur duration run runs",
        "ep": "ep eps epoch epochs",
        "sp": "sp sps sample samples example examples sequence sequences",
        "tok": "tok toks token tokens",
        "": "st step steps ba batch batches it its iter iters iteration iterations update updates",
        "time": "s sec secs second seconds min mins minute minutes h hour hours d day days",
    }.items()
    for word in words.split()
}
"""What units are called elsewhere; the empty one is the optimizer step, and time is none."""

_TIMES = {"k": 3, "thousand": 3, "m": 6, "million": 6, "b": 9, "g": 9, "billion": 9}
_TIMES |= {"t": 12, "trillion": 12}

_LOOSE = re.compile(
    r"(?P<number>[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?P<exponent>e[+-]?[0-9]{1,2})?\s*"
    rf"(?P<times>{'|'.join(_TIMES)})?\s*(?P<unit>{'|'.join(_MEANT)})",
    re.IGNORECASE,
)


def hint_of(text: str) -> tuple[str, str | None]:
    """What to do about a text that is no duration, and what to write where that is certain.

    >>> [hint_of(text)[1] for text in ("10 %", "2 epochs", "20Btok", "1_000 steps", ".5dur")]
    ['10%', '2ep', '20e9tok', '1000', '0.5dur']
    >>> hint_of("-3ep"), hint_of("90 min")
    (('nothing lasts less than 0', None), ('a schedule counts steps, not time', None))
    """
    if (right := _meant(text.strip().removeprefix("+"))) is not None:
        return f"write {right}", right
    if text.startswith("-") and (duration(text[1:]) or _meant(text[1:])):
        return "nothing lasts less than 0", None
    loose = _LOOSE.fullmatch(text)
    if loose and _MEANT[loose["unit"].lower()] == "time":
        return "a schedule counts steps, not time", None
    return "", None


def _meant(text: str) -> str | None:
    """How a duration, or a number of steps, is written that is nearly one."""
    if text.lower() == REST:
        return REST
    loose = _LOOSE.fullmatch(text)
    if loose is None or (loose["times"] and loose["exponent"]):
        return None
    number, unit = loose["number"].replace("_", ""), _MEANT[loose["unit"].lower()]
    number = "0" + number if number.startswith(".") else number.removesuffix(".")
    exponent = f"e{_TIMES[loose['times'].lower()]}" if loose["times"] else loose["exponent"] or ""
    if unit:
        return written if duration(written := f"{number}{exponent}{unit}") else None
    steps = Decimal(number + exponent)
    return str(int(steps)) if steps == int(steps) and steps <= 2**53 else None
