"""Durations in other units than steps: 3%, 2ep, 20e9tok, 20ep-1st. A unit is a line in `UNITS`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, ulp
from typing import ClassVar, Literal, NamedTuple

from pydantic_core import SchemaSerializer, core_schema


def exact(number: float) -> Fraction:
    """The number that a float was written as, or the fraction that it was computed as.

    >>> exact(0.07) * 100, exact(5 / 3) * 3
    (Fraction(7, 1), Fraction(5, 1))
    """
    if isinstance(number, int):
        return Fraction(number)
    written = Fraction(repr(float(number)))
    if float(f"{number:.12g}") == number:
        return written
    # More digits than people write: a quotient, if one is this float that is too simple for chance.
    simple = written.limit_denominator(max(1, int(1e-2 / ulp(number) ** 0.5)))
    return simple if float(simple) == number else written


class Unit(NamedTuple):
    """A unit of durations, with everything that depends on it."""

    suffix: str
    """What follows the number."""
    needs: str
    """The field of a clock that converts it to steps; empty for steps."""
    singular: str
    plural: str
    also: str
    """Its names elsewhere, in lower case, for which the suffix is suggested."""
    scale: Fraction = Fraction(1)
    """Its size: a per cent is a hundredth of the run."""
    example: str = ""
    """A typical duration in it, for help; empty to leave it out there."""
    option: str = ""
    """The help of the option for the clock's field; empty if another unit has it."""
    axis: str = ""
    """The name of the axis in this unit; empty if there is none."""
    fractional: bool = True
    """Whether the axis may have ticks at fractions of it."""

    @property
    def per_step(self) -> bool:
        """Whether the clock's field is the number of units per step, not of steps per unit."""
        return self.needs.endswith("_per_step")

    @property
    def is_share(self) -> bool:
        """Whether it is a share of the run."""
        return self.needs == "total_steps"

    def steps(self, amount: Fraction, value: float) -> Fraction:
        """How many steps an amount of the quantity is, where the clock's field has this value."""
        return amount / exact(value) if self.per_step else amount * exact(value)


PERCENT = Unit(
    suffix="%",
    needs="total_steps",
    singular="of the run",
    plural="of the run",
    also="% percent pct",
    scale=Fraction(1, 100),
    example="3%",
    option="run length in optimizer steps",
    axis="percent",
)
SHARE = Unit(
    suffix="dur",
    needs="total_steps",
    singular="of the run",
    plural="of the run",
    also="dur duration run runs",
)
EPOCH = Unit(
    suffix="ep",
    needs="steps_per_epoch",
    singular="epoch",
    plural="epochs",
    also="ep eps epoch epochs",
    example="2ep",
    option="optimizer steps per epoch",
    axis="epochs",
)
SAMPLE = Unit(
    suffix="sp",
    needs="samples_per_step",
    singular="sample",
    plural="samples",
    also="sp sps sample samples example examples sequence sequences",
    example="1.5e6sp",
    option="samples per optimizer step",
    axis="samples",
    fractional=False,
)
TOKEN = Unit(
    suffix="tok",
    needs="tokens_per_step",
    singular="token",
    plural="tokens",
    also="tok toks token tokens",
    example="20e9tok",
    option="tokens per optimizer step",
    axis="tokens",
    fractional=False,
)

STEP = Unit(
    suffix="st",
    needs="",
    singular="step",
    plural="steps",
    also="st step steps ba batch batches it its iter iters iteration iterations update updates",
)

UNITS = {unit.suffix: unit for unit in (PERCENT, SHARE, EPOCH, SAMPLE, TOKEN, STEP)}
"""The units by their suffixes, which are MosaicML Composer's, the per cent sign, and steps.

Composer's ``dur`` is a share of the run. Steps are a unit for sums; a number alone is in steps.
"""

_WHOLE = {unit.needs: unit for unit in UNITS.values() if unit.scale == 1}
"""The unit that amounts are converted to, by the clock's field."""

Rounding = Literal["nearest", "up", "down"]
"""How the ends of durations are rounded to whole steps; a half to the nearest step is up."""


def nearest(exact: Fraction) -> int:
    """The nearest whole number, a half rounded up.

    >>> [nearest(Fraction(half, 2)) for half in (-1, 1, 3, 4)]
    [0, 1, 2, 2]
    """
    # In whole numbers: a sum of two fractions takes several times as long.
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


_ROUNDED: Mapping[Rounding, Callable[[Fraction], int]]
_ROUNDED = {"nearest": nearest, "up": ceil, "down": floor}


def rounded(exact: Fraction, rounding: Rounding) -> int:
    """A whole number, rounded."""
    return _ROUNDED[rounding](exact)


REST = "rest"
"""The steps that remain of a phase, or of the run: the only duration without a number."""

SUCH_AS = "3%, 2ep or 20e9tok"
"""Examples, for messages."""

WHOLE_RUN_SUCH_AS = "90ep or 300e9tok"
"""Examples of the length of a run."""

MOST_TERMS = 4
"""The most terms of a sum."""

_NUMBER = r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,16})?(?:[eE][+-]?[0-9]{1,2})?"
_SUFFIX = f"(?:{'|'.join(UNITS)})"
_MORE = rf"(?:[+-]{_NUMBER}{_SUFFIX})"
_WRITTEN = re.compile(rf"-?{_NUMBER}{_SUFFIX}{_MORE}{{0,{MOST_TERMS - 1}}}")
_TERM = re.compile(rf"([+-]?)({_NUMBER})({_SUFFIX})")


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of steps that only a clock can compute. Durations have no order and no arithmetic.

    >>> duration("3%")
    '3%'
    >>> duration("3%") == duration("0.03dur")
    True
    >>> duration("20ep-1st").terms
    ((Fraction(20, 1), 'ep'), (Fraction(-1, 1), 'st'))
    """

    terms: tuple[tuple[Fraction, str], ...]
    """What is added up, a term for each field of a clock; empty for `REST`.

    A term is a number of units, and the suffix of the unit, such as ``dur`` for ``%``.
    """
    text: str = field(compare=False)
    """The text as written."""

    # pydantic serializes a duration as its text.
    __pydantic_serializer__: ClassVar[SchemaSerializer] = SchemaSerializer(
        core_schema.any_schema(serialization=core_schema.to_string_ser_schema(when_used="always"))
    )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return repr(self.text)

    @property
    def is_rest(self) -> bool:
        """Whether it is `REST`."""
        return not self.terms

    @property
    def is_zero(self) -> bool:
        """Whether it is written as a single 0. A sum has a value only when it is counted."""
        is_sum = len(_TERM.findall(self.text)) > 1
        return not (is_sum or self.is_rest or self.terms[0][0])

    @property
    def share(self) -> Fraction | None:
        """The share of the run that it is; None if it is not only a share."""
        match self.terms:
            case ((amount, SHARE.suffix),):
                return amount
        return None

    @property
    def words(self) -> str:
        """The duration in words.

        >>> [duration(text).words for text in ("3%", "0.025dur", "1ep", "20e9tok", "rest")]
        ['3% of the run', '2.5% of the run', '1 epoch', '20e9 tokens', 'the remaining steps']
        >>> duration("20ep-1st").words, duration("3%+200st").words
        ('20 epochs minus 1 step', '3% of the run plus 200 steps')
        """
        if self.is_rest:
            return "the remaining steps"
        words = ""
        for sign, number, suffix in _TERM.findall(self.text):
            joint = {"+": " plus ", "-": " minus "}[sign] if words else sign
            words += joint + _in_words(number, UNITS[suffix])
        return words


def _in_words(number: str, unit: Unit) -> str:
    amount = Fraction(Decimal(number))
    if unit.is_share:
        share = float(amount * unit.scale / PERCENT.scale)
        return f"{share:.10g}{PERCENT.suffix} {PERCENT.plural}"
    grouped = f"{int(number):,}" if number.isdigit() else number
    return f"{grouped} {unit.singular if amount == 1 else unit.plural}"


THE_REST = Duration((), REST)
"""The duration `REST`."""


def duration(text: str) -> Duration | None:
    """The duration in a text; None if the text is not a duration.

    >>> duration("20e9tok").terms
    ((Fraction(20000000000, 1), 'tok'),)
    >>> duration("10 %")
    """
    if text == REST:
        return THE_REST
    if _WRITTEN.fullmatch(text) is None:
        return None
    amounts: dict[str, Fraction] = {}
    for sign, number, suffix in _TERM.findall(text):
        unit = UNITS[suffix]
        amount = Fraction(Decimal(sign + number)) * unit.scale
        whole = _WHOLE[unit.needs].suffix
        amounts[whole] = amounts.get(whole, Fraction(0)) + amount
    # Equal durations have equal terms: in one order, and without those that are 0 beside others.
    terms = [(amounts[suffix], suffix) for suffix in UNITS if amounts.get(suffix)]
    return Duration(tuple(terms or [(Fraction(0), next(iter(amounts)))]), text)


def pattern(
    *, zero: bool = True, negative: bool = False, rest: bool = True, shares: bool = True
) -> str:
    """The regular expression of the durations that a field takes, for a JSON Schema.

    Args:
        zero: whether the number may be 0. A sum may be, until it is counted.
        negative: whether the number may be negative.
        rest: whether the duration may be `REST`.
        shares: whether it may be a share of the run.
    """
    suffixes = [unit.suffix for unit in UNITS.values() if shares or not unit.is_share]
    suffix = f"(?:{'|'.join(suffixes)})"
    none = rf"0(?:\.0+)?(?:[eE][+-]?[0-9]{{1,2}})?{suffix}"
    some = "" if zero else f"(?!-?{none}$)"
    words = f"{REST}|" if rest else ""
    more = rf"(?:[+-]{_NUMBER}{suffix}){{0,{MOST_TERMS - 1}}}"
    terms = rf"{'-?' if negative else ''}{_NUMBER}{suffix}{more}"
    # Python's `$` also matches before a final line break.
    return rf"^(?:{words}{some}{terms})$(?!\n)"


_TIME = "s sec secs second seconds min mins minute minutes h hour hours d day days"

_SUFFIXES = {word: unit.suffix for unit in UNITS.values() for word in unit.also.split()}
_SUFFIXES |= dict.fromkeys(_TIME.split(), "time")
"""A name of a unit → its suffix; ``time`` for units of time."""

_TIMES = {"k": 3, "thousand": 3, "m": 6, "million": 6, "b": 9, "g": 9, "billion": 9}
_TIMES |= {"t": 12, "trillion": 12}

_LOOSE = (
    r"(?i)(?P<number>[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?P<exponent>e[+-]?[0-9]{1,2})?\s*"
    rf"(?P<times>{'|'.join(_TIMES)})?\s*(?P<unit>{'|'.join(_SUFFIXES)})"
)


_SIGN = r"(?i)(?<=[a-z%])(?<![0-9.]e)\s*([+-])\s*"
"""A sign between two terms, which is not that of an exponent."""


def hint_of(text: str) -> tuple[str, str | None]:
    """The hint for a text that is not a duration, and the duration to write if it is certain.

    >>> [hint_of(text)[1] for text in ("10 %", "2 epochs", "20Btok", "1_000 steps", ".5dur")]
    ['10%', '2ep', '20e9tok', '1000', '0.5dur']
    >>> hint_of("20 epochs - 1 step")[1], hint_of("3% + 200")[1]
    ('20ep-1st', '3%+200st')
    >>> hint_of("-3ep"), hint_of("90 min")
    (('a duration must not be negative', None), ('durations are not in units of time', None))
    """
    if (right := _corrected(text.strip().removeprefix("+"))) is not None:
        return f"write {right}", right
    if text.startswith("-") and (duration(text[1:]) or _corrected(text[1:])):
        return "a duration must not be negative", None
    first, *more = re.split(_SIGN, text)
    loose = re.fullmatch(_LOOSE, text)
    if loose and _SUFFIXES[loose["unit"].lower()] == "time":
        return "durations are not in units of time", None
    if REST in (first, *more) and more:
        return f"`{REST}` must not be part of a sum", None
    return "", None


def _corrected(text: str) -> str | None:
    """The right spelling of a text that is nearly a duration or a number of steps."""
    if text.lower() == REST:
        return REST
    first, *more = re.split(_SIGN, text)
    if not more:
        return _corrected_term(text)
    signs, terms = ["", *more[::2]], [first, *more[1::2]]
    right = [_corrected_term(term) or _corrected_term(f"{term}{STEP.suffix}") for term in terms]
    units = [f"{term}{STEP.suffix}" if str(term).isdigit() else str(term) for term in right]
    written = "".join(sign + term for sign, term in zip(signs, units, strict=True))
    return written if duration(written) else None


def _corrected_term(text: str) -> str | None:
    """The right spelling of a single term; a number if it is in steps."""
    loose = re.fullmatch(_LOOSE, text)
    if loose is None or (loose["times"] and loose["exponent"]):
        return None
    number, unit = loose["number"].replace("_", ""), _SUFFIXES[loose["unit"].lower()]
    number = "0" + number if number.startswith(".") else number.removesuffix(".")
    exponent = f"e{_TIMES[loose['times'].lower()]}" if loose["times"] else loose["exponent"] or ""
    if unit != STEP.suffix:
        return written if duration(written := f"{number}{exponent}{unit}") else None
    steps = Decimal(number + exponent)
    return str(int(steps)) if steps == int(steps) and steps <= 2**53 else None
