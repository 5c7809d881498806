"""DeepSpeed's five schedulers, of deepspeed 0.19.8, ``runtime/lr_schedules.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from olm.foreign.configs._config import REQUIRED, Config, Refusal
from olm.foreign.configs._documents import Document, ramp, shifted
from olm.problem import Path, dotted, found

Made = tuple[Document, float | None, Document | None]
"""A schedule, its base rate, and the schedule of the momentum if that moves."""

ANSWERS = {
    "warmup_max_lr": "learning_rate",
    "warmup_num_steps": "warmup_steps",
    "total_num_steps": "total_steps",
}
"""The parameters that an option of the user gives where they are "auto"."""


@dataclass
class Numbers:
    """The parameters of a scheduler."""

    config: Config
    path: Path
    lr: float | None
    """The rate of the optimizer, if it is known."""
    total: int | None = None
    """The length of the schedule, if it has one."""

    def number(self, key: str, default: Any = REQUIRED) -> Any:
        """A number; where it is "auto", the option that answers it, or 0 for the lowest rate."""
        if self.config.peek(*self.path, key) == "auto":
            self.config.get(*self.path, key)
            option = ANSWERS.get(key)
            if option and (value := self.config.option(option)) is not None:
                return value
            if key == "warmup_min_lr":
                # transformers and Accelerate fill it in with their default.
                self.config.defaults[dotted((*self.path, key))] = 0.0
                return 0.0
            flags = [f"--{ANSWERS[each].replace('_', '-')}" for each in ANSWERS]
            text = f'`{key}` is "auto": the trainer fills it in'
            hint = f"give {', '.join(flags)}, or import the arguments of the trainer"
            raise self.config.refusal("auto-value", text, (*self.path, key), hint=hint)
        if default is not None and self.config.is_null(*self.path, key):
            raise self.refusal("type", f"`{key}` is null, and DeepSpeed needs a number", key)
        return self.config.number(*self.path, key, default=default)

    def steps(self, key: str, default: Any = REQUIRED, *, least: int = 1) -> Any:
        """A number of steps."""
        value = self.number(key, default)
        if value is None or (value == int(value) and value >= least):
            return None if value is None else int(value)
        text = f"`{key}` must be a whole number of at least {least}, found {value}"
        raise self.refusal("type", text, key)

    def refusal(self, code: str, text: str, key: str) -> Refusal:
        """The refusal of a parameter."""
        return self.config.refusal(code, text, (*self.path, key))


def _late(schedule: Document) -> Document:
    """A schedule one step late: DeepSpeed is at its step 0 before and after the first step."""
    return shifted(schedule, -1)


def _in_turn(first: Document, steps: int, then: Document) -> Document:
    return {"kind": "SequentialLR", "schedulers": [first, then], "milestones": [steps]}


def _rise(numbers: Numbers, **ends: float) -> tuple[Document, int]:
    """The warm-up and its length, which is at least 2 steps.

    The logarithmic one, which is the default, ends a step early.
    """
    steps = max(2, numbers.steps("warmup_num_steps", 1000))
    shape = numbers.config.text(*numbers.path, "warmup_type", default="log")
    if shape == "linear":
        return ramp(steps, **ends), steps
    if shape != "log":
        numbers.config.note(f"the warm-up is logarithmic: DeepSpeed has no {found(shape)}")
    return ramp(steps - 1, **ends, ease="logarithmic"), steps


def _warmup(numbers: Numbers, highest: float | None) -> tuple[Document, int, float | None, float]:
    """The warm-up, its length, the base rate and the lowest rate."""
    low = numbers.number("warmup_min_lr", 0.0)
    high = numbers.number("warmup_max_lr", highest)
    high = numbers.lr if high is None else high
    base = high if numbers.lr is None else numbers.lr
    if base == 0 and high != base:
        # Nothing is a multiple of a rate of 0.
        base = high
    end = {"end_factor": 1.0} if high == base else {"end_lr": high}
    start = {"start_lr": low} if low else {"start_factor": 0.0}
    return *_rise(numbers, **start, **end), base, low


def _warmup_lr(numbers: Numbers) -> Made:
    rise, _, base, _ = _warmup(numbers, None)
    return _late(rise), base, None


def _warmup_decay(numbers: Numbers) -> Made:
    highest = None if numbers.config.is_null(*numbers.path, "warmup_max_lr") else 0.001
    rise, steps, base, low = _warmup(numbers, highest)
    total = numbers.total = numbers.steps("total_num_steps")
    ends = {key.replace("end", "start"): value for key, value in rise.items() if "end_" in key}
    floor: Document = {"end_lr": low} if low else {"end_factor": 0.0}
    if total <= steps:
        fall: Document = {"kind": "HoldLR", "fixed_lr": low}
    elif not low and "ease" not in rise and rise.get("end_factor") == 1.0:
        lengths = {"warmup_steps": steps, "total_steps": total}
        return _late({"kind": "WarmupDecayLR", **lengths, "decay": "linear"}), base, None
    else:
        fall = ramp(total - steps, **ends, **floor)
    return _late(_in_turn(rise, steps, fall)), base, None


def _warmup_cosine(numbers: Numbers) -> Made:
    low = numbers.number("warmup_min_ratio", 0.0)
    rise, steps = _rise(numbers, start_factor=low, end_factor=1.0)
    total = numbers.total = numbers.steps("total_num_steps")
    floor = numbers.number("cos_min_ratio", 0.0001)
    fall: Document = {"kind": "HoldLR", "factor": floor}
    if total > steps:
        # The first step after the warm-up is already below the base rate.
        fall = ramp(total - steps, end_factor=floor, ease="cosine", offset=1)
    both = _in_turn(rise, steps, fall)
    if low == 0:
        return _late(both), numbers.lr, None
    # The first step trains at 0, whatever the lowest ratio is.
    return _in_turn({"kind": "HoldLR", "factor": 0.0}, 1, both), numbers.lr, None


def _range_test(numbers: Numbers) -> Made:
    low = numbers.number("lr_range_test_min_lr", 1e-3)
    size = numbers.steps("lr_range_test_step_size", 2000)
    rate = numbers.number("lr_range_test_step_rate", 1.0)
    if rate < 0:
        text = "`lr_range_test_step_rate` is negative: the rate falls below 0"
        raise numbers.refusal("unsupported-key", text, "lr_range_test_step_rate")
    rise = ramp(size, start_lr=low, end_lr=low * (1 + rate), past="extrapolate")
    if numbers.config.flag(*numbers.path, "lr_range_test_staircase"):
        rise = {"kind": "TimeLR", "scheduler": rise, "every": size}
    return rise, low if numbers.lr is None else numbers.lr, None


def _one_cycle(numbers: Numbers) -> Made:
    low, high = numbers.number("cycle_min_lr"), numbers.number("cycle_max_lr")
    decay, every = numbers.number("decay_lr_rate", 0.0), numbers.number("decay_step_size", 0)
    tail: Document = {"kind": "HoldLR", "fixed_lr": low}
    if decay < 0:
        text = "`decay_lr_rate` is negative: the rate rises without an end"
        raise numbers.refusal("unsupported-key", text, "decay_lr_rate")
    if decay and every and low:
        every = numbers.steps("decay_step_size")
        ends = {"start_lr": low, "end_lr": low / (1 + decay)}
        tail = ramp(every, **ends, space="inverse", past="extrapolate")
    cycle = _cycle(numbers, low, high, tail)
    base = high if numbers.lr is None else numbers.lr
    return cycle, base, _cycled_momentum(numbers, bool(every))


def _cycle(numbers: Numbers, start: float, turn: float, tail: Document) -> Document:
    """A cycle from a number to another and back, each half perhaps in stairs, and what follows."""
    first = numbers.steps("cycle_first_step_size", 2000)
    second = numbers.steps("cycle_second_step_size", None, least=0)
    second = first if second is None else second
    stairs = numbers.steps("cycle_first_stair_count", 0, least=0)
    back = numbers.steps("cycle_second_stair_count", None, least=0)
    back = stairs if back is None else back
    up = ramp(first, start_lr=start, end_lr=turn)
    if stairs:
        step = _stair(numbers, first, stairs, "cycle_first_stair_count")
        up = {"kind": "TimeLR", "scheduler": up, "every": step}
    if not second:
        return _in_turn(up, first, tail)
    down = ramp(second, start_lr=turn, end_lr=start)
    if back:
        step = _stair(numbers, second, back, "cycle_second_stair_count")
        down = {"kind": "TimeLR", "scheduler": down, "every": step}
        # The stairs are those of the steps that are left.
        down = {"kind": "TimeLR", "scheduler": down, "shift": step - 1}
    schedulers = [up, down, tail]
    return {"kind": "SequentialLR", "schedulers": schedulers, "milestones": [first, first + second]}


def _stair(numbers: Numbers, size: int, count: int, key: str) -> int:
    """The length of a stair.

    Raises:
        Refusal: the stairs do not all have the same length.
    """
    if size % count:
        text = f"{count:,} stairs in {size:,} steps do not all have the same length"
        raise numbers.refusal("unsupported-key", text, key)
    return size // count


def _cycled_momentum(numbers: Numbers, decays: bool) -> Document | None:
    """The schedule of the first of `betas`, which moves against the rate."""
    low, high = numbers.number("cycle_min_mom", 0.8), numbers.number("cycle_max_mom", 0.9)
    rate = numbers.number("decay_mom_rate", 0.0)
    if not numbers.config.flag(*numbers.path, "cycle_momentum", default=True):
        return None
    if rate and decays:
        text = "`decay_mom_rate` moves the momentum after the cycle, and is not translated"
        raise numbers.refusal("unsupported-key", text, "decay_mom_rate")
    cycle = _cycle(numbers, high, low, {"kind": "HoldLR", "fixed_lr": high})
    # Before its first step the scheduler sets the lowest momentum.
    return _in_turn({"kind": "HoldLR", "fixed_lr": low}, 1, {"kind": "TimeLR", "scheduler": cycle,
                                                             "shift": 1})  # fmt: skip


CLASSES: Mapping[str, Callable[[Numbers], Made]] = {
    "LRRangeTest": _range_test,
    "OneCycle": _one_cycle,
    "WarmupLR": _warmup_lr,
    "WarmupDecayLR": _warmup_decay,
    "WarmupCosineLR": _warmup_cosine,
}
"""The schedulers, each with its translation."""
