"""States by torch's compositions, which hold the states of their parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from olm.foreign.states import read
from olm.foreign.states._reading import Old, Reader, Seen, State, step_of
from olm.foreign.states.transformers import WRITER
from olm.problem import found


def sequence(state: State, seen: Seen) -> Old:
    """One after another. Which is on, and where it stands, must be what the step says."""
    step, starts = step_of(state, seen), state["_milestones"]
    if not isinstance(starts, list) or not all(type(start) is int for start in starts):
        seen.reject("_milestones", f"must be a list of steps, found {found(starts)}")
    parts = _parts(state, seen)
    if len(parts) == len(starts) + 1:
        on = bisect_right(starts, step)
        inside = step - (starts[on - 1] if on else 0)
        if seen.exact and parts[on].last_epoch != inside:
            seen.reject(
                f"_schedulers[{on}].last_epoch",
                f"at step {step} of the sequence it would be {inside}, "
                f"found {parts[on].last_epoch}",
            )
    return Old(
        "torch's SequentialLR",
        step,
        _their_bases(parts, seen),
        {
            "kind": "SequentialLR",
            "schedulers": [part.schedule for part in parts],
            "milestones": starts,
        },
        _unsaid(parts),
    )


def product(state: State, seen: Seen) -> Old:
    """Together. A product only if each multiplies: otherwise one overwrites what another did."""
    parts = _parts(state, seen)
    steps = sorted({part.last_epoch for part in parts})
    if len(steps) != 1:
        seen.reject("last_epoch", f"the schedulers stand at different steps: {steps}")
    for index, part in enumerate(parts):
        multiplies = part.writer != WRITER and _multiplies(part.schedule or {})
        if seen.exact and len(parts) > 1 and not multiplies:
            seen.reject(
                f"_schedulers[{index}]",
                f"{part.writer} sets the rate and overwrites the others' there; here they multiply",
            )
    fields = {"kind": "ChainedScheduler", "schedulers": [part.schedule for part in parts]}
    bases = _their_bases(parts, seen)
    return Old("torch's ChainedScheduler", steps[0], bases, fields, _unsaid(parts))


def _multiplies(schedule: Mapping[str, Any]) -> bool:
    if schedule["kind"] == "ChainedScheduler":
        return all(map(_multiplies, schedule["schedulers"]))
    floor = schedule.get("eta_min", 0)
    return schedule["kind"] in MULTIPLY and floor == 0


MULTIPLY = (
    "ConstantLR",
    "LinearFactorLR",
    "CosineAnnealingLR",
    "PolynomialLR",
    "StepLR",
    "MultiStepLR",
    "ExponentialLR",
)
"""What torch computes by multiplying the rate that there is."""


def _parts(state: State, seen: Seen) -> list[Old]:
    states = state["_schedulers"]
    if not isinstance(states, list) or not states:
        seen.reject("_schedulers", f"must be a list of states, found {found(states)}")
    parts: list[Old] = []
    for index, one in enumerate(states):
        there = seen.part(index, len(states))
        old = read(one, there) if isinstance(one, Mapping) else None
        if old is None:
            seen.reject(f"_schedulers[{index}]", "this is not a state of any class that is known")
        if old.schedule is None:
            if there.live is None:
                there.reject("lr_lambdas", "a function is not in the state, and no spec says it")
            schedule = there.live.model_dump(mode="json")
            old = replace(old, schedule=schedule, unsaid=(f"{there.after}schedule",))
        parts.append(old)
    return parts


def _their_bases(parts: Sequence[Old], seen: Seen) -> tuple[float, ...] | None:
    bases = {part.base_lrs for part in parts} - {None}
    if len(bases) > 1:
        seen.reject("base_lrs", "the schedulers have different base rates, and a spec has one")
    return next(iter(bases), None)


def _unsaid(parts: Sequence[Old]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part.unsaid))


READERS = [
    Reader("torch's SequentialLR", frozenset({"_milestones", "_schedulers"}), sequence),
    Reader("torch's ChainedScheduler", frozenset({"_schedulers"}), product),
]
