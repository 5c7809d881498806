"""The curve of a run in pieces: constants, lines, half waves, powers and exponentials.

Whatever the kind of a schedule is, its rates alone decide which pieces it has.
"""

from __future__ import annotations

from olm.foreign.exports._piece_fit import PieceFit
from olm.foreign.exports._shapes import Piece
from olm.foreign.exports._targets import Run

MOST_PIECES = 100
"""The most pieces of a curve."""

FEWEST = 3
"""The fewest rates of a piece that ends elsewhere than at a bend: two are always a line."""

AHEAD = 6
"""How many of the next bends are tried as the end of one piece."""


def pieces(run: Run) -> list[Piece]:
    """The pieces, in order; where nothing fits, the nearest. At most one more than `MOST_PIECES`.

    >>> from olm.spec.spec import parse
    >>> run = Run(parse({"kind": "WarmupDecayLR", "warmup_steps": 2, "total_steps": 9}), 1.0, 9)
    >>> [(piece.shape, piece.start, piece.steps) for piece in pieces(run)]
    [('linear', 0, 2), ('cosine', 2, 7)]
    """
    fit = PieceFit(run)
    found: list[Piece] = []
    at = 0
    while at < run.steps and len(found) <= MOST_PIECES:
        piece, at = _longest(fit, at)
        found.append(piece)
    return found


def _longest(fit: PieceFit, at: int) -> tuple[Piece, int]:
    """The piece from a step on that is the longest of those that fit, and where it is over."""
    ends = [bend for bend in fit.bends if at < bend <= fit.run.steps]
    for end in (fit.run.steps, *reversed(ends[:AHEAD])):
        if (piece := fit.nearest(at, end)).differs <= fit.allowed:
            return piece, end
    # A curve may also bend where it crosses another one.
    if end := _crossing(fit, at, ends[0]):
        return fit.nearest(at, end), end
    # It may bend one step late, where a clock starts later.
    if _crossing(fit, at + 1, ends[0]):
        return fit.nearest(at, at + 1), at + 1
    return fit.nearest(at, ends[0]), ends[0]


def _crossing(fit: PieceFit, at: int, high: int) -> int:
    """The last end before a bend until which something fits; 0 if nothing does."""
    low = at + max(FEWEST, (high - at) // MOST_PIECES)
    if low >= high or not fit.fits(at, low):
        return 0
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if fit.fits(at, middle) else (low, middle)
    return low
