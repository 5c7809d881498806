"""OpenLanguageModel: five schedulers that olm reproduces to the bit, with names and arguments."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import distribution
from types import ModuleType
from typing import Any

from peers import Curves, Peer, Refused, Row, steps_around
from peers._stepping import stepped

LENGTHS = (7, 10, 1000, 2999)

RATES = ((1.0, 0, 1.0), (0.1, 1e-5, 0.5), (3e-4, 3e-4 / 7, 1 / 3), (0.0123, 0.033, 1.7))
"""A base rate, the other end of the curve (once above the base rate), and a starting factor."""


def rates(row: Row) -> Curves:
    """Step the class of OpenLanguageModel."""
    return stepped(row, vars(_schedulers()))


@cache
def _schedulers() -> ModuleType:
    """`olm.train.schedulers` of OpenLanguageModel, without the trainer and its requirements."""
    installed = distribution("openlanguagemodel")
    for name in ("olm", "olm.train"):
        package = ModuleType(name)
        package.__path__ = [str(installed.locate_file(name.replace(".", "/")))]
        sys.modules[name] = package
    return import_module("olm.train.schedulers")


def _row(kind: str, base: float, steps: tuple[int, ...], **arguments: Any) -> Row:
    return Row(_call(kind, arguments), {"kind": kind, **arguments}, (base,), steps)


def _refused(kind: str, argument: str, instead: str, **arguments: Any) -> Refused:
    return Refused(_call(kind, arguments), {"kind": kind, **arguments}, argument, instead)


def _call(kind: str, arguments: dict[str, Any]) -> str:
    return f"{kind}({', '.join(['optimizer', *(f'{k}={v!r}' for k, v in arguments.items())])})"


def _rows() -> Iterator[Row]:
    for total in LENGTHS:
        for base, low, factor in RATES:
            yield from _decays(total, base, low, factor)
            # In a short schedule, some of these are the same step.
            for warmup in dict.fromkeys((0, 1, 3, total // 3, total - 1)):
                steps = _steps(total, warmup)
                arguments = {"warmup_steps": warmup, "total_steps": total, "min_lr": low}
                yield _row("WarmupCosineScheduler", base, steps, **arguments)
    yield _row("WarmupLR", 0.1, tuple(range(11)), warmup_steps=0)
    yield _row("CosineAnnealingLR", 0.1, tuple(range(7)), T_max=1)
    yield _row("LinearLR", 0.1, tuple(range(7)), total_steps=1)


def _decays(total: int, base: float, low: float, factor: float) -> Iterator[Row]:
    steps = _steps(total)
    yield _row("CosineAnnealingLR", base, steps, T_max=total, eta_min=low)
    yield _row("LinearLR", base, steps, total_steps=total, end_lr=low, start_factor=factor)
    yield _row("LinearDecayLR", base, steps, total_steps=total)
    yield _row("WarmupLR", base, steps, warmup_steps=total, start_lr=low)


def _steps(total: int, warmup: int = 0) -> tuple[int, ...]:
    """Steps up to the fifth past the end."""
    return steps_around((0, warmup, total // 2, total), total + 5, every=-(-total // 40))


ZERO = "OLM jumps from the base rate to the floor at step 1; olm requires at least 1"
NEGATIVE = "OLM accepts any number of steps; olm requires at least {}"
CLIFF = "OLM rises to the end and drops sharply; olm requires a warm-up below the total"

PEER = Peer(
    distribution="openlanguagemodel",
    version="2.2.1",
    tolerance=0.0,
    rows=list(_rows()),
    rates=rates,
    refused=[
        _refused("CosineAnnealingLR", "T_max", ZERO, T_max=0),
        _refused("CosineAnnealingLR", "T_max", NEGATIVE.format(1), T_max=-3),
        _refused("LinearLR", "total_steps", ZERO, total_steps=0),
        _refused("LinearLR", "total_steps", NEGATIVE.format(1), total_steps=-3),
        _refused(
            "LinearDecayLR",
            "total_steps",
            "OLM is at zero from step 0 on; olm requires at least 1",
            total_steps=0,
        ),
        _refused("WarmupLR", "warmup_steps", NEGATIVE.format(0), warmup_steps=-1),
        _refused("WarmupCosineScheduler", "warmup_steps", CLIFF, warmup_steps=5, total_steps=5),
        _refused("WarmupCosineScheduler", "warmup_steps", CLIFF, warmup_steps=8, total_steps=5),
        _refused("WarmupCosineScheduler", "total_steps", ZERO, warmup_steps=0, total_steps=0),
        _refused(
            "WarmupCosineScheduler",
            "warmup_steps",
            "OLM starts inside the cosine; olm requires at least 0",
            warmup_steps=-2,
            total_steps=5,
        ),
    ],
    needs=["torch", "numpy"],
    dependencies=False,
)
