"""A rate that never changes, and a table of rates."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from olm.problem import Path
from olm.schedule import (
    Array,
    Factor,
    Length,
    Listed,
    Rate,
    Schedule,
    StepIndices,
    ascending,
    clipped,
    covering,
    eased,
    line,
    rule,
)


@rule(
    "fixed_lr",
    "factor",
    holds=lambda fixed_lr, factor: fixed_lr is None or factor == 1,
    message="{fixed_lr} and {factor} both specify the rate: give one of them",
)
class Hold(Schedule):
    """A constant rate: the base rate, a multiple of it, or a fixed rate.

    >>> Hold(factor=0.5).lr([0, 9], base=0.8)
    array([0.4, 0.4])
    >>> Hold(fixed_lr=1e-5).lr([0, 9], base=0.8)
    array([1.e-05, 1.e-05])

    In `MaximumLR` a constant rate is a floor.

    Source: olm's own.
    """

    kind: Literal["HoldLR"] = "HoldLR"
    factor: Factor = 1.0
    """What the base rate is multiplied by."""
    fixed_lr: Rate | None = None
    """The rate, whatever the base rate is; in place of ``factor``."""

    group = "building block"
    words = "{factor} × base at every step"
    examples = [{"factor": 1.0}, {"fixed_lr": 1e-5}]
    is_constant = True

    def floor(self) -> str | None:
        return None if self.fixed_lr is None else "fixed_lr"

    def wording(self) -> str:
        return self.words if self.fixed_lr is None else "{fixed_lr} at every step"

    def formula(self, step: Array, base: Array) -> Array:
        return base * self.factor if self.fixed_lr is None else self.fixed_lr + 0 * base


@ascending("milestones")
@rule(
    "milestones",
    "factors",
    holds=lambda milestones, factors: len(milestones) == len(factors),
    message="{milestones} and {factors} must have equally many items: each factor has its step",
)
class Table(Schedule):
    """A table of factors of the base rate: each from its step on, or a curve through the points.

    >>> table = Table(milestones=[0, 2, 6], factors=[1.0, 0.5, 0.1])
    >>> table.lr([0, 1, 2, 5, 6, 9], base=0.8)
    array([0.8 , 0.8 , 0.4 , 0.4 , 0.08, 0.08])
    >>> table.model_copy(update={"between": "linear"}).lr([0, 1, 2, 4, 6, 9], base=0.8)
    array([0.8 , 0.6 , 0.4 , 0.24, 0.08, 0.08])

    Before the first milestone the first factor applies, after the last milestone the last factor.

    Source: olm's own; optax, ``piecewise_interpolate_schedule``, for the curves.
    """

    kind: Literal["TableLR"] = "TableLR"
    milestones: Annotated[StepIndices, Length(1)]
    """The steps of the points, in ascending order."""
    factors: Annotated[Listed[Factor], Length(1)]
    """What the base rate is multiplied by at each of them."""
    between: Literal["hold", "linear", "cosine"] = "hold"
    """The curve between two points: the earlier factor, a straight line, or half a cosine wave."""

    group = "building block"
    words = "{factors} × base at the steps {milestones}"
    examples = [
        {"milestones": [0, 30, 60], "factors": [1.0, 0.1, 0.01]},
        {"milestones": [0, 10, 50], "factors": [0.1, 1.0, 0.0], "between": "linear"},
    ]

    def jumps(self) -> Iterator[tuple[Path, int]]:
        if self.between == "hold":
            # The first factor also holds before the first milestone.
            later = enumerate(self.milestones[1:], 1)
            yield from ((("milestones", index), step) for index, step in later)

    def wording(self) -> str:
        lines = {"linear": "straight lines", "cosine": "half cosine waves"}
        if len(self.milestones) == 1:
            return "{factors} × base at every step"
        if self.between == "hold":
            return self.words
        return f"{self.words}, with {lines[self.between]} between them"

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        # Only the points near the steps: a table may be long.
        needed = covering(self.milestones, step)
        some = slice(needed.start, needed.stop + 1)
        points, factors = np.array(self.milestones[some], float), np.array(self.factors[some])
        index: Any = 0
        if len(needed) > 1:
            index = np.maximum(np.searchsorted(points, step, side="right") - 1, 0)
        if self.between == "hold":
            held: Array = base * factors[index]
            return held
        # Before the first point the first factor applies, after the last one the last.
        later, gaps = np.append(factors[1:], factors[-1]), np.append(np.diff(points), np.inf)
        done = clipped((step - points[index]) / gaps[index], 1.0)
        return base * line(factors[index], later[index], eased(self.between, done))
