"""timm's schedulers as schedules, which step after each epoch or after each update."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor, log, tanh
from typing import Any

from olm.foreign.configs._config import Config
from olm.foreign.configs._epochs import Epochs

Node = dict[str, Any]

SHAPES: dict[str, Node] = {
    "linear": {},
    "1-sqrt": {"ease": "power", "power": 0.5},
    "cosine": {"ease": "cosine"},
}
"""timm's ``--lr-decay-fn`` as eases."""


@dataclass(frozen=True)
class Run:
    """What every scheduler of timm is made with."""

    config: Config
    lr: float
    epoch: Epochs
    epochs: int
    warmup: int
    is_prefix: bool
    """Whether the epochs come after those of the warm-up."""
    on_updates: bool
    """Whether the schedule steps after each update."""

    @property
    def shift(self) -> int:
        """The epochs of the warm-up that the schedule after it counts as its own."""
        return 0 if self.is_prefix else self.warmup

    @property
    def total(self) -> int:
        """The epochs of the run, without cycles and those at the end."""
        return self.epochs + (self.warmup if self.is_prefix else 0)

    @property
    def step(self) -> int | str:
        """The duration between two steps of the scheduler."""
        return 1 if self.on_updates else self.epoch.span(1)

    @property
    def cooldown(self) -> int:
        return int(self.config.whole("cooldown_epochs", default=0))

    @property
    def low(self) -> float:
        return float(self.config.number("min_lr", default=0.0))

    def warmed(self, then: Node, **end: float) -> Node:
        """A rise from an absolute rate, and then a schedule whose step 0 is after it."""
        if not self.warmup:
            return then
        start = self.config.number("warmup_lr", default=1e-5)
        length = self.epoch.span(self.warmup)
        ends = {"start_lr": start, **(end or {"end_factor": 1.0})}
        return _after({"kind": "RampLR", "total_steps": length, **ends}, length, then)

    def shifted(self, schedule: Node) -> Node:
        """A schedule that counts the epochs of the warm-up, unless they are its prefix."""
        if not self.shift:
            return schedule
        return {"kind": "TimeLR", "scheduler": schedule, "shift": self.epoch.span(self.shift)}

    def refused(self, key: str, text: str, code: str = "unsupported-key") -> Exception:
        """The refusal of a key, to be raised."""
        return self.config.refusal(code, text, (key,))


def _after(first: Node, length: int | str, then: Node) -> Node:
    return {"kind": "SequentialLR", "schedulers": [first, then], "milestones": [length]}


def constant(run: Run) -> tuple[Node, int]:
    """No decay."""
    return run.warmed({"kind": "HoldLR"}), run.total


def cycles(run: Run, decay: Node) -> tuple[Node, int]:
    """A decay that may be repeated, and the epochs of the run."""
    config = run.config
    count = config.whole("lr_cycle_limit", default=1)
    extra = run.cooldown + run.total - run.epochs
    if count <= 1:
        return run.shifted(decay), run.epochs + extra
    growth = config.number("lr_cycle_mul", default=1.0)
    if growth <= 0:
        raise run.refused("lr_cycle_mul", f"lr_cycle_mul must be above 0, found {growth}", "type")
    shrink = config.number("lr_cycle_decay", default=0.5)
    length = run.epochs * count
    if growth != 1:
        _check_cycles(run, growth, count)
        length = floor(-run.epochs * (growth**count - 1) / (1 - growth))
        if (length + run.cooldown) * (1 - growth) >= run.epochs:
            text = "timm raises an error where cycles that become shorter have come to their end"
            raise run.refused("lr_cycle_mul", text)
    many = {"kind": "RepeatLR", "scheduler": decay, "period": run.epoch.span(run.epochs)}
    return run.shifted({**many, "growth": growth, "shrink": shrink, "count": count}), length + extra


def _check_cycles(run: Run, growth: float, count: int) -> None:
    """Refuse cycles at whose starts timm's logarithm is rounded into the cycle before."""
    run.config.check_few(count, "lr_cycle_limit")
    period = run.epochs * ((run.epoch.steps or 1) if run.on_updates else 1)
    for cycle in range(1, count + 1):
        start = period * (growth**cycle - 1) / (growth - 1)
        if start == floor(start) and floor(log(1 - start / period * (1 - growth), growth)) != cycle:
            text = f"timm begins cycle {cycle + 1} a step late, as it rounds a logarithm down"
            raise run.refused("lr_cycle_mul", text, "between-steps")


def cosine(run: Run) -> tuple[Node, int]:
    """Half a cosine."""
    _check_stretch(run)
    curve = {"kind": "CosineAnnealingLR", "T_max": run.epoch.span(run.epochs), "eta_min": run.low}
    schedule, total = cycles(run, curve)
    return run.warmed(schedule), total


def _check_stretch(run: Run) -> None:
    stretch = run.config.number("lr_k_decay", default=1.0)
    if stretch != 1:
        text = f"`lr_k_decay` {stretch} bends the curve in a way that is not translated"
        raise run.refused("lr_k_decay", text)


def polynomial(run: Run) -> tuple[Node, int]:
    """A polynomial, whose power is timm's decay rate."""
    power = run.config.number("decay_rate", default=0.1)
    shape: Node = {"ease": "polynomial", "power": power}
    if power == 1:
        shape = {"ease": "power", "power": run.config.number("lr_k_decay", default=1.0)}
    else:
        _check_stretch(run)
    curve = {"kind": "RampLR", "total_steps": run.epoch.span(run.epochs), "end_lr": run.low}
    schedule, total = cycles(run, {**curve, **shape})
    return run.warmed(schedule), total


def hyperbolic(run: Run) -> tuple[Node, int]:
    """A hyperbolic tangent, with what timm does before it."""
    length = run.epoch.span(run.epochs)
    schedule, total = cycles(run, {"kind": "TanhLR", "total_steps": length, "end_lr": run.low})
    if not run.warmup:
        # Its constructor leaves the base rate, and only the next step is on the curve.
        later = {"kind": "TimeLR", "scheduler": schedule, "shift": run.step}
        return _after({"kind": "HoldLR"}, run.step, later), total
    if run.is_prefix:
        return run.warmed(schedule), total
    if run.warmup >= run.epochs:
        raise run.refused("warmup_epochs", "the warm-up leaves no epoch for the decay")
    done = run.warmup / run.epochs
    left = 0.5 * (1 - tanh(-7.0 * (1 - done) + 3.0 * done))
    return run.warmed(schedule, end_lr=run.low + (run.lr - run.low) * left), total


def equal_steps(run: Run) -> tuple[Node, int]:
    """A decay after equal numbers of epochs, which need not be whole."""
    size = run.config.number("decay_epochs", default=90)
    if size <= 0:
        raise run.refused("decay_epochs", f"decay_epochs must be above 0, found {size}", "type")
    gamma = run.config.number("decay_rate", default=0.1)
    if size == int(size) or (run.on_updates and run.epoch.is_whole(size)):
        steps = {"kind": "StepLR", "step_size": run.epoch.span(size), "gamma": gamma}
        return run.warmed(run.shifted(steps)), run.total
    if run.on_updates:
        raise run.refused("decay_epochs", f"{size} epochs are not whole steps", "between-steps")
    run.config.check_few(max(run.total - run.shift, (run.total - run.shift) / size), "decay_epochs")
    # timm decays at the first epoch after each, so that the epochs between are of two numbers.
    places = [place - run.shift for place in _drops(size, run.shift, run.total)]
    milestones = [run.epoch.span(place) for place in places]
    steps = {"kind": "MultiStepLR", "milestones": milestones, "gamma": gamma}
    if not milestones:
        steps = {"kind": "HoldLR"}
    if run.shift >= size:
        before = {"kind": "HoldLR", "factor": gamma ** int(run.shift // size)}
        steps = {"kind": "ChainedScheduler", "schedulers": [before, steps]}
    return run.warmed(steps), run.total


def _drops(size: float, first: int, last: int) -> Iterator[int]:
    """Where the number of decays grows, once for each."""
    before = int(first // size)
    for place in range(first + 1, last + 1):
        yield from [place] * (int(place // size) - before)
        before = int(place // size)


def listed_steps(run: Run) -> tuple[Node, int]:
    """A decay at listed epochs: timm decays a step before each."""
    listed = run.config.get("decay_milestones", default=[90, 180, 270])
    places = [90, 180, 270]
    if isinstance(listed, list) and run.config.has("decay_milestones"):
        places = [run.config.whole("decay_milestones", place) for place in range(len(listed))]
    if places != sorted(places):
        text = "timm drops twice at the earlier milestone of two that do not ascend"
        raise run.refused("decay_milestones", text)
    if not run.warmup and places[0] <= (0 if run.on_updates else 1):
        text = "timm trains with the base rate first, and decays a step later"
        raise run.refused("decay_milestones", text)
    milestones: list[int | str] = []
    for place in places:
        if run.on_updates:
            later = place > run.shift
            milestones.append(run.epoch.span(place - run.shift, less=1) if later else 0)
        else:
            later = place - 1 > run.shift
            milestones.append(run.epoch.span(place - 1 - run.shift) if later else 0)
    gamma = run.config.number("decay_rate", default=0.1)
    steps = {"kind": "MultiStepLR", "milestones": milestones, "gamma": gamma}
    return run.warmed(steps), run.total


def stable(run: Run) -> tuple[Node, int]:
    """A plateau, or an inverse square root, and a decay at the end of the run."""
    name = run.config.peek("sched")
    main = run.epochs if run.is_prefix else run.epochs - run.warmup
    unit = (run.epoch.steps or 1) if run.on_updates else 1
    written = run.config.number("decay_epochs", default=0.2)
    decay = round(written * main * unit if 0 < written < 1 else written * unit)
    if not 0 < decay <= main * unit:
        raise run.refused("decay_epochs", f"timm requires a decay of up to {main} epochs", "type")
    shape = run.config.text("lr_decay_fn", default="1-sqrt" if name == "wsd" else "linear")
    if shape not in SHAPES or (name == "rsqrt" and run.low):
        key = "min_lr" if shape in SHAPES else "lr_decay_fn"
        raise run.refused(key, f"{key} {run.config.peek(key)} is not translated here")
    length = decay if run.on_updates else run.epoch.span(decay)
    before = main * unit - decay
    ramp = {"kind": "RampLR", "total_steps": length, "end_lr": run.low, **SHAPES[shape]}
    hold = before if run.on_updates else run.epoch.span(before)
    then = _after({"kind": "HoldLR"}, hold, ramp) if before else ramp
    if name == "rsqrt":
        scale = run.config.number("lr_stable_timescale", default=run.warmup)
        if scale <= 0:
            raise run.refused(
                "sched", "rsqrt requires lr_stable_timescale without a warm-up", "type"
            )
        root = {"kind": "PowerLR", "power": 0.5, "decay_steps": run.epoch.span(scale)}
        ramp = {key: value for key, value in ramp.items() if key != "end_lr"}
        then = _after({"kind": "HoldLR"}, hold, ramp) if before else ramp
        then = {"kind": "ChainedScheduler", "schedulers": [root, then]}
    return run.warmed(then), run.warmup + main + run.cooldown


SCHEDULES: dict[str, Callable[[Run], tuple[Node, int]]] = {
    "cosine": cosine,
    "tanh": hyperbolic,
    "step": equal_steps,
    "multistep": listed_steps,
    "poly": polynomial,
    "wsd": stable,
    "rsqrt": stable,
    "constant": constant,
}
"""timm's ``--sched`` → the schedule and the epochs of the run."""
