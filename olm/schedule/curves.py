"""The basic shapes of formulas: functions of float64 arrays that broadcast.

Never pass a scalar: numpy rounds ``pow`` and ``exp`` of its own scalars differently. The functions
import numpy, so that specs can be checked without it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import pi
from struct import pack
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[float64]"
Number: TypeAlias = "NDArray[float64] | float"
Choice: TypeAlias = "NDArray[float64] | float | Callable[[], NDArray[float64] | float]"
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

    return clipped(step / over, 1.0) if over > 0 else np.ones_like(step)


def clipped(values: Array, high: float) -> Array:
    """Values between 0 and `high`: those beyond are replaced by the nearer limit.

    >>> import numpy as np
    >>> clipped(np.array([-2.0, 0.5, 9.0]), high=4.0)
    array([0. , 0.5, 4. ])
    """
    import numpy as np

    # Looking takes half the time of clipping. The bits of negative numbers and NaN are larger.
    inside = values.view("u8").max(initial=0) <= bits(high)
    return values if inside else np.clip(values, 0.0, high)


def bits(number: float) -> int:
    """The bits of a float of at least 0 as an integer, which sorts like the float."""
    return int.from_bytes(pack("<d", number), "little")


def quotient(step: Array, size: int) -> Array:
    """How many times a size fits into a step, rounded down.

    >>> import numpy as np
    >>> quotient(np.array([0.0, 2.5, 3.0, 7.0]), 3)
    array([0., 0., 1., 2.])
    """
    import numpy as np

    # Exact, as `//` is, and ten times as fast. A division may round up to a whole number.
    times = np.floor(step / size)
    beyond = times * size > step
    return times - beyond if beyond.any() else times


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

        def product() -> Array:
            within = np.minimum(done, 1)
            powers: Array = start ** (1 - within) * end**within
            return powers

        # Far beyond the end one of two such powers overflows, although their product is small.
        return where(done <= 1, product, lambda: start * (end / start) ** done)
    if space == "inverse":
        import numpy as np

        # One over a rate that is tiny overflows; a power of two changes no digit.
        scale = np.where(np.minimum(start, end) < 1e-300, 2.0**700, 1.0)
        value = 1 / ((1 - done) / (start * scale) + done / (end * scale)) / scale
        return where(done == 0, start, lambda: where(done == 1, end, value))
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
        return number, number * period, np.ones(1)
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
    if (whole == values).all():
        return values
    return np.where(abs(values - whole) <= 1e-13 * whole, whole, values)


def where(condition: NDArray[bool_], then: Choice, otherwise: Choice) -> Array:
    """`then` where the condition is true, `otherwise` elsewhere.

    A function is called only if one of its values is needed, and then for all steps. So a block of
    steps on one side of a boundary costs one of the two.

    >>> import numpy as np
    >>> where(np.array([0.0, 1.0, 2.0]) < 2, 0.5, 0.1)
    array([0.5, 0.5, 0.1])
    >>> where(np.array([0.0, 1.0]) < 2, lambda: np.array([0.5]), lambda: 1 / 0)
    array([0.5])
    """
    import numpy as np

    if condition.all():
        return _values(then, condition)
    rates = _values(otherwise, condition)
    if not condition.any():
        return rates
    chosen = then() if callable(then) else then
    shape = np.broadcast_shapes(condition.shape, np.shape(chosen), rates.shape)
    # Up to twice as fast as `np.where`.
    every = np.array(np.broadcast_to(rates, shape))
    np.copyto(every, chosen, where=condition)
    return every


def _values(choice: Choice, like: NDArray[Any]) -> Array:
    """A choice as an array: a number in the shape of another one."""
    import numpy as np

    values = choice() if callable(choice) else choice
    return np.full(like.shape, values) if isinstance(values, float) else values


def pieces(
    step: Array, base: Array | Sequence[Array], parts: Sequence[tuple[int, Formula]]
) -> Array:
    """One formula after another, each evaluated only at its own steps, counted from its start.

    Args:
        step: the steps.
        base: the base rates, or those of each formula.
        parts: the steps at which the formulas take over, in ascending order from 0 on, each with
            its formula.

    >>> import numpy as np
    >>> up, flat = lambda step, base: base * step / 2, lambda step, base: base
    >>> pieces(np.arange(4.0), np.array([0.5]), [(0, up), (2, flat)])
    array([0.  , 0.25, 0.5 , 0.5 ])
    """
    import numpy as np

    bases = base if isinstance(base, Sequence) else [base] * len(parts)
    shape = np.broadcast_shapes(step.shape, bases[0].shape)
    if step.ndim < len(shape) or step.size != shape[0]:
        steps, *bases = (np.broadcast_to(array, shape).ravel() for array in (step, *bases))
        return np.broadcast_to(pieces(steps, bases, parts), steps.size).reshape(shape)
    needed = covering([start for start, _ in parts], step)
    if len(needed) == 1:
        start, formula = parts[needed[0]]
        return formula(step - start, bases[needed[0]])
    rates = np.empty(shape)
    of_row = step.ravel()
    ascending = bool((of_row[1:] >= of_row[:-1]).all())
    order = None if ascending else np.argsort(of_row, kind="stable")
    later = [parts[index][0] for index in needed[1:]]
    edges = [0, *np.searchsorted(of_row, later, sorter=order).tolist(), len(of_row)]
    for index, (first, end) in zip(needed, pairwise(edges), strict=True):
        if first < end:
            mine = slice(first, end) if order is None else order[first:end]
            start, formula = parts[index]
            rates[mine] = formula(
                rows_of(step, mine, shape) - start, rows_of(bases[index], mine, shape)
            )
    return rates


def covering(starts: Sequence[int], step: Array) -> range:
    """The indices of the stages in which some steps lie, and of those between them.

    Args:
        starts: the first steps of the stages, in ascending order. The first stage includes the
            steps before it.
        step: the steps.

    >>> import numpy as np
    >>> covering([0, 10, 20, 30], np.array([12.0, 21.0]))
    range(1, 3)
    """
    first = bisect_right(starts, float(step.min())) - 1
    last = bisect_right(starts, float(step.max())) - 1
    return range(max(first, 0), max(last, 0) + 1)


def rows_of(values: NDArray[Any], rows: slice | NDArray[Any], shape: tuple[int, ...]) -> Array:
    """Some rows of an array that broadcasts to a shape, as float64."""
    every_row = values.ndim < len(shape) or len(values) == 1
    return (values if every_row else values[rows]).astype(float, copy=False)
