"""Evaluation of rates over arrays of steps and base rates, and checks of arguments and results."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from olm.fields.types import MAX_RATE
from olm.problem import OlmError, RateError, found
from olm.schedule.curves import bits, rows_of

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import ArrayLike, NDArray

    from olm.schedule.curves import Array, Formula

AT_ONCE = 65_536
"""How many rates are evaluated at once, at most: their arrays fit into a processor's cache."""

_KEPT = 8 * AT_ONCE
"""The size of an array that is larger than all arrays of a block together, in rates."""

_LARGEST = bits(MAX_RATE)


def evaluate(formula: Formula, steps: NDArray[Any], bases: NDArray[Any]) -> Array:
    """The rates of a formula over arrays of one dimension or more, in the shape they broadcast to.

    The formula gets a block of rows at a time.
    """
    import numpy as np

    shape = np.broadcast_shapes(steps.shape, bases.shape)
    rows = max(1, AT_ONCE // max(1, prod(shape[1:])))
    if shape[0] > rows:
        # Until a larger array was freed, glibc returns the memory of each block to the system.
        np.empty(_KEPT)
    rates = np.empty(shape)
    with np.errstate(all="ignore"):
        for first in range(0, shape[0], rows):
            some = slice(first, first + rows)
            rates[some] = formula(rows_of(steps, some, shape), rows_of(bases, some, shape))
    return rates


def evaluate_checked(formula: Formula, step: ArrayLike, base: ArrayLike, kind: str) -> Any:
    """The rates of a formula as `Schedule.lr` returns them, with each block checked.

    Args:
        formula: the formula.
        step: a whole number, or an array of them of any shape.
        base: a base rate, or an array of them that broadcasts with `step`.
        kind: the kind of the schedule, for errors.

    Raises:
        RateError: a step, a base rate or a rate is not valid.
    """
    import numpy as np

    steps, bases = np.asarray(step), bases_of(base)
    if steps.size and steps.dtype.kind not in "iuf":
        raise _invalid_step(step)
    are_steps = _are_whole if steps.dtype.kind == "f" else _are_natural

    def checked(steps: Array, bases: Array) -> Array:
        if not are_steps(steps):
            raise _invalid_step(step)
        rates = formula(steps, bases)
        if not all_usable(rates):
            raise _unusable(rates, steps, bases, kind)
        return rates

    rates = evaluate(checked, np.atleast_1d(steps), np.atleast_1d(bases))
    return float(rates[0]) if steps.ndim == bases.ndim == 0 else rates


def _are_natural(whole: Array) -> bool:
    """Whether whole numbers are at least 0."""
    return not whole.size or bool(whole.min() >= 0)


def _are_whole(steps: Array) -> bool:
    """Whether numbers are whole and at least 0."""
    import numpy as np

    # Ten times as fast as a remainder.
    return all_usable(steps) and bool((np.floor(steps) == steps).all())


def _invalid_step(step: ArrayLike) -> RateError:
    return RateError(f"step must be a whole number of at least 0, found {found(step)}")


def _unusable(rates: Array, steps: Array, bases: Array, kind: str) -> RateError:
    """The error that some rates are not valid, which names the step of the first."""
    import numpy as np

    rates, steps, _ = np.broadcast_arrays(rates, steps, bases)
    first = np.unravel_index(np.argmin(usable(rates)), rates.shape)
    return RateError(f"{kind}: the rate at step {steps[first]:.0f} would be {rates[first]}")


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
    if not rates.size:
        return True
    # One pass in place of two. The bits of numbers below 0, infinite or NaN are larger; those of
    # -0.0 are too.
    if rates.dtype == "f8" and int(rates.view("u8").max()) <= _LARGEST:
        return True
    # The extremes are NaN if any number is. In float32 the limit would be infinite.
    return float(rates.min()) >= 0 and float(rates.max()) <= MAX_RATE
