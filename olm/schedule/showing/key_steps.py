"""The key steps of a schedule, with their rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy import int64
    from numpy.typing import NDArray

    from olm.schedule.schedule import Schedule
    from olm.spec.target_curves import Curve

    Shape: TypeAlias = Schedule | Curve

GRID = 200_000
"""The most steps that are evaluated, besides those at which the shape changes."""

ROUNDING = 1e-12
"""By which share rates may differ that are equal on paper."""


class KeyStep(NamedTuple):
    """A step, its rate, and why it is listed."""

    step: int
    rate: float
    why: str


def key_steps(
    schedule: Shape,
    base: float,
    total: int,
    run: int | None = None,
    also: Iterable[tuple[int, str]] = (),
) -> list[KeyStep]:
    """The first step, the peak, halfway down, where each part begins, and the last steps.

    A schedule without an end, in a run of unknown length, has neither a last training step nor a
    final rate: the last step of the picture is then listed as such.

    Args:
        schedule: the schedule, or the curve of a target.
        base: the base rate.
        total: the last step to consider.
        run: the run length in steps, if known; its end is then listed, too.
        also: other steps to list, each with why.

    >>> from olm.kinds.warmup import WarmupCosine
    >>> for key in key_steps(WarmupCosine(warmup_steps=2, total_steps=10), base=0.5, total=10):
    ...     print(key.step, round(key.rate, 3), key.why)
    0 0.25 first step
    1 0.5 peak
    6 0.25 halfway down
    9 0.019 last training step
    10 0.0 final rate, held
    """
    reasons: dict[int, list[str]] = {}
    shape, ends = _reasons(schedule, base, total, run), _ends(schedule, total, run)
    for step, why in (*shape, *ends, *also):
        reasons.setdefault(step, []).append(why)
    return [
        KeyStep(step, schedule.lr(step, base), ", ".join(reasons[step])) for step in sorted(reasons)
    ]


def _reasons(
    schedule: Shape, base: float, total: int, run: int | None
) -> Iterator[tuple[int, str]]:
    steps = _grid(total, schedule.marks())
    rates = schedule.lr(steps, base)
    yield 0, "first step"
    is_held, high = _held_from(schedule, total) is not None, rates.max() * (1 - ROUNDING)
    highest = int((rates >= high).argmax())
    if highest and rates[highest:].min() < high:
        yield int(steps[highest]), "peak"
    elif highest and is_held:
        yield int(steps[highest]), "highest rate"
    # What goes on beyond the picture has no end to be halfway to.
    if (is_held or run == total) and rates[-1] < high:
        middle = (rates[highest] + rates[-1]) / 2
        below = int((rates[highest:] <= middle).argmax())
        around = steps[highest + below - 1 :][:2]
        yield _first_below(schedule, base, around, middle), "halfway down"
    for start, _, part in schedule.parts():
        if 0 < start < total:
            yield start, f"{part.kind} begins"


def _ends(schedule: Shape, total: int, run: int | None) -> Iterator[tuple[int, str]]:
    """The last training step, and the ends of the schedule and of the run, if they have one."""
    held, end = _held_from(schedule, total), schedule.ends_at()
    end = end if end and end <= total else None
    if run is not None and run <= total:
        yield run - 1, "last training step"
        yield run, "end of the run"
    elif run is None and end is not None:
        yield end - 1, "last training step"
    if held is not None and end is not None:
        yield max(held, end), "final rate, held" if run is None else "end of the schedule, held"
    elif held is not None:
        yield held, "held from here"
    elif run is None or run > total:
        yield total, "last step shown"


def _held_from(schedule: Shape, total: int) -> int | None:
    """The step from which on the rate holds, if that is within the picture."""
    held = schedule.holds_from()
    # What a metric may change is not held.
    return held if held is not None and held <= total and not schedule.metric_driven else None


def _grid(total: int, marks: list[int]) -> NDArray[int64]:
    """Steps from 0 to `total`, including those next to each change of shape."""
    import numpy as np

    if total <= GRID:
        return np.arange(total + 1)
    near = [step for mark in marks for step in (mark - 1, mark, mark + 1) if 0 <= step <= total]
    even = np.linspace(0, total, GRID + 1).round().astype(np.int64)
    steps = np.sort(np.concatenate([even, np.array(near, np.int64)]), kind="stable")
    # `np.unique` takes a hundred times as long for steps that are almost in order.
    distinct: NDArray[int64] = steps[np.append(True, steps[1:] > steps[:-1])]
    return distinct


def _first_below(schedule: Shape, base: float, between: NDArray[int64], middle: float) -> int:
    """The first step after `between[0]`, and up to `between[1]`, whose rate is at most `middle`."""
    first, last = map(int, between)
    while last - first > 1:
        steps = _grid(last - first, []) + first
        below = int((schedule.lr(steps[1:], base) <= middle).argmax())
        first, last = map(int, steps[below : below + 2])
    return last
