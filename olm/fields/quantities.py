"""The sorts of quantities that fields have, and conversions from those of other libraries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_origin

from pydantic.fields import FieldInfo

from olm.fields.durations import EPOCH, PERCENT, SAMPLE, TOKEN, Unit, duration, hint_of
from olm.fields.types import FactorNumber, RateNumber, StepCount, numbers_of
from olm.problem import SHOWN

STEPS = "a number of steps"
STEP_LIST = "a list of steps"
LENGTHS = "a list of lengths"
RATE = "a rate"
SHARE = "a share of the base rate"
SHARES = "a list of shares of the base rate"

OF_THE_RUN = "a share of the run"
SHARES_OF_THE_RUN = "a list of shares of the run"
SAMPLES = "a number of samples"
TOKENS = "a number of tokens"
EPOCHS = "a number of epochs"
EPOCHS_OR_STEPS = "a number of epochs or steps"
TIME = "a time such as 10ep"

_UNITS: dict[str, tuple[Unit | None, ...]] = {
    OF_THE_RUN: (PERCENT,),
    SAMPLES: (SAMPLE,),
    TOKENS: (TOKEN,),
    EPOCHS: (EPOCH,),
    EPOCHS_OR_STEPS: (None, EPOCH),
    TIME: (),
}
"""The units that a plain number of a measure may be in; None for optimizer steps."""

_LISTS = {(SHARES_OF_THE_RUN, LENGTHS): OF_THE_RUN, (EPOCHS_OR_STEPS, STEP_LIST): EPOCHS_OR_STEPS}
"""The lists of other libraries that convert item by item → the sort of their items.

A share of the run is a length, and not a milestone, which is a position.
"""

_MOST_ITEMS = 6
_MOST = 2**53


def measure_of(field: FieldInfo) -> str:
    """The sort of quantity of a field, from its type; empty if it has none of the sorts above.

    >>> from olm.kinds.hold import Table
    >>> [measure_of(field) for field in Table.model_fields.values()]
    ['', 'a list of steps', 'a list of shares of the base rate', '']
    """
    is_list = get_origin(field.annotation) is tuple
    match next(numbers_of(field), None):
        case StepCount(rest=rest):
            return (LENGTHS if rest else STEP_LIST) if is_list else STEPS
        case RateNumber() if not is_list:
            return RATE
        case FactorNumber():
            return SHARES if is_list else SHARE
    return ""


def in_ours(measure: str, ours: str, value: Any) -> tuple[str, ...]:
    """The possible conversions of a value of another library, as a spec writes them.

    Args:
        measure: the sort of the value.
        ours: the sort of the field.
        value: the value.

    Returns:
        One text or more; empty if there is no conversion.

    >>> in_ours(OF_THE_RUN, STEPS, 0.03), in_ours(TIME, STEPS, "10ba")
    (('3%',), ('10',))
    >>> in_ours(EPOCHS_OR_STEPS, STEPS, 5)
    ('5', '5ep')
    >>> in_ours(SHARES_OF_THE_RUN, LENGTHS, [0.1, 0.4, 0.5])
    ('[10%, 40%, 50%]',)
    """
    if ours == STEPS and measure in _UNITS:
        return _steps(measure, value)
    item = _LISTS.get((measure, ours))
    if item is None or not isinstance(value, list) or not 0 < len(value) <= _MOST_ITEMS:
        return ()
    conversions = [_steps(item, number) for number in value]
    if len({*map(len, conversions)}) > 1:
        return ()
    return tuple(f"[{', '.join(items)}]" for items in zip(*conversions, strict=True))


def percent(share: float) -> str:
    """A share of the run as a duration, with all its digits; empty if these are too many.

    >>> percent(0.03), percent(0.0001), percent(1.0)
    ('3%', '0.01%', '100%')
    """
    return _written(_exact(share), PERCENT)


def _steps(measure: str, value: Any) -> tuple[str, ...]:
    """The possible conversions of a value to a number of steps."""
    units = _UNITS[measure]
    if isinstance(value, str):
        return tuple(filter(None, [_with_unit(value, measure)]))
    most = 1 if measure == OF_THE_RUN else _MOST
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        return ()
    if value == 0 and units:
        # 0 is 0 in every unit, and needs no clock.
        return ("0",)
    return tuple(filter(None, (_written(_exact(value), unit) for unit in units)))


def _with_unit(text: str, measure: str) -> str:
    """A text with a unit, as a spec writes it."""
    # An iteration of Composer is not an optimizer step.
    if len(text) > SHOWN or (measure == TIME and "iter" in text.lower()):
        return ""
    return text if duration(text) else hint_of(text)[1] or ""


def _exact(number: float) -> Decimal:
    """The number as written, not the float nearest to it."""
    return Decimal(number if isinstance(number, int) else repr(float(number)))


def _written(amount: Decimal, unit: Unit | None) -> str:
    """A duration or, without a unit, a number of steps; empty if it cannot be written as one."""
    scale = unit.scale if unit else 1
    shown = (amount * scale.denominator / scale.numerator).normalize()
    for style in "fe":
        text = f"{shown:{style}}{unit.suffix if unit else ''}"
        if duration(text) if unit else text.isdigit():
            return text
    return ""
