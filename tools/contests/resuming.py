"""Resuming late in a run, against resuming early."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.optim import SGD

import olm
from contests import OLM, Contest, Family, Side
from olm.spec.digest import digest
from olm.spec.spec import Spec, parse

LATE, EARLY = 1_000_000, 10
OTHER = "at step 10"

SPECS: list[dict[str, Any]] = [
    {"kind": "WarmupCosineScheduler", "warmup_steps": 5, "total_steps": 2_000_000},
    {
        "kind": "SequentialLR",
        "schedulers": [
            {"kind": "WarmupLR", "warmup_steps": 5},
            {"kind": "LinearLR", "total_steps": 2_000_000},
        ],
        "milestones": [5],
    },
]


def resumed(spec: dict[str, Any], step: int) -> Side:
    """Building a scheduler from the state of a step."""
    schedule = parse(spec).schedule
    state = Spec(
        schedule=schedule, last_epoch=step, base_lrs=(0.5,), digest=digest(schedule)
    ).model_dump()
    optimizer = SGD([torch.zeros(1)], lr=0.5)
    return Side(lambda: olm.build(state, optimizer))


def sides(spec: dict[str, Any]) -> dict[str, Side]:
    """The same spec, far along and hardly begun."""
    return {OLM: resumed(spec, LATE), OTHER: resumed(spec, EARLY)}


FAMILIES = [
    Family(
        f"`olm.build(state, optimizer)` at step {LATE:,}",
        [
            Contest(
                f"resume {spec['kind']}", f"`{spec['kind']}`", partial(sides, spec), {OTHER: 1.10}
            )
            for spec in SPECS
        ],
    )
]
