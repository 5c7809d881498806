"""One piece of a curve: the shape that passes through its first and its last rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import exp, inf, log

from olm.foreign.exports._candidates import numbers
from olm.foreign.exports._shapes import Piece, Rates, shapes
from olm.foreign.exports._targets import TOLERANCE, Run

MOST_COMPARED = 2000
"""At how many rates a shape is compared with a piece."""

DECADES = 3
"""Over how many decades the factor of an exponential is written."""


class PieceFit:
    """The rates of a run, and the pieces that fit a part of them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rates: Rates = run.schedule.lr(run.step_numbers(), run.base)
        self.highest = float(abs(self.rates).max())
        self.allowed = TOLERANCE * self.highest
        self.bends = sorted({*run.schedule.marks(), run.steps})
        powers = {0.5, 2.0, 3.0, *map(float, numbers(run.schedule, "power"))} - {0.0, 1.0}
        self.shapes = shapes(sorted(powers))
        self.growths = {1, *numbers(run.schedule, "T_mult", "growth")}

    def fits(self, at: int, end: int) -> bool:
        """Whether a piece fits the rates between two steps."""
        return self.nearest(at, end).differs <= self.allowed

    def nearest(self, at: int, end: int) -> Piece:
        """The first shape that fits, or the one that differs least."""
        return min(
            self._fitting(at, end),
            key=lambda piece: (
                max(piece.differs, self.allowed),
                piece.last not in self._ends(piece),
            ),
        )

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
        last = self._exact(piece.first + rise, piece)
        differs = float(abs(piece.first * (1 - done) + last * done - rates).max())
        # Half waves multiply their first rate, and no rate is negative.
        cannot = last < 0 or (piece.shape == "cosine" and not piece.first)
        return replace(piece, last=last, differs=inf if cannot else differs)

    def _exact(self, rate: float, piece: Piece) -> float:
        """A computed rate, or the one of the curve that it is."""
        near = (each for each in self._ends(piece) if abs(each - rate) <= 1e-12 * self.highest)
        return next(near, rate)

    def _ends(self, piece: Piece) -> tuple[float, ...]:
        """The rates that a piece may lead to."""
        step = piece.start + piece.steps
        return self.run.base, 0.0, float(self.run.schedule.lr(step, self.run.base))

    def _exponential(self, piece: Piece, rates: Rates, places: Rates) -> Piece:
        slope = log(float(rates[-1]) / piece.first) / int(places[-1])
        # In float32, a factor is exact enough over a few of its decades.
        steps = min(piece.steps, max(1, int(DECADES * log(10) / abs(slope))))
        made = replace(piece, shape="exponential", steps=steps)
        last = self._exact(piece.first * exp(slope * steps), made)
        curve = piece.first * (last / piece.first) ** (places / steps)
        differs = float(abs(curve - rates).max())
        return replace(made, last=last, differs=differs)
