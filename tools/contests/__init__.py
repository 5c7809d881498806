"""What `tools/bench.py` measures: olm against others, a file a topic, with tables in `FAMILIES`.

To measure something else, add a contest to a file, or a file. Both sides of a contest are given the
same data, and a contest whose sides can be compared checks that they have the same result.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from statistics import median
from time import perf_counter, process_time

OLM = "olm"
"""The side that is held against the others."""

TURN = 0.02
"""About how many seconds a turn takes; what takes longer is called once in it."""

LONG = 1.0
"""How many seconds a call takes that needs no other one to warm it up."""

ROUNDS = 3
"""How many turns a side has each time that it is prepared."""


@dataclass(frozen=True)
class Side:
    """One side of a contest: what is timed, as often as fits into a repetition."""

    call: Callable[[], object] = lambda: None
    """What is timed."""
    before: Callable[[], object] = lambda: None
    """What is done before each repetition, untimed."""
    seconds: Callable[[], float] | None = None
    """Measures a call itself, in a process of its own; in place of `call`."""


@dataclass(frozen=True)
class Contest:
    """Something that olm does, against others that do it, in turns."""

    name: str
    """What ``--only`` looks in."""
    what: str
    """The first cell of its row."""
    sides: Callable[[], Mapping[str, Side]]
    """Prepares the sides: `OLM`, and the others by the heading of their column."""
    goals: Mapping[str, float] = field(default_factory=dict)
    """The largest ratio that olm is to reach, for some of the others."""
    setups: int | None = None
    """How many times the sides are prepared at most, where a turn takes long."""


@dataclass(frozen=True)
class Amount:
    """Something of olm's own that is measured: a figure and no ratio."""

    name: str
    """What ``--only`` looks in."""
    what: str
    """The first cell of its row."""
    column: str
    """The heading of its column."""
    unit: str
    """What stands after the figure."""
    take: Callable[[], float]
    """Measures it once."""
    goal: float
    """The largest that it is to be."""


@dataclass(frozen=True)
class Family:
    """A table of contests."""

    heading: str
    """Above the first column."""
    contests: Sequence[Contest | Amount]
    """Its rows."""
    processes: bool = False
    """Whether whole processes are timed, by the clock on the wall; else it is processor time."""


@dataclass(frozen=True)
class Result:
    """How long olm took in a contest, as a multiple of what another one took; or an amount."""

    name: str
    what: str
    against: str
    ratio: float
    """The multiple, or the amount in its unit."""
    goal: float | None
    unit: str = ""
    """That of an amount; a ratio has none."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, to the hundredth; None without one."""
        return None if self.goal is None else round(self.ratio, 2) <= self.goal


def results(contest: Contest | Amount, *, setups: int, processes: bool) -> Iterator[Result]:
    """Measure a contest: the median ratio of repetitions in which the sides take turns.

    Args:
        contest: what to measure. Of an amount it is the largest that is found.
        setups: how many times the sides are prepared anew: where their data lies in memory alone
            makes a difference of several per cent.
        processes: whether whole processes are timed.
    """
    if isinstance(contest, Amount):
        largest = max(contest.take() for _ in range(setups))
        column, goal = contest.column, contest.goal
        yield Result(contest.name, contest.what, column, largest, goal, contest.unit)
        return
    setups = min(setups, contest.setups or setups)
    clock = perf_counter if processes else process_time
    rounds = [times for _ in range(setups) for times in _rounds(contest.sides(), clock)]
    for other in rounds[0]:
        if other != OLM:
            ratio = median(times[OLM] / times[other] for times in rounds)
            yield Result(contest.name, contest.what, other, ratio, contest.goals.get(other))


def _rounds(sides: Mapping[str, Side], clock: Callable[[], float]) -> list[dict[str, float]]:
    """The time of a call of each side, in rounds in which every side has a turn."""
    calls = {name: _calls(side, clock) for name, side in sides.items()}
    gc.collect()
    gc.disable()
    try:
        return [
            {name: _timed(side, calls[name], clock) for name, side in sides.items()}
            for _ in range(1 if any(side.seconds for side in sides.values()) else ROUNDS)
        ]
    finally:
        gc.enable()


def _calls(side: Side, clock: Callable[[], float]) -> int:
    """How many calls fit into a turn. It is the warm-up, too."""
    calls = 1
    if side.seconds is not None:
        return calls
    if _timed(side, calls, clock) >= LONG:
        return calls
    while (took := min(_timed(side, calls, clock) for _ in range(3)) * calls) < TURN / 4:
        calls *= 2
    return max(1, round(calls * TURN / took))


def _timed(side: Side, calls: int, clock: Callable[[], float]) -> float:
    """The time of a call, the average of a number in a row."""
    if side.seconds is not None:
        return side.seconds()
    call = side.call
    side.before()
    start = clock()
    for _ in repeat(None, calls):
        call()
    return (clock() - start) / calls
