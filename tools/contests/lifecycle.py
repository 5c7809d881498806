"""What a scheduler does besides stepping, against the same of torch's: build, save, load, report.

Both sides do what their users call, which is not the same work: olm also validates the schedule,
compares it with the state's, and evaluates a block of rates; torch copies references to attributes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from random import sample
from typing import Any

import torch
from torch.optim import SGD, Optimizer

import olm
from contests import OLM, Contest, Family, Side
from contests.others import OTHERS, TOTAL, WARMUP

SPEC = {"kind": "WarmupCosineScheduler", "warmup_steps": WARMUP, "total_steps": TOTAL}

STEPS = 20
"""How many steps a scheduler has taken before it is saved, loaded or asked."""

PEERS = ("torch CosineAnnealingLR", "torch LambdaLR", "torch SequentialLR")

Make = Callable[[Optimizer], Any]
Call = Callable[[], object]


def building(make: Make, optimizer: Optimizer) -> Call:
    """Constructs a scheduler, again and again for one optimizer."""
    return partial(make, optimizer)


def reporting(make: Make, optimizer: Optimizer) -> Call:
    """Returns the rates that were set last."""
    call: Call = _stepped(make, optimizer).get_last_lr
    return call


def saving(make: Make, optimizer: Optimizer) -> Call:
    """Returns the state."""
    call: Call = _stepped(make, optimizer).state_dict
    return call


def loading(make: Make, optimizer: Optimizer) -> Call:
    """Loads a state."""
    scheduler = _stepped(make, optimizer)
    return partial(scheduler.load_state_dict, scheduler.state_dict())


CALLS = {
    "olm.build(spec, optimizer)": building,
    "get_last_lr()": reporting,
    "state_dict()": saving,
    "load_state_dict(state)": loading,
}


def sides(call: Callable[[Make, Optimizer], Call], groups: int) -> dict[str, Side]:
    """The same call of each scheduler, each of which has an optimizer of its own."""
    # torch's SequentialLR sets off torch's own warning about the order of steps.
    warnings.simplefilter("ignore")
    makes: dict[str, Make] = {OLM: lambda optimizer: olm.build(SPEC, optimizer)}
    makes |= {name: OTHERS[name] for name in PEERS}
    # Whoever is made first has the gaps in memory, so that its groups lie far apart.
    prepared = {
        name: Side(call(makes[name], _optimizer(groups))) for name in sample(list(makes), 4)
    }
    return {name: prepared[name] for name in makes}


def _optimizer(groups: int) -> Optimizer:
    rates = [0.1 * (1 + index / groups) for index in range(groups)]
    return SGD([{"params": [torch.zeros(1)], "lr": rate} for rate in rates])


def _stepped(make: Make, optimizer: Optimizer) -> Any:
    scheduler = make(optimizer)
    optimizer.step()
    for _ in range(STEPS):
        scheduler.step()
    return scheduler


def _contest(name: str, groups: int) -> Contest:
    what = f"`{name}`, {groups} group{'s' * (groups > 1)}"
    return Contest(what.replace("`", ""), what, partial(sides, CALLS[name], groups))


FAMILIES = [
    Family(
        "besides `step()`, `WarmupCosineScheduler`",
        [_contest(name, groups) for name in CALLS for groups in (1, 128)],
    )
]
