"""The basic shapes of formulas: functions of float64 arrays that broadcast.

Never pass a scalar: numpy rounds ``pow`` and ``exp`` of its own scalars differently. The functions
import numpy, so that specs can be checked without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[float64]"
Number: TypeAlias = "NDArray[float64] | float"
Formula: TypeAlias = "Callable[[Array, Array], Array]"
Ease: TypeAlias = Literal["linear", "cosine", "polynomial", "power", "logarithmic"]
Space: TypeAlias = Literal["linear", "log", "inverse"]


def ramp(step: Array, over: float) -> Array:
    """The progress: 0 at step 0 and before, 1 from `over` on; 1 everywhere if `over` is 0.

    >>> import numpy as np
    >>> ramp(np.array([0.0, 1.0, 4.0, 9.0]), over=4)
    array([0.  , 0.25, 1.  , 1.  ])
    """
    import numpy as np

    return np.clip(step / over, 0.0, 1.0) if over > 0 else np.ones_like(step)


def line(start: Number, end: Number, done: Array) -> Array:
    """A straight line from `start` to `end` by the progress `done`, exact at both ends.

    >>> import numpy as np
    >>> line(0.5, 0.1, np.array([0.0, 0.5, 1.0]))
    array([0.5, 0.3, 0.1])
    """
    return start * (1 - done) + end * done


def half_cosine(angle: Array) -> Array:
    """Half a cosine wave, from 2 at angle 0 to 0 at angle π: twice the remaining share.

    >>> import numpy as np
    >>> half_cosine(np.array([0.0, np.pi]))
    array([2., 0.])
    """
    import numpy as np

    return 1 + np.cos(angle)


def eased(ease: str, done: Array, power: float = 1.0, steps: int = 1) -> Array:
    """A progress that rises from 0 to 1 as `done` does, along another curve.

    Args:
        ease: one of `Ease`.
        done: the progress.
        power: the exponent of ``polynomial`` and ``power``.
        steps: the number of steps, for ``logarithmic``.

    >>> import numpy as np
    >>> eased("cosine", np.array([0.0, 0.5, 1.0]))
    array([0. , 0.5, 1. ])
    >>> eased("power", np.array([0.0, 0.25, 1.0]), power=0.5)
    array([0. , 0.5, 1. ])
    """
    import numpy as np

    match ease:
        case "cosine":
            risen: Array = (1 - np.cos(pi * done)) / 2
        case "polynomial":
            # Anything to the power of 0 is 1, also 0: both ends are given even then.
            risen = 1 - (1 - done) ** power if power else np.where(done < 1, 0.0, 1.0)
        case "power":
            risen = done**power if power else np.where(done > 0, 1.0, 0.0)
        case "logarithmic":
            risen = np.log1p(done * steps) / np.log1p(float(steps))
        case _:
            risen = done
    return risen


def between(start: Number, end: Number, done: Array, space: str) -> Array:
    """From `start` to `end`, linearly in a space, exact at both ends.

    Args:
        start: the value where `done` is 0.
        end: the value where `done` is 1.
        done: the progress.
        space: what is interpolated linearly: the value (``linear``), its logarithm (``log``), or
            its inverse (``inverse``).

    >>> import numpy as np
    >>> between(1.0, 0.25, np.array([0.0, 0.5, 1.0]), "log")
    array([1.  , 0.5 , 0.25])
    >>> between(1.0, 0.25, np.array([0.0, 0.5, 1.0]), "inverse")
    array([1.  , 0.4 , 0.25])
    >>> between(0.5, 0.25, np.array([9.0, 2000.0]), "log")
    array([0.00097656, 0.        ])
    """
    if space == "log":
        import numpy as np

        within = np.minimum(done, 1)
        value = start ** (1 - within) * end**within
        if (done <= 1).all():
            return value
        # Far beyond the end one of two such powers overflows, although their product is small.
        return where(done <= 1, value, start * (end / start) ** done)
    if space == "inverse":
        import numpy as np

        # One over a rate that is tiny overflows; a power of two changes no digit.
        scale = np.where(np.minimum(start, end) < 1e-300, 2.0**700, 1.0)
        value = 1 / ((1 - done) / (start * scale) + done / (end * scale)) / scale
        return where(done == 0, start, where(done == 1, end, value))
    return line(start, end, done)


def cycles(step: Array, period: int, growth: float) -> tuple[Array, Array, Array]:
    """The cycle of a step, counted from 0, with the step at which it starts and its length.

    The length is in periods.

    >>> import numpy as np
    >>> cycles(np.array([0.0, 9.0, 10.0, 29.0, 30.0]), period=10, growth=2.0)
    (array([0., 0., 1., 1., 2.]), array([ 0.,  0., 10., 10., 30.]), array([1., 1., 2., 2., 4.]))
    """
    import numpy as np

    if growth == 1:
        number = np.floor(step / period)
        return number, number * period, np.ones_like(step)
    # The logarithm may be off by a rounding exactly where a cycle starts.
    # Cycles that shrink have an end, beyond which the number is only large.
    grown = np.maximum(step * (growth - 1) / period, -1 + 1e-15)
    number = np.floor(np.log1p(grown) / np.log(growth))
    later = step >= cycle_start(number + 1, period, growth)
    number = number + later - (step < cycle_start(number, period, growth))
    return number, cycle_start(number, period, growth), growth**number


def cycle_start(number: Array, period: int, growth: float) -> Array:
    """The step at which each of some cycles starts, which need not be whole.

    >>> import numpy as np
    >>> cycle_start(np.array([0.0, 1.0, 2.0, 3.0]), period=10, growth=1.1)
    array([ 0. , 10. , 21. , 33.1])
    """
    import numpy as np

    if abs(growth - 1) < 0.01:
        # Near 1 the difference of the powers would lose digits.
        lengths = np.expm1(number * np.log1p(growth - 1))
    else:
        lengths = growth**number - 1
    return whole_on_paper(period * lengths / (growth - 1))


def whole_on_paper(values: Array) -> Array:
    """Values, in which those within a rounding of a whole number are replaced by it.

    >>> import numpy as np
    >>> whole_on_paper(np.array([0.1 * 3, 3 / 0.1 * 0.1, 1.1 * 1.1 * 100]))
    array([  0.3,   3. , 121. ])
    """
    import numpy as np

    whole = np.rint(values)
    return np.where(abs(values - whole) <= 1e-13 * whole, whole, values)


def where(condition: NDArray[bool_], then: Number, otherwise: Number) -> Array:
    """`then` where the condition is true, `otherwise` elsewhere; both are evaluated everywhere.

    >>> import numpy as np
    >>> where(np.array([0.0, 1.0, 2.0]) < 2, 0.5, 0.1)
    array([0.5, 0.5, 0.1])
    """
    import numpy as np

    # Up to twice as fast as `np.where`.
    rates = np.empty(np.broadcast(condition, then, otherwise).shape)
    rates[...] = otherwise
    np.copyto(rates, then, where=condition)
    return rates


def pieces(step: Array, base: Array, parts: Sequence[tuple[int, Formula]]) -> Array:
    """One formula after another, each evaluated only at its own steps, counted from its start.

    Args:
        step: the steps.
        base: the base rates.
        parts: the steps at which the formulas take over, in ascending order from 0 on, each with
            its formula.

    >>> import numpy as np
    >>> up, flat = lambda step, base: base * step / 2, lambda step, base: base
    >>> pieces(np.arange(4.0), np.array([0.5]), [(0, up), (2, flat)])
    array([0.  , 0.25, 0.5 , 0.5 ])
    """
    import numpy as np

    shape = np.broadcast_shapes(step.shape, base.shape)
    if step.ndim < len(shape) or step.size != shape[0]:
        steps, bases = np.broadcast_arrays(step, base)
        return pieces(steps.ravel(), bases.ravel(), parts).reshape(shape)
    rates = np.empty(shape)
    of_row = step.ravel()
    ends = [start for start, _ in parts[1:]] + [np.inf]
    for (start, formula), end in zip(parts, ends, strict=True):
        mine = (of_row >= start) & (of_row < end)
        if mine.all():
            return np.broadcast_to(formula(step - start, base), shape)
        if mine.any():
            rates[mine] = formula(rows_of(step, mine, shape) - start, rows_of(base, mine, shape))
    return rates


def rows_of(values: NDArray[Any], rows: slice | NDArray[bool_], shape: tuple[int, ...]) -> Array:
    """Some rows of an array that broadcasts to a shape, as float64."""
    every_row = values.ndim < len(shape) or len(values) == 1
    return (values if every_row else values[rows]).astype(float, copy=False)
