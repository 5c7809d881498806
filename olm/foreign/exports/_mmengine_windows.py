"""The rates of a run as windows of mmengine's schedulers, each from where the one before it stops.

The last step of a window that reaches its end is the first step of the next one, which mmengine
allows: it moves the schedulers in the order of the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import log
from typing import TYPE_CHECKING, Any

from olm.foreign.exports._candidates import numbers
from olm.foreign.exports._targets import TOLERANCE, Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PARTS = 64
"""The most parts between bends of a curve that are written as windows."""

MOST_WAVES = 8
"""The most lengths that are tried for a shape that is cut off."""

Window = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """The rates from one bend of the curve to the next one."""

    begin: int
    own: NDArray[Any]
    """The rates at its steps."""
    then: float
    """The rate at the step after them."""
    before: float
    """The rate at which the window before it stopped."""
    is_last: bool
    powers: tuple[float, ...]
    """The powers of polynomials that are tried."""
    waves: tuple[int, ...]
    """The steps of whole shapes that are tried: the part, and what may be cut off at its end."""
    allowed: float

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return len(self.own)

    @property
    def start(self) -> float:
        """The rate at its first step."""
        return float(self.own[0])

    def reaches(self, end: float) -> bool:
        """Whether the step after it has the rate at which a shape ends."""
        return self.is_last or abs(self.then - end) <= self.allowed

    def window(self, name: str, *, reached: bool, steps: int = 0, **fields: Any) -> Window:
        """A scheduler with the steps of the part or more, and with the one at which it ends."""
        end = self.begin + max(steps, self.steps) + reached
        return {"type": name, "begin": self.begin, "end": end, **fields}


@dataclass(frozen=True)
class Shape:
    """What mmengine can do in a part."""

    differs: float
    """By how much its rates differ from those of the part."""
    windows: list[Window]
    after: float
    """The rate at which it stops."""


def windows(run: Run, bends: list[int]) -> list[Window]:
    """The windows with the rates of a run, or with near ones where mmengine has no such shape.

    Args:
        run: the run.
        bends: where a window ends and another one may begin.
    """
    import numpy as np

    rates = run.schedule.lr(np.arange(run.steps + 1), run.base)
    allowed = TOLERANCE * float(np.abs(rates).max())
    powers = tuple(dict.fromkeys([0.5, 2.0, *numbers(run.schedule, "power")]))
    made, value = list[Window](), run.base
    for begin, end in pairwise([*bends[:MOST_PARTS], run.steps]):
        own, then = rates[begin:end], float(rates[end])
        waves = tuple(_waves(run, begin, end))
        part = Part(begin, own, then, value, end == run.steps, powers, waves, allowed)
        shapes = [*_shapes(part)]
        exact = [shape for shape in shapes if shape.differs <= allowed]
        best = exact[0] if exact else min(shapes, key=lambda shape: shape.differs)
        made += best.windows
        value = best.after
    return made


def _waves(run: Run, begin: int, end: int) -> Iterator[int]:
    """The steps that the shape of a part may have: all of the part, or more."""
    longer = [mark - begin for mark in run.schedule.marks() if mark > end]
    longer += [steps for steps in numbers(run.schedule, "T_max") if steps > end - begin]
    yield from dict.fromkeys([end - begin, *longer[:MOST_WAVES]])


def kinks(run: Run) -> list[int]:
    """The steps at which the rates bend, 0 among them, found from the rates themselves."""
    import numpy as np

    rates = run.schedule.lr(run.step_numbers(), run.base)
    bent = np.abs(np.diff(rates, 2, prepend=rates[:1], append=rates[-1:]))
    around = np.maximum(np.roll(bent, 2), np.roll(bent, -2))
    sharp = bent > 4 * around + TOLERANCE * np.abs(rates).max()
    return sorted({0, *np.flatnonzero(sharp).tolist(), *run.marks()})


def _shapes(part: Part) -> Iterator[Shape]:
    """The shapes, the simplest ones first."""
    import numpy as np

    jump, at = _jump(part)
    yield Shape(float(np.abs(part.own - part.start).max()), jump, at)
    if part.steps == 1:
        return
    yield from _lines(part, jump)
    yield from _waved(part, jump)
    gamma = float(part.own[1]) / part.start if part.start else 0.0
    # What rises for longer leaves the floats.
    if gamma > 0 and part.steps * log(gamma) < log(1e12):
        rates = part.start * np.power(gamma, np.arange(part.steps + 1))
        differs, last = float(np.abs(rates[:-1] - part.own).max()), float(rates[-1])
        reached = part.reaches(last)
        window = part.window("ExponentialLR", reached=reached, gamma=gamma)
        yield Shape(differs, [*jump, window], last if reached else float(part.own[-1]))


def _waved(part: Part, jump: list[Window]) -> Iterator[Shape]:
    """Half waves and polynomials, whole or cut off: mmengine ends a polynomial with its window."""
    import numpy as np

    last = float(part.own[-1])
    for steps, power in product(part.waves, (None, *part.powers)):
        done = np.arange(part.steps) / steps
        left = (1 + np.cos(np.pi * done)) / 2 if power is None else (1 - done) ** power
        for end in (part.then, _end(part, left)):
            reached = steps == part.steps and part.reaches(end)
            if end < 0 or (power is not None and not (reached or part.is_last)):
                continue
            differs = float(np.abs(end + (part.start - end) * left - part.own).max())
            if power is None:
                name = "CosineAnnealingLR"
                window = part.window(name, reached=reached, T_max=steps, eta_min=end)
            else:
                name = "PolyLR"
                window = part.window(name, reached=True, steps=steps, power=power, eta_min=end)
            yield Shape(differs, [*jump, window], end if reached else last)


def _jump(part: Part) -> tuple[list[Window], float]:
    """What brings the rate to that of the first step; a rate of 0 stays 0."""
    if not part.before or abs(part.start - part.before) <= part.allowed:
        return [], part.before
    end = part.begin + 1
    window = {"type": "MultiStepLR", "begin": part.begin, "end": end, "milestones": [0]}
    return [{**window, "gamma": part.start / part.before}], part.start


def _lines(part: Part, jump: list[Window]) -> Iterator[Shape]:
    """A straight line to the step after the part, or only to its last step."""
    import numpy as np

    slope = (float(part.own[-1]) - part.start) / (part.steps - 1)
    end, last = part.start + slope * part.steps, float(part.own[-1])
    reached = part.reaches(end)
    end = part.then if reached and abs(part.then - end) <= part.allowed else end
    after = max(0.0, end if reached else last)
    line = part.start + slope * np.arange(part.steps)
    differs = float(np.abs(line - part.own).max())
    # mmengine rejects a first factor of 0, and factors above 1.
    if 0 < part.start <= part.before and 0 <= after <= part.before:
        first, final = part.start / part.before, after / part.before
        window = part.window("LinearLR", reached=reached, start_factor=first, end_factor=final)
        yield Shape(differs, [window], after)
    window = part.window("PolyLR", reached=reached, power=1.0, eta_min=after)
    yield Shape(differs, [*jump, window], after)


def _end(part: Part, left: NDArray[Any]) -> float:
    """Where a shape ends that has the first and the last rate of a part."""
    share = float(left[-1])
    if share == 1:
        return part.start
    return (float(part.own[-1]) - part.start * share) / (1 - share)
