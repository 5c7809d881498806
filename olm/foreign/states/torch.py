"""States by torch's own classes (2.13; older ones lack some keys), each as the kind that it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from olm.foreign.states._reading import Old, Reader, Seen, State, same_fields, step_of, whole
from olm.problem import MAX_VALUES

TORCHS = "_get_lr_called_within_step"
"""A key by which a state of torch's is known from one by OpenLanguageModel."""


def cosine(state: State, seen: Seen) -> Old:
    """Half a wave; torch's goes on as a whole one."""
    torchs = TORCHS in state
    step, end = step_of(state, seen), state["T_max"]
    if torchs and seen.exact and isinstance(end, int) and step >= end:
        seen.reject(
            "T_max", f"torch's rate rises again after step {end}, and ours stays: no such kind"
        )
    writer = "torch's" if torchs else "OpenLanguageModel's"
    return same_fields("CosineAnnealingLR", f"{writer} CosineAnnealingLR", state, seen)


def milestones(state: State, seen: Seen) -> Old:
    """Steps that torch counts in a Counter, whose keys JSON turns into strings."""
    counts = state["milestones"]
    if isinstance(counts, Mapping):
        times = {key: whole(counts[key], f"milestones[{key!r:.20}]", seen) for key in counts}
        if sum(times.values()) > MAX_VALUES:
            seen.reject("milestones", f"must count at most {MAX_VALUES:,} steps")
        steps = [
            int(key) if isinstance(key, str) and key.isdecimal() else key
            for key, count in times.items()
            for _ in range(count)
        ]
        if not all(isinstance(step, int) for step in steps):
            seen.reject("milestones", "must count whole numbers of steps")
        state = {**state, "milestones": sorted(steps)}
    return same_fields("MultiStepLR", "torch's MultiStepLR", state, seen)


def _plain(kind: str, *fields: str, name: str = "") -> Reader:
    writer = f"torch's {name or kind}"
    return Reader(writer, frozenset(fields), partial(same_fields, kind, writer))


READERS = [
    _plain("ConstantLR", "factor", "total_iters"),
    _plain("LinearFactorLR", "start_factor", "end_factor", "total_iters", name="LinearLR"),
    _plain("PolynomialLR", "total_iters", "power"),
    _plain("StepLR", "step_size", "gamma"),
    _plain("ExponentialLR", "gamma"),
    Reader("torch's CosineAnnealingLR", frozenset({"T_max", "eta_min"}), cosine),
    Reader("torch's MultiStepLR", frozenset({"milestones", "gamma"}), milestones),
]
