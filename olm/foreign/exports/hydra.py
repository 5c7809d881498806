"""Hydra: torch's classes by `_target_`, for a scheduler that moves at every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from olm.foreign.exports._candidates import Candidate, best
from olm.foreign.exports._targets import Run, Target
from olm.foreign.exports._torch_calls import (
    Call,
    ends_of_lines,
    falls,
    hold,
    own_call,
    sequence,
    single_calls,
)

MOST_MARKS = 6
"""The most steps that are tried as the end of a warm-up."""


def write(run: Run) -> str:
    """The configuration of a scheduler."""
    return best(run, candidates(run), "hydra", "Hydra with torch's classes")


def candidates(run: Run) -> Iterator[Candidate]:
    """The class of the kind, then lines and half waves between the steps where the curve bends."""
    if (own := own_call(run.schedule, run.steps)) is not None:
        yield _candidate(own)
    yield from map(_candidate, single_calls(run))
    first, last = (float(run.schedule.lr(step, run.base)) for step in (0, run.steps))
    for warmup in ends_of_lines(run)[:MOST_MARKS]:
        # torch rejects a first factor of 0, and factors above 1.
        if not 0 < first <= run.base == run.schedule.lr(warmup, run.base):
            continue
        rise = "LinearLR", {"start_factor": first / run.base, "total_iters": warmup}
        for fall in (hold(1), *falls(run, run.steps - warmup, last)):
            yield _candidate(sequence([rise, fall], [warmup]))


def _candidate(call: Call) -> Candidate:
    settings = {"lr_scheduler": {"interval": "step", "scheduler": _written(call)}}
    return Candidate(call[0], settings)


def _written(call: Call) -> dict[str, Any]:
    name, arguments = call
    if "schedulers" in arguments:
        arguments = {**arguments, "schedulers": [*map(_written, arguments["schedulers"])]}
    return {"_target_": f"torch.optim.lr_scheduler.{name}", "_partial_": True, **arguments}


TARGET = Target(title="Hydra's YAML of torch's classes", write=write, needs_base=True)
