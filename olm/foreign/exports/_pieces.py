"""The curve of a run in pieces: constants, lines, half waves, powers and exponentials.

Whatever the kind of a schedule is, its rates alone decide which pieces it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import exp, inf, log
from typing import TYPE_CHECKING, Any

from olm.foreign.exports._candidates import numbers
from olm.foreign.exports._shapes import Piece, shapes
from olm.foreign.exports._targets import TOLERANCE, Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rates = NDArray[Any]

MOST_PIECES = 100
"""The most pieces of a curve."""

FEWEST = 3
"""The fewest rates of a piece that ends elsewhere than at a bend: two are always a line."""

MOST_COMPARED = 2000
"""At how many rates a shape is compared with a piece."""

DECADES = 3
"""Over how many decades the factor of an exponential is written."""

AHEAD = 6
"""How many of the next bends are tried as the end of one piece."""


def pieces(run: Run) -> list[Piece]:
    """The pieces, in order; where nothing fits, the nearest. At most one more than `MOST_PIECES`.

    >>> from olm.spec.spec import parse
    >>> run = Run(parse({"kind": "WarmupDecayLR", "warmup_steps": 2, "total_steps": 9}), 1.0, 9)
    >>> [(piece.shape, piece.start, piece.steps) for piece in pieces(run)]
    [('linear', 0, 2), ('cosine', 2, 7)]
    """
    fit = _Fit(run)
    found: list[Piece] = []
    at = 0
    while at < run.steps and len(found) <= MOST_PIECES:
        piece, at = fit.longest(at)
        found.append(piece)
    return found


class _Fit:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.rates: Rates = run.schedule.lr(run.step_numbers(), run.base)
        self.highest = float(abs(self.rates).max())
        self.allowed = TOLERANCE * self.highest
        self.bends = sorted({*run.schedule.marks(), run.steps})
        powers = {0.5, 2.0, 3.0, *map(float, numbers(run.schedule, "power"))} - {0.0, 1.0}
        self.shapes = shapes(sorted(powers))
        self.growths = {1, *numbers(run.schedule, "T_mult", "growth")}

    def longest(self, at: int) -> tuple[Piece, int]:
        """The piece from a step on that is the longest of those that fit, and where it is over."""
        ends = [bend for bend in self.bends if at < bend <= self.run.steps]
        for end in (self.run.steps, *reversed(ends[:AHEAD])):
            if (piece := self._nearest(at, end)).differs <= self.allowed:
                return piece, end
        # A curve may also bend where it crosses another one.
        if end := self._crossing(at, ends[0]):
            return self._nearest(at, end), end
        # It may bend one step late, where a clock starts later.
        if self._crossing(at + 1, ends[0]):
            return self._nearest(at, at + 1), at + 1
        return self._nearest(at, ends[0]), ends[0]

    def _crossing(self, at: int, high: int) -> int:
        """The last end before a bend until which something fits; 0 if nothing does."""
        low = at + FEWEST
        if low >= high or not self._fits(at, low):
            return 0
        while low + 1 < high:
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(at, middle) else (low, middle)
        return low

    def _fits(self, at: int, end: int) -> bool:
        return self._nearest(at, end).differs <= self.allowed

    def _nearest(self, at: int, end: int) -> Piece:
        """The first shape that fits, or the one that differs least."""
        return min(self._fitting(at, end), key=lambda piece: max(piece.differs, self.allowed))

    def _fitting(self, at: int, end: int) -> Iterator[Piece]:
        """The piece of each shape that passes through the first and the last rate."""
        import numpy as np

        places = np.unique(np.linspace(0, end - at - 1, min(end - at, MOST_COMPARED)).astype(int))
        rates, first = self.rates[at + places], float(self.rates[at])
        flat = Piece("constant", at, end - at, first, first)
        yield replace(flat, differs=float(abs(rates - first).max()))
        if end == at + 1:
            return
        for steps in self._lengths(at, end):
            piece = replace(flat, steps=steps)
            for (name, power), shape in self.shapes.items():
                made = replace(piece, shape=name, power=power)
                yield self._compared(made, rates, shape(places / steps))
        if first > 0 and rates[-1] > 0 and rates[-1] != first:
            yield self._exponential(flat, rates, places)

    def _lengths(self, at: int, end: int) -> list[int]:
        """How long a piece may be that is seen until an end, where it may be cut off."""
        count = end - at
        beyond = [bend - at for bend in self.bends if bend > end][:2]
        before = [0, *(bend for bend in self.bends if bend <= at)]
        again = [int(growth * (at - before[-2])) for growth in self.growths if len(before) > 1]
        return [steps for steps in dict.fromkeys([count, *beyond, *again, count - 1])
                if steps >= count - 1]  # fmt: skip

    def _compared(self, piece: Piece, rates: Rates, done: Rates) -> Piece:
        """A piece with the last rate that the curve leads to, and how much it differs."""
        rise = (float(rates[-1]) - piece.first) / float(done[-1]) if done[-1] else 0.0
        last = self._exact(piece.first + rise, piece.start + piece.steps)
        differs = float(abs(piece.first * (1 - done) + last * done - rates).max())
        # Half waves multiply their first rate, and no rate is negative.
        cannot = last < 0 or (piece.shape == "cosine" and not piece.first)
        return replace(piece, last=last, differs=inf if cannot else differs)

    def _exact(self, rate: float, step: int) -> float:
        """A computed rate, or the one of the curve that it is."""
        known = (self.run.base, 0.0, float(self.run.schedule.lr(step, self.run.base)))
        near = (each for each in known if abs(each - rate) <= 1e-12 * self.highest)
        return next(near, rate)

    def _exponential(self, piece: Piece, rates: Rates, places: Rates) -> Piece:
        slope = log(float(rates[-1]) / piece.first) / int(places[-1])
        # In float32, a factor is exact enough over a few of its decades.
        steps = min(piece.steps, max(1, int(DECADES * log(10) / abs(slope))))
        last = self._exact(piece.first * exp(slope * steps), piece.start + steps)
        curve = piece.first * (last / piece.first) ** (places / steps)
        differs = float(abs(curve - rates).max())
        return replace(piece, shape="exponential", steps=steps, last=last, differs=differs)
