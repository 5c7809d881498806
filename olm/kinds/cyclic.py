"""Rates that go up and down, once or again and again."""

from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from typing import Any, Literal

from olm.problem import Path
from olm.schedule import (
    MAX_STEPS,
    Array,
    NonNegative,
    OptionalPositiveSteps,
    Positive,
    PositiveCount,
    PositiveSteps,
    Rate,
    Schedule,
    Share,
    default,
    eased,
    line,
    quotient,
    rule,
    where,
)


class Cyclic(Schedule):
    """Straight up from ``base_lr`` to ``max_lr`` and down again, without an end.

    >>> Cyclic(base_lr=0.1, max_lr=0.5, step_size_up=2).lr([0, 1, 2, 3, 4, 5], base=1.0)
    array([0.1, 0.3, 0.5, 0.3, 0.1, 0.3])
    >>> halving = Cyclic(base_lr=0.1, max_lr=0.5, step_size_up=2, mode="triangular2")
    >>> halving.lr([0, 2, 4, 6, 10], base=1.0)
    array([0.1, 0.5, 0.1, 0.3, 0.2])

    Source: Smith, Cyclical learning rates (2017); torch 2.13,
    ``torch.optim.lr_scheduler.CyclicLR``, without the momentum and without ``scale_fn``, which is
    code. The optimizer's base rate is ignored, as in torch.
    """

    kind: Literal["CyclicLR"] = "CyclicLR"
    base_lr: Rate
    """The lowest rate, at which every cycle starts and ends."""
    max_lr: Rate
    """The highest rate of the first cycle."""
    step_size_up: PositiveSteps = default(2000)
    """How many steps the rise takes."""
    step_size_down: OptionalPositiveSteps = default(None)
    """How many steps the fall takes; by default as many as the rise."""
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    """Whether the peaks hold, halve from cycle to cycle, or fall by ``gamma`` at every step."""
    gamma: NonNegative = 1.0
    """What the height above ``base_lr`` is multiplied by at every step, with ``exp_range``."""

    counts_with = {"gamma": ("mode", ("exp_range",))}
    group = "cyclic"
    periods = ("step_size_up", "step_size_down")
    words = "straight from {base_lr} to {max_lr} in {step_size_up} steps and back, for ever"
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

    def wording(self) -> str:
        words = self.words if self.mode != "exp_range" else self.words.replace(" to ", " toward ")
        if self.step_size_down is not None:
            words = words.replace("back", "back in {step_size_down} steps")
        match self.mode:
            case "triangular2":
                return words.replace("for ever", "half as far each time")
            case "exp_range":
                return f"{words}, {{gamma}} × as far at every step"
        return words

    def formula(self, step: Array, base: Array) -> Array:
        cycle = quotient(step, self.period)
        position = step - cycle * self.period
        height = where(
            position <= self.step_size_up,
            lambda: position / self.step_size_up,
            lambda: (self.period - position) / (self.period - self.step_size_up),
        )
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
    message="{three_phase} needs {pct_start} to be at most 0.5: the fall takes as long as the rise",
)
class OneCycle(Schedule):
    """Up to ``max_lr`` from a share of it, then down to a small share of the first rate.

    >>> OneCycle(max_lr=0.5, total_steps=11).lr([0, 1, 2, 3, 9, 10, 99], base=1.0).round(6)
    array([2.00000e-02, 2.11171e-01, 4.80131e-01, 4.89873e-01, 2.05230e-02,
           2.00000e-06, 2.00000e-06])

    Source: Smith and Topin, Super-convergence (2018); torch 2.13,
    ``torch.optim.lr_scheduler.OneCycleLR``, without torch's cycle of the momentum. The last of
    ``total_steps`` steps trains with the lowest rate, as in torch. After it the lowest rate holds;
    in torch the rate rises again, and then an error is raised. The optimizer's base rate is
    ignored, as in torch.
    """

    kind: Literal["OneCycleLR"] = "OneCycleLR"
    max_lr: Rate
    """The highest rate."""
    total_steps: OptionalPositiveSteps = default(None)
    """How many steps the cycle has."""
    epochs: PositiveCount | None = None
    """How many epochs the cycle has; with ``steps_per_epoch``, in place of ``total_steps``."""
    steps_per_epoch: OptionalPositiveSteps = default(None)
    """How many steps an epoch has."""
    pct_start: Share = 0.3
    """The share of the cycle in which the rate rises."""
    anneal_strategy: Literal["cos", "linear"] = "cos"
    """Whether the rate follows half cosine waves or straight lines."""
    div_factor: Positive = 25.0
    """``max_lr`` divided by the first rate."""
    final_div_factor: Positive = 1e4
    """The first rate divided by the last rate."""
    three_phase: bool = False
    """Whether the fall back to the first rate is a phase of its own, as long as the rise."""

    group = "cyclic"
    periods = ("steps_per_epoch",)
    words = (
        "from {max_lr} / {div_factor} to {max_lr} in {pct_start} of the steps, "
        "then to the first rate / {final_div_factor}, which holds"
    )
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
        """The steps at which the rate turns, which need not be whole, with the rates there."""
        first = self.max_lr / self.div_factor
        last, peak = first / self.final_div_factor, self.pct_start * self.length - 1
        points = [(0.0, first), (peak, self.max_lr)]
        if self.three_phase:
            points.append((2 * peak, first))
        return [*points, (self.length - 1.0, last)]

    def own_marks(self) -> Iterable[int]:
        *_, (before, _), (end, _) = points = self.turning_points()
        marks = {min(max(round(at), 0), self.length) for at, _ in points[1:]}
        # A way down of no length is over a step later: the last step has the highest rate.
        return sorted(marks | {self.length} if before >= end else marks)

    def ends_at(self) -> int:
        # The rate already holds at the last step that trains.
        return self.length

    def warm_up(self) -> tuple[Path, float]:
        return ("pct_start",), self.pct_start * self.length

    def wording(self) -> str:
        if self.is_counted and self.pct_start * self.length <= 1:
            # The highest rate lies at step 0 or before it.
            return "to {max_lr} / {div_factor} / {final_div_factor}, which holds"
        if self.three_phase:
            return self.words.replace("then to", "back in as many, then to")
        return self.words

    def formula(self, step: Array, base: Array) -> Array:
        points = self.turning_points()
        rates: Any = points[-1][1]
        for before, after in reversed([*pairwise(points)]):
            phase = partial(self._phase, step, before, after)
            rates = partial(where, step <= after[0], phase, rates)
        of_all: Array = rates()
        return of_all

    def _phase(self, step: Array, before: tuple[float, float], after: tuple[float, float]) -> Array:
        """The rates from one turning point to the next."""
        (start, low), (end, high) = before, after
        ease = "cosine" if self.anneal_strategy == "cos" else "linear"
        # A phase of no length is over at once.
        done = eased(ease, (step - start) / (end - start)) if end > start else 0 * step + 1
        return line(low, high, done)
