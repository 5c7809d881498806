"""The steps of a schedule that people ask about, with their rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy import int64
    from numpy.typing import NDArray

    from olm.schedule.schedule import Schedule

GRID = 200_000
"""How many steps are looked at, at most, besides those at which the shape changes."""


class KeyStep(NamedTuple):
    """A step, its rate, and why it is told."""

    step: int
    rate: float
    why: str


def key_steps(schedule: Schedule, base: float, total: int, run: int | None = None) -> list[KeyStep]:
    """The first step, the peak, each change of schedule, half way down, the last step and the end.

    Args:
        schedule: the schedule.
        base: the base rate.
        total: the last step that is looked at.
        run: how many steps the run has, if that is known: where it ends is then told, too.

    >>> from olm.kinds.warmup import WarmupCosine
    >>> for key in key_steps(WarmupCosine(warmup_steps=2, total_steps=10), base=0.5, total=10):
    ...     print(key.step, round(key.rate, 3), key.why)
    0 0.25 the first step
    1 0.5 the peak
    6 0.25 half way down
    9 0.019 the last step that trains
    10 0.0 the end, which stays
    """
    reasons: dict[int, list[str]] = {}
    for step, why in (*_reasons(schedule, base, total), *_ends(schedule, total, run)):
        reasons.setdefault(step, []).append(why)
    return [
        KeyStep(step, schedule.lr(step, base), ", ".join(reasons[step])) for step in sorted(reasons)
    ]


def _reasons(schedule: Schedule, base: float, total: int) -> Iterator[tuple[int, str]]:
    marks = schedule.marks()
    steps = _grid(total, marks)
    rates = schedule.lr(steps, base)
    yield 0, "the first step"
    peak = int(rates.argmax())
    if rates.max() > rates.min():
        yield int(steps[peak]), "the peak"
        middle = (rates[peak] + rates[-1]) / 2
        below = [*(rates[peak:] <= middle).nonzero()[0]]
        if below and rates[-1] < rates[peak]:
            yield (
                _first_below(schedule, base, steps[peak + below[0] - 1 :][:2], middle),
                "half way down",
            )
    for start, _, part in schedule.parts():
        if 0 < start < total:
            yield start, f"{part.kind} takes over"


def _ends(schedule: Schedule, total: int, run: int | None) -> Iterator[tuple[int, str]]:
    """Where the training ends, the schedule, and the run, if it is known to have an end."""
    held = schedule.holds_from()
    is_over = held is not None and held <= total
    if run is None or run > total:
        yield total - 1, "the last step that trains"
        if is_over:
            yield total, "the end, which stays"
        return
    yield run - 1, "the last step that trains"
    yield run, "the end of the run"
    if held and is_over:
        yield held, "the end of the schedule, which stays"


def _grid(total: int, marks: list[int]) -> NDArray[int64]:
    """Steps from 0 to `total`, among them all those next to a change of shape."""
    import numpy as np

    near = [step for mark in marks for step in (mark - 1, mark, mark + 1) if 0 <= step <= total]
    even = np.linspace(0, total, min(total, GRID) + 1).round().astype(np.int64)
    return np.unique(np.concatenate([even, np.array(near, np.int64)]))


def _first_below(schedule: Schedule, base: float, between: NDArray[int64], middle: float) -> int:
    """The first step after `between[0]`, and up to `between[1]`, whose rate is at most `middle`."""
    first, last = map(int, between)
    while last - first > 1:
        steps = _grid(last - first, []) + first
        below = int((schedule.lr(steps[1:], base) <= middle).argmax())
        first, last = map(int, steps[below : below + 2])
    return last
