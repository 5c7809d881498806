"""mmengine's schedulers, each active in a window of the run, as schedules from its begin on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import cos, pi
from typing import Any

from olm.fields.durations import exact
from olm.foreign.configs._config import Config, Refusal
from olm.foreign.configs._documents import count
from olm.foreign.configs._epochs import Epochs
from olm.problem import Path

Node = dict[str, Any]


@dataclass(frozen=True)
class Window:
    """A scheduler and when it is active."""

    config: Config
    path: Path
    """Where it is."""
    shape: str
    """Its class without the name of what it schedules, such as ``Linear`` or ``MultiStep``."""
    epoch: Epochs
    in_epochs: bool
    """Whether its numbers are in epochs."""
    is_late: bool
    """Whether it steps only after each epoch."""
    begin: Fraction
    end: Fraction
    is_last: bool
    """Whether it is active until the run ends."""

    def key(self, name: str, default: Any = None, whole: bool = False) -> Any:
        """The value of an argument, a number."""
        get = self.config.whole if whole else self.config.number
        if default is ...:
            return get(*self.path, name)
        return get(*self.path, name, default=default)

    def key_at(self, name: str, place: int) -> Fraction:
        """A number of a list."""
        return exact(self.config.whole(*self.path, name, place))

    def span(self, amount: Fraction, less: int = 0) -> int | str:
        """A duration of the unit of the window, less a number of its own steps."""
        if not self.in_epochs:
            return int(amount) - less
        if self.is_late:
            return self.epoch.span(amount - less)
        return self.epoch.span(amount, less)

    def factor(self, name: str, default: float) -> float:
        """The value of an argument that mmengine wants between 0 and 1."""
        value: float = self.key(name, default)
        if not 0 <= value <= 1:
            text = f"`{name}` must be between 0 and 1, found {value}"
            raise self.refused(text, "type", name)
        return value

    def own(self, amount: Fraction) -> float | None:
        """A duration of the unit of the window in its own steps, if an epoch is known."""
        if not self.in_epochs or self.is_late:
            return float(amount)
        return None if self.epoch.steps is None else float(amount * self.epoch.steps)

    @property
    def length(self) -> Fraction:
        return self.end - self.begin

    @property
    def unit_is_a_step(self) -> bool:
        """Whether it steps at every step of the run, and its numbers are in those."""
        return not self.in_epochs and not self.is_late

    @property
    def own_steps(self) -> int | None:
        """How many of its own steps it takes, if an epoch is known or does not matter."""
        if not self.in_epochs or self.is_late:
            return int(self.length)
        return None if self.epoch.steps is None else int(self.length * self.epoch.steps)

    def place(self, number: Fraction) -> Fraction | None:
        """A place of the window in steps of the run; None if an epoch must be known for it."""
        if not self.in_epochs or number == 0:
            return number
        return None if self.epoch.steps is None else number * self.epoch.steps

    def refused(self, text: str, code: str = "unsupported-key", *key: str) -> Refusal:
        """The refusal of the scheduler, to be raised."""
        return self.config.refusal(code, text, (*self.path, *key))

    def late(self, node: Node) -> Node:
        """A curve, of which only the values at the ends of epochs are used."""
        if not self.is_late:
            return node
        return {"kind": "TimeLR", "scheduler": node, "every": self.epoch.span(1)}

    def frozen(self, node: Node, length: Fraction | None = None) -> Node:
        """A curve that stops one step before it ends."""
        if self.is_last and length is None:
            return self.late(node)
        last = self.span(self.length if length is None else length, 1)
        every = {"every": self.epoch.span(1)} if self.is_late else {}
        return {"kind": "TimeLR", "scheduler": node, **every, "last": last}


@dataclass(frozen=True)
class Part:
    """The schedule of a window."""

    node: Node
    after: float
    """The number at its end and after it."""


def scaled(node: Node, factor: float) -> Node:
    """A schedule times a factor."""
    if factor == 1:
        return node
    hold = {"kind": "HoldLR", "factor": factor}
    return {"kind": "ChainedScheduler", "schedulers": [hold, node]}


def constant(window: Window, start: float, base: float) -> Part:
    """A factor until the last step of the window."""
    factor = window.factor("factor", 1 / 3)
    if window.own_steps == 1:
        return Part(scaled({"kind": "HoldLR", "factor": factor}, start / base), start * factor)
    if factor == 0:
        raise window.refused("mmengine divides by the factor, which is 0", "type", "factor")
    fields = {"factor": factor, "total_iters": window.span(window.length, 1)}
    return Part(scaled({"kind": "ConstantLR", **fields}, start / base), start)


def linear(window: Window, start: float, base: float) -> Part:
    """A straight line, which reaches its end at the last step of the window."""
    first, last = window.factor("start_factor", 1 / 3), window.factor("end_factor", 1.0)
    if window.own_steps == 1:
        return Part({"kind": "HoldLR", "factor": first * start / base}, start * first)
    if first == 0:
        text = "mmengine divides by start_factor, which is 0"
        raise window.refused(text, "type", "start_factor")
    ends = {"start_factor": first * start / base, "end_factor": last * start / base}
    ramp = {"kind": "RampLR", "total_steps": window.span(window.length, 1), **ends}
    return Part(window.late(ramp), start * last)


def polynomial(window: Window, start: float, base: float) -> Part:
    """A polynomial, which reaches its floor at the last step of the window."""
    if window.own_steps == 1:
        return Part({"kind": "HoldLR", "factor": start / base}, start)
    floor, power = window.key("eta_min", 0.0), window.key("power", 1.0)
    ends = {"start_factor": start / base, "end_lr": floor}
    ramp = {"kind": "RampLR", "total_steps": window.span(window.length, 1), **ends}
    return Part(window.late({**ramp, "ease": "polynomial", "power": power}), floor)


def _floor(window: Window, base: float) -> Node:
    """The floor of a cosine: absolute, or as a share of the base."""
    ratio = window.key("eta_min_ratio")
    if ratio is None:
        return {"end_lr": window.key("eta_min", 0.0)}
    return {"end_factor": ratio}


def _absolute(floor: Node, base: float) -> float:
    return float(floor.get("end_lr", floor.get("end_factor", 0) * base))


def cosine(window: Window, start: float, base: float) -> Part:
    """Half a cosine, which stops a step before the window ends."""
    half = window.length
    if window.key("T_max"):
        half = Fraction(count(window.config, *window.path, "T_max"))
    floor = _floor(window, base)
    low = _absolute(floor, base)
    ramp = {"kind": "RampLR", "total_steps": window.span(half), "start_factor": start / base}
    ramp |= {**floor, "ease": "cosine"}
    steps, own_half = window.own_steps, window.own(half)
    after = float("nan")
    rises = window.length > half
    if steps is not None and own_half is not None:
        after = low + (start - low) * _wave(steps - 1, own_half)
        rises = steps - 1 > own_half
    if rises:
        if start != base:
            text = "mmengine rises from a cosine's end by the base rate, not by where it began"
            raise window.refused(text, "unsupported-key", "T_max")
        return Part(window.frozen({**ramp, "past": "mirror"}), after)
    if start == base and "end_lr" in floor:
        ramp = {"kind": "CosineAnnealingLR", "T_max": window.span(half), "eta_min": low}
    return Part(window.frozen(ramp), after)


def _wave(step: float, half: float) -> float:
    """The height of a cosine, from 1 to 0, after some of the steps of half a wave."""
    return (1 + cos(pi * step / half)) / 2


def restarts(window: Window, start: float, base: float) -> Part:
    """Half cosines, each from a share of the base rate."""
    get = window.config.get
    config = window.config
    places = range(len(get(*window.path, "periods")))
    periods = [Fraction(count(config, *window.path, "periods", place)) for place in places]
    weights = get(*window.path, "restart_weights", default=[1])
    if not isinstance(weights, list) or len(weights) != len(periods):
        text = "mmengine requires as many restart_weights as periods"
        raise window.refused(text, "type", "restart_weights")
    at = window.path
    if window.config.has(*at, "eta_min") == window.config.has(*at, "eta_min_ratio"):
        text = "mmengine requires either eta_min or eta_min_ratio"
        raise window.refused(text, "needs-key")
    floor = _floor(window, base)
    parts = [
        {"kind": "RampLR", "total_steps": window.span(period), "start_factor": weight, **floor,
         "ease": "cosine"}
        for period, weight in zip(periods, weights, strict=True)
    ]  # fmt: skip
    lengths = [window.span(period) for period in periods]
    node = {"kind": "PhasesLR", "schedulers": parts, "lengths": lengths}
    whole = min(sum(periods, Fraction(0)), window.length)
    peaks = [weight * base for weight in weights]
    return Part(
        window.frozen(node, whole),
        _restarted(window, whole, periods, peaks, _absolute(floor, base)),
    )


def _restarted(
    window: Window, whole: Fraction, periods: list[Fraction], peaks: list[float], low: float
) -> float:
    """The number at the last step of cosines with restarts, which take some time together."""
    steps = window.own(whole)
    if steps is None:
        return float("nan")
    left = int(steps) - 1.0
    for period, peak in zip(periods, peaks, strict=True):
        half = window.own(period) or 0.0
        if left < half:
            return low + (peak - low) * _wave(left, half)
        left -= half
    return low


def multi_step(window: Window, start: float, base: float) -> Part:
    """A decay at each milestone in the window."""
    gamma = window.key("gamma", 0.1)
    places = range(len(window.config.get(*window.path, "milestones")))
    values = sorted(window.key_at("milestones", place) for place in places)
    inside = [value for value in values if value < window.length]
    if not inside:
        return Part({"kind": "HoldLR", "factor": start / base}, start)
    milestones = [window.span(value) if value else 0 for value in inside]
    node = {"kind": "MultiStepLR", "milestones": milestones, "gamma": gamma}
    return Part(scaled(node, start / base), start * gamma ** len(inside))


def equal_steps(window: Window, start: float, base: float) -> Part:
    """A decay after equal numbers of steps."""
    size = Fraction(count(window.config, *window.path, "step_size"))
    gamma = window.key("gamma", 0.1)
    node = {"kind": "StepLR", "step_size": window.span(size), "gamma": gamma}
    if not window.is_last:
        node = {"kind": "TimeLR", "scheduler": node, "last": window.span(window.length, 1)}
    drops = max(0, -(-window.length // size) - 1)
    return Part(scaled(node, start / base), start * gamma ** int(drops))


def exponential(window: Window, start: float, base: float) -> Part:
    """A decay at each step."""
    gamma = window.key("gamma", ...)
    node: Node = {"kind": "ExponentialLR", "gamma": gamma}
    if window.is_late:
        node = {"kind": "StepLR", "step_size": window.span(Fraction(1)), "gamma": gamma}
    if not window.is_last:
        node = {"kind": "TimeLR", "scheduler": node, "last": window.span(window.length, 1)}
    steps = window.own_steps
    end = float("nan") if steps is None else start * gamma ** (steps - 1)
    return Part(scaled(node, start / base), end)


SHAPES: dict[str, Callable[[Window, float, float], Part]] = {
    "Constant": constant,
    "Linear": linear,
    "Poly": polynomial,
    "CosineAnnealing": cosine,
    "CosineRestart": restarts,
    "MultiStep": multi_step,
    "Step": equal_steps,
    "Exponential": exponential,
}
"""The classes of mmengine that are made of windows, without ``LR`` at the end."""

ARGUMENTS = {
    "Constant": {"factor"},
    "Linear": {"start_factor", "end_factor"},
    "Poly": {"eta_min", "power"},
    "CosineAnnealing": {"T_max", "eta_min", "eta_min_ratio"},
    "CosineRestart": {"periods", "restart_weights", "eta_min", "eta_min_ratio"},
    "MultiStep": {"milestones", "gamma"},
    "Step": {"step_size", "gamma"},
    "Exponential": {"gamma"},
    "OneCycle": {"eta_max", "total_steps", "pct_start", "anneal_strategy", "div_factor",
                 "final_div_factor", "three_phase"},
    "ReduceOnPlateau": {"monitor", "rule", "factor", "patience", "threshold", "threshold_rule",
                        "cooldown", "min_value", "eps"},
}  # fmt: skip


def is_product(window: Window) -> bool:
    """Whether a window multiplies what others set, so that they may be active at once."""
    if window.shape in ("CosineAnnealing", "Poly"):
        no_floor = not window.key("eta_min") and not window.key("eta_min_ratio")
        half = window.key("T_max") if window.shape == "CosineAnnealing" else None
        return no_floor and not (half and half < window.length)
    return window.shape in ("Constant", "Linear", "MultiStep", "Step", "Exponential")
