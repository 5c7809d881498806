"""torch's scheduler classes, by the names and the arguments that a configuration gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

from olm.foreign.configs._config import MIDDLE, Keys, names
from olm.foreign.configs._documents import Document
from olm.foreign.configs._torch_call import Call
from olm.foreign.configs._torch_cycles import cyclic, one_cycle
from olm.problem import found, listed, nearest

VERSION = "torch 2.13"

HARMLESS = names("optimizer verbose last_epoch _target_ _partial_ _convert_ _recursive_")
"""The arguments and keys of a call that change no rate; `last_epoch` is checked."""

CODE = {
    "LambdaLR": "computes its factors by a function of the program",
    "MultiplicativeLR": "computes its factors by a function of the program",
}
"""The classes whose rates only running a program could give."""

MULTIPLYING = names("StepLR MultiStepLR ConstantLR LinearLR ExponentialLR PolynomialLR")
"""The classes that multiply the rate of whatever else changes it."""


def schedule_of(call: Call) -> Document:
    """The schedule of a call of a class.

    Source: torch 2.13, ``torch/optim/lr_scheduler.py``.

    Raises:
        Refusal: olm has no schedule with these rates, or an argument is unknown.
    """
    name = call.name
    if name in CODE:
        raise call.refusal("needs-code", f"{name} {CODE[name]}")
    if name not in CLASSES:
        meant = nearest(name, CLASSES)
        hint = f"did you mean `{meant}`?" if meant else f"known are {listed(CLASSES, 'and')}"
        text = f"`{name}` is no scheduler class of torch"
        raise call.config.refusal("unknown-scheduler", text, call.path, hint=hint)
    call.config.check_default(-1, MIDDLE, *call.path, "last_epoch")
    schedule = CLASSES[name](call)
    call.config.check_keys(Keys(f"torch's {name}", frozenset()), *call.path, allowed=HARMLESS)
    return schedule


def _step(call: Call) -> Document:
    size, gamma = call.count("step_size"), call.number("gamma", 0.1)
    return {"kind": "StepLR", "step_size": call.tick.times(size), "gamma": gamma}


def _multi_step(call: Call) -> Document:
    milestones = sorted(_whole_numbers(call, "milestones", least=0))
    gamma = call.number("gamma", 0.1)
    return {"kind": "MultiStepLR", "milestones": [*map(call.tick.times, milestones)],
            "gamma": gamma}  # fmt: skip


def _exponential(call: Call) -> Document:
    gamma = call.number("gamma")
    if call.tick.is_a_step:
        return {"kind": "ExponentialLR", "gamma": gamma}
    return {"kind": "StepLR", "step_size": call.tick.times(1), "gamma": gamma}


def _constant(call: Call) -> Document:
    factor, total = call.factor("factor", 1 / 3), call.count("total_iters", 5, least=0)
    if total == 0:
        # torch multiplies by the factor at its first step, and never arrives at the last one.
        return {"kind": "HoldLR"} if call.at_milestone else {"kind": "HoldLR", "factor": factor}
    if factor == 0:
        text = f"`factor` is 0, by which torch divides after {total} steps"
        raise call.refusal("unsupported-key", text, "factor")
    return {"kind": "ConstantLR", "factor": factor, "total_iters": call.tick.times(total)}


def _linear(call: Call) -> Document:
    start, end = call.factor("start_factor", 1 / 3, zero=False), call.factor("end_factor", 1.0)
    total = _total_iters(call)
    if total == 0:
        return {"kind": "HoldLR", "factor": start}
    factors = {"start_factor": start, "end_factor": end}
    return call.slowed({"kind": "LinearFactorLR", **factors, "total_iters": call.tick.times(total)})


def _total_iters(call: Call) -> int:
    """The length of a line or a polynomial."""
    total: int = call.count("total_iters", 5, least=0)
    if total == 0 and call.at_milestone:
        text = "`total_iters` is 0, by which torch divides at the milestone"
        raise call.refusal("unsupported-key", text, "total_iters")
    return total


def _polynomial(call: Call) -> Document:
    total, power = _total_iters(call), call.number("power", 1.0)
    if total == 0:
        return {"kind": "HoldLR"}
    fields = {"total_iters": call.tick.times(total), "power": power}
    return call.slowed({"kind": "PolynomialLR", **fields})


def _cosine(call: Call) -> Document:
    half, floor = call.count("T_max"), call.number("eta_min", 0.0)
    steps = call.tick.times(half)
    if call.moves is not None and call.moves <= half + 1:
        return call.slowed({"kind": "CosineAnnealingLR", "T_max": steps, "eta_min": floor})
    # torch's cosine rises again after T_max.
    wave = {"kind": "RampLR", "total_steps": steps, "ease": "cosine", "past": "mirror"}
    return call.slowed({**wave, "end_lr": floor} if floor else wave)


def _restarts(call: Call) -> Document:
    fields = {"T_0": call.tick.times(call.count("T_0")), "T_mult": call.count("T_mult", 1)}
    floor = call.number("eta_min", 0.0)
    return call.slowed({"kind": "CosineAnnealingWarmRestarts", **fields, "eta_min": floor})


def _plateau(call: Call) -> Document:
    return {
        "kind": "ReduceLROnPlateau",
        "mode": call.word("mode", "min", "max"),
        "factor": call.number("factor", 0.1),
        "patience": call.count("patience", 10, least=0),
        "threshold": call.number("threshold", 1e-4),
        "threshold_mode": call.word("threshold_mode", "rel", "abs"),
        "cooldown": call.count("cooldown", 0, least=0),
        "min_lr": call.number("min_lr", 0.0),
        "eps": call.number("eps", 1e-8),
    }


def _sequence(call: Call) -> Document:
    milestones = _whole_numbers(call, "milestones", least=1)
    if any(later <= earlier for earlier, later in pairwise(milestones)):
        text = "`milestones` must ascend: torch never starts a scheduler between equal ones"
        raise call.refusal("unsupported-key", text, "milestones")
    ends = [*milestones, call.moves]
    lengths = [end and end - start for start, end in zip([0, *milestones], ends, strict=True)]
    children = _children(call, lengths, {*MULTIPLYING, "CosineAnnealingLR",
                                         "CosineAnnealingWarmRestarts"})  # fmt: skip
    if len(children) != len(milestones) + 1:
        text = f"{len(children)} schedulers need {len(children) - 1} milestones"
        raise call.refusal("needs-key", text, "milestones")
    points = [*map(call.tick.times, milestones)]
    return {"kind": "SequentialLR", "schedulers": children, "milestones": points}


def _chain(call: Call) -> Document:
    known = {*MULTIPLYING, "CosineAnnealingLR", "ChainedScheduler"}
    children = _children(call, None, known)
    if any(_sets_the_rate(child) for child in children):
        text = "a cosine among other schedulers only multiplies up to `T_max` and with `eta_min` 0"
        raise call.refusal("unsupported-key", text, "schedulers")
    return {"kind": "ChainedScheduler", "schedulers": children}


def _sets_the_rate(child: Document) -> bool:
    """Whether a schedule is a cosine that torch adds to the rate, or whose end is not known."""
    inner: Document = child.get("scheduler", child)
    return inner["kind"] == "RampLR" or bool(inner.get("eta_min"))


def _children(call: Call, lengths: list[int | None] | None, known: set[str]) -> list[Document]:
    """The schedules of the schedulers in the argument `schedulers`."""
    listing = call.config.peek(*call.path, "schedulers")
    if not isinstance(listing, list) or not listing:
        text = f"`schedulers` must be a list of schedulers, found {found(listing)}"
        if listing is None:
            raise call.refusal("needs-key", text, "schedulers")
        raise call.refusal("type", text, "schedulers")
    made = []
    for index in range(len(listing)):
        at = (*call.path, "schedulers", index)
        name, path = call.child(call.config, at)
        if name in CLASSES and name not in known:
            text = f"torch does not run {name} correctly inside {call.name}"
            raise call.config.refusal("unsupported-key", text, at)
        moves = call.moves if lengths is None or index >= len(lengths) else lengths[index]
        late = lengths is not None and index > 0
        child = replace(call, name=name, path=path, moves=moves, at_milestone=late)
        made.append(schedule_of(child))
    return made


def _whole_numbers(call: Call, key: str, *, least: int) -> list[int]:
    """The whole numbers of a list."""
    listing = call.config.get(*call.path, key)
    if not isinstance(listing, list):
        text = f"`{key}` must be a list of whole numbers, found {found(listing)}"
        raise call.refusal("type", text, key)
    numbers = [call.config.whole(*call.path, key, index) for index in range(len(listing))]
    if any(number < least for number in numbers):
        raise call.refusal("type", f"`{key}` must be at least {least}", key)
    return numbers


CLASSES: Mapping[str, Callable[[Call], Document]] = {
    "StepLR": _step,
    "MultiStepLR": _multi_step,
    "ConstantLR": _constant,
    "LinearLR": _linear,
    "ExponentialLR": _exponential,
    "PolynomialLR": _polynomial,
    "CosineAnnealingLR": _cosine,
    "CosineAnnealingWarmRestarts": _restarts,
    "OneCycleLR": one_cycle,
    "CyclicLR": cyclic,
    "ReduceLROnPlateau": _plateau,
    "SequentialLR": _sequence,
    "ChainedScheduler": _chain,
}
"""The classes, each with its translation."""
