"""Rates that go up and down, once or for ever."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

from olm.problem import Path
from olm.schedule import (
    MAX_STEPS,
    Array,
    NonNegative,
    Positive,
    PositiveCount,
    PositiveSteps,
    Rate,
    Schedule,
    Share,
    eased,
    line,
    rule,
    where,
)


class Cyclic(Schedule):
    """Straight up from ``base_lr`` to ``max_lr`` and down again, for ever.

    >>> Cyclic(base_lr=0.1, max_lr=0.5, step_size_up=2).lr([0, 1, 2, 3, 4, 5], base=1.0)
    array([0.1, 0.3, 0.5, 0.3, 0.1, 0.3])
    >>> halving = Cyclic(base_lr=0.1, max_lr=0.5, step_size_up=2, mode="triangular2")
    >>> halving.lr([0, 2, 4, 6, 10], base=1.0)
    array([0.1, 0.5, 0.1, 0.3, 0.2])

    Source: Smith, Cyclical learning rates (2017); torch 2.13,
    ``torch.optim.lr_scheduler.CyclicLR``, without the momentum and without ``scale_fn``, which is
    code. The base rate of the optimizer counts for nothing, as there.
    """

    kind: Literal["CyclicLR"] = "CyclicLR"
    base_lr: Rate
    """The lowest rate, where every cycle begins and ends."""
    max_lr: Rate
    """The highest rate of the first cycle."""
    step_size_up: PositiveSteps = 2000
    """How many steps the way up takes."""
    step_size_down: PositiveSteps | None = None
    """How many steps the way down takes; as many as the way up if it is left out."""
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    """Whether the peaks stay, halve from cycle to cycle, or fall by ``gamma`` at every step."""
    gamma: NonNegative = 1.0
    """What the height above ``base_lr`` is multiplied by at every step, with ``exp_range``."""

    group = "cyclic"
    words = "straight from {base_lr} up to {max_lr} in {step_size_up} steps and down, {mode}"
    examples = [
        {"base_lr": 1e-3, "max_lr": 1e-2, "step_size_up": 20},
        {
            "base_lr": 0.1,
            "max_lr": 0.5,
            "step_size_up": 5,
            "step_size_down": 15,
            "mode": "triangular2",
        },
        {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 10, "mode": "exp_range", "gamma": 0.99},
    ]

    def holds_from(self) -> None:
        return None

    @property
    def period(self) -> int:
        """The length of a cycle, in steps."""
        return self.step_size_up + (self.step_size_down or self.step_size_up)

    def own_marks(self) -> Iterable[int]:
        return (self.step_size_up, min(self.period, MAX_STEPS))

    def formula(self, step: Array, base: Array) -> Array:
        cycle = step // self.period
        inside = step - cycle * self.period
        up = inside / self.step_size_up
        down = (self.period - inside) / (self.period - self.step_size_up)
        height = where(inside <= self.step_size_up, up, down)
        if self.mode == "triangular2":
            height = height * 0.5**cycle
        elif self.mode == "exp_range":
            height = height * self.gamma**step
        return line(self.base_lr, self.max_lr, height)


@rule(
    "total_steps",
    "epochs",
    "steps_per_epoch",
    holds=lambda total, epochs, steps: (
        (total is None) == (None not in (epochs, steps)) and (epochs is None) == (steps is None)
    ),
    message="give either {total_steps}, or both {epochs} and {steps_per_epoch}",
)
@rule(
    "three_phase",
    "pct_start",
    holds=lambda three_phase, pct_start: not three_phase or pct_start <= 0.5,
    message="{three_phase} needs {pct_start} to be at most 0.5: the way down takes as long",
)
class OneCycle(Schedule):
    """Up from a part of ``max_lr`` to ``max_lr``, then down to a small part of where it began.

    >>> OneCycle(max_lr=0.5, total_steps=11).lr([0, 1, 2, 3, 9, 10, 99], base=1.0).round(6)
    array([2.00000e-02, 2.11171e-01, 4.80131e-01, 4.89873e-01, 2.05230e-02,
           2.00000e-06, 2.00000e-06])

    Source: Smith and Topin, Super-convergence (2018); torch 2.13,
    ``torch.optim.lr_scheduler.OneCycleLR``, the rate without the momentum. The last of
    ``total_steps`` steps trains with the lowest rate, as there. Where torch rises again at step
    ``total_steps`` and then raises an error, the lowest rate holds. The base rate of the optimizer
    counts for nothing, as there.
    """

    kind: Literal["OneCycleLR"] = "OneCycleLR"
    max_lr: Rate
    """The highest rate."""
    total_steps: PositiveSteps | None = None
    """How many steps the cycle has."""
    epochs: PositiveCount | None = None
    """In place of ``total_steps``, with ``steps_per_epoch``: how many epochs it has."""
    steps_per_epoch: PositiveSteps | None = None
    """How many steps an epoch has."""
    pct_start: Share = 0.3
    """The share of the cycle that goes up."""
    anneal_strategy: Literal["cos", "linear"] = "cos"
    """Whether the ways are half cosine waves or straight lines."""
    div_factor: Positive = 25.0
    """How many times the first rate ``max_lr`` is."""
    final_div_factor: Positive = 1e4
    """How many times the last rate the first rate is."""
    three_phase: bool = False
    """Whether the way down stops at the first rate, after as many steps as the way up took."""

    group = "cyclic"
    words = "up to {max_lr} in {pct_start} of the steps, then down to where it began and below"
    examples = [
        {"max_lr": 0.1, "total_steps": 100},
        {"max_lr": 0.1, "epochs": 10, "steps_per_epoch": 8, "anneal_strategy": "linear"},
        {"max_lr": 0.1, "total_steps": 100, "three_phase": True},
    ]
    length_fields = ("total_steps", "epochs")

    @property
    def length(self) -> int:
        """How many steps the cycle has."""
        return self.total_steps or min((self.epochs or 1) * (self.steps_per_epoch or 1), MAX_STEPS)

    def turning_points(self) -> list[tuple[float, float]]:
        """Where the ways end, in steps, which need not be whole, with the rates there."""
        first = self.max_lr / self.div_factor
        last, peak = first / self.final_div_factor, self.pct_start * self.length - 1
        points = [(0.0, first), (peak, self.max_lr)]
        if self.three_phase:
            points.append((2 * peak, first))
        return [*points, (self.length - 1.0, last)]

    def own_marks(self) -> Iterable[int]:
        return sorted({min(max(round(at), 0), self.length) for at, _ in self.turning_points()[1:]})

    def ends_at(self) -> int:
        # The rate already holds at the last step that trains.
        return self.length

    def warm_up(self) -> tuple[Path, float]:
        return ("pct_start",), self.pct_start * self.length

    def formula(self, step: Array, base: Array) -> Array:
        points = self.turning_points()
        ease = "cosine" if self.anneal_strategy == "cos" else "linear"
        rates = where(step > points[-1][0], points[-1][1], points[0][1])
        for (start, low), (end, high) in reversed([*pairwise(points)]):
            # A way of no length is over at once.
            done = eased(ease, (step - start) / (end - start)) if end > start else 0 * step + 1
            rates = where(step <= end, line(low, high, done), rates)
        return rates
