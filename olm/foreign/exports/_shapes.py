"""The shapes of the pieces of a curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rates: TypeAlias = "NDArray[Any]"


@dataclass(frozen=True)
class Piece:
    """A part of the curve that one function has."""

    shape: str
    """``constant``, ``linear``, ``cosine``, ``polynomial`` or ``exponential``."""
    start: int
    """The step at which it begins."""
    steps: int
    """How long it is; the rate at its end may be beyond the run or after the next piece begins."""
    first: float
    last: float
    power: float = 1.0
    """The exponent of a polynomial."""
    differs: float = 0.0
    """The largest difference from the curve."""


def shapes(powers: list[float]) -> dict[tuple[str, float], Callable[[Rates], Rates]]:
    """The shapes by their names and powers: what a progress is along each, from 0 to 1."""
    curved = {("polynomial", power): powered(power) for power in powers}
    return {("linear", 1.0): lambda done: done, ("cosine", 1.0): half_wave, **curved}


def half_wave(done: Rates) -> Rates:
    """Half a cosine wave from 0 to 1."""
    import numpy as np

    wave: Rates = (1 - np.cos(np.pi * done)) / 2
    return wave


def powered(power: float) -> Callable[[Rates], Rates]:
    """The progress along a polynomial from 0 to 1; beyond its end it stays."""
    return lambda done: 1 - (1 - done).clip(0) ** power
