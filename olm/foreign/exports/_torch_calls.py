"""Calls of torch's scheduler classes that may have the rates of a run, for files that name classes.

Source: torch 2.13, ``torch/optim/lr_scheduler.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from olm.foreign.exports._targets import Run
from olm.foreign.exports._torch_classes import torch_class

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

Call = tuple[str, dict[str, Any]]
"""The name of a class and its arguments, among which `schedulers` are calls."""

DURATIONS = ("total_iters", "step_size", "T_max", "T_0", "step_size_up", "step_size_down")
"""The arguments that are a number of the scheduler's steps."""


def single_calls(run: Run) -> Iterator[Call]:
    """The class of the kind, then those of a constant rate, half a wave and a line."""
    if (own := torch_class(run.schedule, run.steps) or _cycle(run)) is not None:
        yield own
    first, last = (float(run.schedule.lr(step, run.base)) for step in (0, run.steps))
    if first <= run.base:
        yield hold(first / run.base)
    yield from falls(run, run.steps, last)
    for end in (*ends_of_lines(run), run.steps):
        at = float(run.schedule.lr(end, run.base))
        if 0 < first <= run.base and at <= run.base:
            ends = {"start_factor": first / run.base, "end_factor": at / run.base}
            yield "LinearLR", {**ends, "total_iters": end}


def ends_of_lines(run: Run) -> list[int]:
    """The steps at which the curve bends and those before them: a warm-up may end at either."""
    return sorted({mark - by for mark in run.marks() for by in (0, 1) if mark > by})


def hold(factor: float) -> Call:
    """A constant rate."""
    if factor == 1:
        return "ConstantLR", {"factor": 1.0, "total_iters": 1}
    # torch never arrives at a last step that is the first one.
    return "ConstantLR", {"factor": factor, "total_iters": 0}


def falls(run: Run, steps: int, last: float) -> Iterator[Call]:
    """What torch has between the base rate and another one."""
    yield "CosineAnnealingLR", {"T_max": steps, "eta_min": last}
    # torch rejects factors above 1.
    if last <= run.base:
        ends = {"start_factor": 1.0, "end_factor": last / run.base}
        yield "LinearLR", {**ends, "total_iters": steps}


def own_call(schedule: Schedule, steps: int) -> Call | None:
    """The class of a kind that torch has, or a sequence of such; None if its rates differ."""
    if (found := torch_class(schedule, steps)) is not None:
        return found
    if schedule.kind != "SequentialLR":
        return None
    parts = [(part.schedule, min(part.end, steps) - part.start) for part in schedule.parts()]
    calls = [own_call(part, length) for part, length in parts]
    milestones = [part.start for part in schedule.parts()][1:]
    known = [call for call in calls if call is not None]
    return sequence(known, milestones) if len(known) == len(calls) else None


def sequence(calls: list[Call], milestones: list[int]) -> Call:
    """Calls one after another."""
    return "SequentialLR", {"schedulers": calls, "milestones": milestones}


def _cycle(run: Run) -> Call | None:
    """Torch's cycles, which need no momentum if it does not move."""
    schedule = run.schedule
    fields = {key: value for key, value in schedule if key != "kind" and value is not None}
    if schedule.kind not in ("OneCycleLR", "CyclicLR"):
        return None
    # torch raises an error after the last step of its OneCycleLR.
    if schedule.kind == "OneCycleLR" and run.steps > schedule.horizon():
        return None
    return schedule.kind, {**fields, "cycle_momentum": False}


def slower(call: Call, steps: int) -> Call | None:
    """A call of a class that moves once in some steps; None if its ends lie between.

    >>> slower(("StepLR", {"step_size": 30, "gamma": 0.1}), 10)
    ('StepLR', {'step_size': 3, 'gamma': 0.1})
    """
    name, arguments = call
    moved = dict(arguments)
    for key, value in arguments.items():
        if key == "milestones" or key in DURATIONS:
            numbers = value if isinstance(value, list) else [value]
            if any(number % steps for number in numbers):
                return None
            counted = [number // steps for number in numbers]
            moved[key] = counted if isinstance(value, list) else counted[0]
    if name == "StepLR" and moved["step_size"] == 1:
        return "ExponentialLR", {"gamma": moved["gamma"]}
    return name, moved
