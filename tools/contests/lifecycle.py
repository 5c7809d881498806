"""What comes before and after the steps: parse, load, build, save and resume.

Against torch, both sides do what their users call, which is not the same work: olm also validates
the schedule, compares it with the state's, and evaluates a block of rates; torch copies references
to attributes. torch has no documents: its constructor is what `parse` and `load` are held against.

Against a document of a tenth of the size, the time may grow no faster than the document.
"""

from __future__ import annotations

import atexit
import json
import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from random import sample
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.optim import SGD, Optimizer

import olm
from contests import OLM, Contest, Family, Side
from contests.others import OTHERS, TOTAL, WARMUP
from olm.train.schedulers.read_ahead import BLOCK

SPEC = {"kind": "WarmupCosineScheduler", "warmup_steps": WARMUP, "total_steps": TOTAL}

STEPS = 20
"""How many steps a scheduler has taken before it is saved, loaded or asked."""

PEERS = ("torch CosineAnnealingLR", "torch LambdaLR", "torch SequentialLR")

Document = dict[str, Any]
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


def parsing(document: Document) -> Call:
    """The spec of a mapping."""
    return partial(olm.parse, document)


def reading(document: Document) -> Call:
    """The spec of a file."""
    path = Path(_folder(), f"{len(list(Path(_folder()).iterdir()))}.olm.yaml")
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
    return partial(olm.load, path)


SPECS = {"olm.parse(document)": parsing, "olm.load(path)": reading}


def specs(call: Callable[[Document], Call]) -> dict[str, Side]:
    """How a document becomes a spec, and torch's constructors, which need an optimizer."""
    warnings.simplefilter("ignore")
    made = {OLM: Side(call(SPEC))}
    return made | {name: Side(building(OTHERS[name], _optimizer(1))) for name in PEERS}


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


def deep(levels: int) -> Document:
    """Sequences inside sequences."""
    document: Document = {"kind": "LinearLR", "total_steps": TOTAL}
    for _ in range(levels - 1):
        parts = [{"kind": "WarmupLR", "warmup_steps": 2}, document]
        document = {"kind": "SequentialLR", "schedulers": parts, "milestones": [2]}
    return document


def sequence(parts: int) -> Document:
    """One schedule after another."""
    part = {"kind": "LinearLR", "total_steps": 10, "end_lr": 0.01}
    schedulers = [{**part} for _ in range(parts)]
    milestones = [10 * index for index in range(1, parts)]
    return {"kind": "SequentialLR", "schedulers": schedulers, "milestones": milestones}


def points(number: int) -> Document:
    """A table of rates."""
    factors = [(1 + index % 9) / 10 for index in range(number)]
    return {"kind": "TableLR", "milestones": [*range(1, number + 1)], "factors": factors}


LARGE: dict[str, tuple[Callable[[int], Document], int, int]] = {
    "16 levels": (deep, 2, 16),
    "1,000 parts": (sequence, 100, 1_000),
    "49,000 points": (points, 4_900, 49_000),
}
"""What makes a document, with a small and a large number: as many points as a document may have."""

SMALL = "as many characters in smaller documents"


def _constructing(document: Document) -> Call:
    return partial(olm.build, olm.parse(document), _optimizer(1))


def _resuming(document: Document) -> Call:
    scheduler = _stepped(partial(olm.build, document), _optimizer(1))
    return partial(olm.build, scheduler.state_dict(), _optimizer(1))


def _of(call: Callable[[Make, Optimizer], Call], document: Document) -> Call:
    return call(partial(olm.build, document), _optimizer(1))


def stepping(make: Make, optimizer: Optimizer) -> Call:
    """Takes steps: as many as a block has, so that one is evaluated."""
    step = _stepped(make, optimizer).step
    return partial(_repeated, step, BLOCK)


GROWTH: Mapping[str, Callable[[Document], Call]] = {
    **SPECS,
    "olm.build(spec, optimizer)": _constructing,
    "state_dict()": partial(_of, saving),
    "load_state_dict(state)": partial(_of, loading),
    "olm.build(state, optimizer)": _resuming,
    "step()": partial(_of, stepping),
}


def growth(call: Callable[[Document], Call], size: str) -> dict[str, Side]:
    """A call with a large document, and as many with a small one as make up its length."""
    make, *numbers = LARGE[size]
    small, large = (make(number) for number in numbers)
    times = round(len(json.dumps(large)) / len(json.dumps(small)))
    return {OLM: Side(call(large)), SMALL: Side(partial(_repeated, call(small), times))}


def _repeated(call: Call, times: int) -> None:
    for _ in range(times):
        call()


@cache
def _folder() -> str:
    folder = TemporaryDirectory(prefix="olm-bench-")
    atexit.register(folder.cleanup)
    return folder.name


def _spec_contest(name: str, call: Callable[[Document], Call]) -> Contest:
    what = f"`{name}`, against torch's constructors"
    return Contest(name, what, partial(specs, call))


def _growth_contest(name: str, size: str) -> Contest:
    what = f"`{name}`, {size}"
    sides = partial(growth, GROWTH[name], size)
    return Contest(f"growth {name} {size}", what, sides, {SMALL: 1.25}, setups=3)


FAMILIES = [
    Family(
        "besides `step()`, `WarmupCosineScheduler`",
        [
            *(_spec_contest(name, call) for name, call in SPECS.items()),
            *(_contest(name, groups) for name in CALLS for groups in (1, 128)),
        ],
    ),
    Family(
        "how time grows with a document",
        [_growth_contest(name, size) for size in LARGE for name in GROWTH],
    ),
]
