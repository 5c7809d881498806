"""Hydra: torch's classes by `_target_`, for a scheduler that moves at every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from olm.foreign.exports._candidates import Candidate, best
from olm.foreign.exports._targets import Run, Target
from olm.foreign.exports._torch_classes import torch_class

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

MOST_MARKS = 6
"""The most steps that are tried as the end of a warm-up."""


def write(run: Run) -> str:
    """The configuration of a scheduler."""
    return best(run, candidates(run), "hydra", "Hydra with torch's classes")


def candidates(run: Run) -> Iterator[Candidate]:
    """The class of the kind, then lines and half waves between the steps where the curve bends."""
    if (own := _own(run.schedule, run.steps)) is not None:
        yield _candidate(own)
    first, last = (float(run.schedule.lr(step, run.base)) for step in (0, run.steps))
    for warmup in run.marks()[:MOST_MARKS]:
        peak = float(run.schedule.lr(warmup, run.base))
        left = run.steps - warmup
        falls = [
            _call("ConstantLR", factor=1.0, total_iters=1),
            _call("CosineAnnealingLR", T_max=left, eta_min=last),
            _call("LinearLR", start_factor=1.0, end_factor=last / run.base, total_iters=left),
        ]
        rise = _call("LinearLR", start_factor=first / run.base, total_iters=warmup)
        if warmup and (first <= 0 or peak != run.base):
            continue
        for fall in falls:
            yield _candidate(_sequence([rise, fall], [warmup]) if warmup else fall)


def _own(schedule: Schedule, steps: int) -> dict[str, Any] | None:
    """The class of a kind that torch has; None if it has none with the same rates."""
    if (found := torch_class(schedule, steps)) is not None:
        return _call(found[0], **found[1])
    if schedule.kind != "SequentialLR":
        return None
    ends = [min(part.end, steps) - part.start for part in schedule.parts()]
    parts = [_own(part.schedule, end) for part, end in zip(schedule.parts(), ends, strict=True)]
    milestones = [part.start for part in schedule.parts()][1:]
    calls = [part for part in parts if part is not None]
    return _sequence(calls, milestones) if len(calls) == len(parts) else None


def _sequence(calls: list[dict[str, Any]], milestones: list[int]) -> dict[str, Any]:
    return _call("SequentialLR", schedulers=calls, milestones=milestones)


def _call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"_target_": f"torch.optim.lr_scheduler.{name}", "_partial_": True, **arguments}


def _candidate(call: dict[str, Any]) -> Candidate:
    settings = {"lr_scheduler": {"interval": "step", "scheduler": call}}
    return Candidate(call["_target_"].rpartition(".")[2], settings)


TARGET = Target(title="Hydra's YAML of torch's classes", write=write, needs_base=True)
