"""Evaluation of rates over arrays of steps and base rates, and checks of arguments and results."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from olm.fields.types import MAX_RATE
from olm.problem import OlmError, RateError, found
from olm.schedule.curves import rows_of

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import ArrayLike, NDArray

    from olm.schedule.curves import Array, Formula

AT_ONCE = 131_072
"""How many rates are evaluated at once, at most."""


def evaluate(formula: Formula, steps: NDArray[Any], bases: NDArray[Any]) -> Array:
    """The rates of a formula over arrays of one dimension or more, in the shape they broadcast to.

    The formula gets some rows at a time, so that its intermediate arrays fit into the cache.
    """
    import numpy as np

    shape = np.broadcast_shapes(steps.shape, bases.shape)
    rates = np.empty(shape)
    rows = max(1, AT_ONCE // max(1, prod(shape[1:])))
    with np.errstate(all="ignore"):
        for first in range(0, shape[0], rows):
            some = slice(first, first + rows)
            rates[some] = formula(rows_of(steps, some, shape), rows_of(bases, some, shape))
    return rates


def steps_of(step: ArrayLike) -> NDArray[Any]:
    """Steps as an array of whole numbers of at least 0.

    Raises:
        RateError: a step is not a whole number of at least 0.
    """
    import numpy as np

    steps = np.asarray(step)
    if steps.dtype.kind == "f":
        # Ten times as fast as a remainder.
        whole = all_usable(steps) and bool((np.floor(steps) == steps).all())
    else:
        whole = not steps.size or (steps.dtype.kind in "iu" and bool(steps.min() >= 0))
    if not whole:
        raise RateError(f"step must be a whole number of at least 0, found {found(step)}")
    return steps


def bases_of(base: ArrayLike) -> NDArray[Any]:
    """Base rates as an array.

    Raises:
        RateError: a base rate is negative or not finite.
    """
    import numpy as np

    bases = np.asarray(base)
    if bases.dtype.kind not in "iuf" or not all_usable(bases):
        raise RateError(f"base must be a finite number of at least 0, found {found(base)}")
    return bases


def metric_of(value: Any) -> float:
    """A metric as a float, from a number or an array or tensor with one number; NaN is valid.

    Raises:
        OlmError: the value is not a number.
    """
    try:
        number = value.item() if hasattr(value, "item") else value
        if isinstance(number, int | float) and not isinstance(number, bool):
            return float(number)
    except (ValueError, RuntimeError, OverflowError):
        # Several numbers, or one beyond float64.
        pass
    raise OlmError(f"a metric must be a number, found {found(value)}")


def usable(rates: NDArray[Any]) -> NDArray[bool_]:
    """Which of some numbers are valid rates: finite and at least 0."""
    return (rates >= 0) & (rates <= MAX_RATE)


def all_usable(rates: NDArray[Any]) -> bool:
    """Whether all of some numbers are valid rates."""
    # The extremes are NaN if any number is. In float32 the limit would be infinite.
    return not rates.size or (float(rates.min()) >= 0 and float(rates.max()) <= MAX_RATE)


def check_usable(rates: Array, steps: NDArray[Any], kind: str) -> None:
    """Check that all of some rates are valid.

    Raises:
        RateError: a rate is negative or not finite; the message names the step.
    """
    import numpy as np

    if not all_usable(rates):
        first = np.unravel_index(np.argmin(usable(rates)), rates.shape)
        step = np.broadcast_to(steps, rates.shape)[first]
        raise RateError(f"{kind}: the rate at step {step:.0f} would be {rates[first]}")
