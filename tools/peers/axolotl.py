"""axolotl: its torch schedulers, one of which restarts the warm-up on top of any other."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.metadata import distribution
from types import ModuleType
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._stepping import stepped

Spec = dict[str, Any]

BASES = (0.1, 3e-4)


def rates(row: Row) -> Curves:
    """Step the scheduler of axolotl."""
    return stepped(row, vars(_schedulers()))


@cache
def _schedulers() -> ModuleType:
    """`axolotl.utils.schedulers`, without the trainer in the same package."""
    installed = distribution("axolotl")
    for name in ("axolotl", "axolotl.utils"):
        package = ModuleType(name)
        package.__path__ = [str(installed.locate_file(name.replace(".", "/")))]
        sys.modules[name] = package
    return import_module("axolotl.utils.schedulers")


def _call(name: str, **arguments: Any) -> str:
    return f"{name}({', '.join(['optimizer', *(f'{k}={v!r}' for k, v in arguments.items())])})"


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total_steps: int, **fields: Any) -> Spec:
    return {"kind": "RampLR", "total_steps": total_steps, **fields}


def _rise(warmup: int, **fields: Any) -> Spec:
    return _ramp(warmup, start_factor=0.0, end_factor=1.0, **fields)


def _hold() -> Spec:
    return {"kind": "HoldLR"}


def _decay(warmup: int, total: int, end_factor: float) -> Spec:
    lengths = {"warmup_steps": warmup, "total_steps": total}
    return {"kind": "WarmupDecayLR", **lengths, "decay": "cosine", "end_factor": end_factor}


def _sequence(schedulers: list[Spec], milestones: list[int]) -> Spec:
    return {"kind": "SequentialLR", "schedulers": schedulers, "milestones": milestones}


def _at(first: int, scheduler: Spec) -> Spec:
    """The same spec, starting at a step other than 0."""
    return {"kind": "TimeLR", "scheduler": scheduler, "shift": first}


QUADRATIC = "get_cosine_schedule_with_quadratic_warmup"
SQUARE = {"ease": "power", "power": 2.0}


def _quadratic(last: int, instead: str = "") -> Row:
    lengths = {"num_warmup_steps": 6, "num_training_steps": 36}
    return Row(
        _call(QUADRATIC, **lengths),
        _sequence([_rise(6, **SQUARE), _ramp(30, ease="cosine")], [6]),
        BASES,
        _up_to(last),
        instead,
    )


def _min_lr(last: int, instead: str = "") -> Row:
    lengths = {"num_warmup_steps": 5, "num_training_steps": 30}
    return Row(
        _call("get_cosine_schedule_with_min_lr", **lengths, min_lr_ratio=0.1),
        _decay(5, 30, end_factor=0.1),
        BASES,
        _up_to(last),
        instead,
    )


def _rex(base: float, warmup: int, min_lr: float, instead: str = "") -> Row:
    lengths = {"total_steps": 30, "num_warmup_steps": warmup}
    fall = {"kind": "RexLR", "total_steps": 30 - warmup, "beta": 0.9, "end_factor": min_lr / 0.1}
    # The constructor takes a step, so that the first rate is that of step 1.
    return Row(
        _call("RexLR", max_lr=0.1, min_lr=min_lr, **lengths),
        _at(1, _sequence([_rise(warmup), fall], [warmup]) if warmup else fall),
        (base,),
        _up_to(40),
        instead,
    )


def _log(num_steps: int) -> Row:
    """The first rate comes twice."""
    return Row(
        _call("InterpolatingLogScheduler", num_steps=num_steps, min_lr=1e-6, max_lr=1e-3),
        _at(-1, _ramp(num_steps - 1, start_lr=1e-6, end_lr=1e-3, space="log")),
        BASES,
        _up_to(num_steps + 10),
    )


def _jagged(inner: str, olm: Spec, anneal: int, first: int = 1) -> Row:
    """A warm-up of 4 steps every 12 steps, with a decay of a few steps before it.

    Args:
        inner: the schedule that is restarted.
        olm: that schedule as a spec.
        anneal: the steps of the decay; the last one is also the first of the next warm-up.
        first: the number of steps taken while both are constructed.
    """
    restarts = {"jagged_restart_steps": 12, "jagged_restart_warmup_steps": 4}
    anneals = {"jagged_restart_anneal_steps": anneal, "min_lr_scale": 0.01}
    fields = ", ".join(f"{name}={value}" for name, value in {**restarts, **anneals}.items())
    rise = _ramp(4, start_factor=0.01, end_factor=1.0)
    fall = _ramp(anneal, end_factor=0.01)
    again = {"kind": "RepeatLR", "scheduler": _sequence([rise, fall], [12 - anneal]), "period": 12}
    factors = _sequence([_hold(), fall, again], [12 - anneal, 12])
    return Row(
        f"JaggedLRRestartScheduler(optimizer, {inner}, {fields})",
        _at(first, {"kind": "ChainedScheduler", "schedulers": [olm, factors]}),
        (0.1,),
        _up_to(45),
    )


RISES = "axolotl rises again after num_training_steps; olm stays at the minimum"
JUMPS = (
    "axolotl jumps to min_lr at the end, here up from a tenth of the base rate; "
    "olm stays at the tenth"
)

CONSTANT = "get_cosine_schedule_with_warmup_decay_constant"
LENGTHS = {"num_warmup_steps": 5, "num_training_steps": 40}
HOLDS = _call(CONSTANT, **LENGTHS, constant_lr_ratio=0.75, min_lr_ratio=0.1)
REX = _call("RexLR", max_lr=0.1, min_lr=0.0, total_steps=40)

COSINES = [
    _quadratic(36),
    _quadratic(46, RISES),
    Row(
        # Three halves of a wave and more.
        _call(QUADRATIC, num_warmup_steps=6, num_training_steps=36, num_cycles=1.5),
        _sequence([_rise(6, **SQUARE), _ramp(10, ease="cosine", past="mirror")], [6]),
        BASES,
        _up_to(50),
    ),
    _min_lr(30),
    _min_lr(40, RISES),
    Row(HOLDS, _decay(5, 30, end_factor=0.1), BASES, _up_to(50)),
]

OTHERS = [
    _rex(0.1, warmup=0, min_lr=0.0),
    _rex(0.1, warmup=5, min_lr=0.01),
    _rex(0.02, warmup=5, min_lr=0.01, instead=JUMPS),
    _log(20),
]

JAGGED = [
    # A decay of one step has no effect.
    _jagged(HOLDS, _decay(5, 30, end_factor=0.1), anneal=1),
    _jagged(HOLDS, _decay(5, 30, end_factor=0.1), anneal=3),
    _jagged(REX, {"kind": "RexLR", "total_steps": 40, "beta": 0.9}, anneal=2, first=2),
]

PEER = Peer(
    distribution="axolotl",
    version="0.19.0",
    tolerance=1e-12,
    rows=[*COSINES, *OTHERS, *JAGGED],
    rates=rates,
    refused=[
        Refused(
            _call(CONSTANT, **LENGTHS, constant_lr_ratio=0.1, min_lr_ratio=0.1),
            _decay(5, 4, end_factor=0.1),
            argument="warmup_steps",
            instead=(
                "axolotl drops sharply after the warm-up; olm requires a warm-up below the total"
            ),
        ),
        Refused(
            _call("get_cosine_schedule_with_min_lr", **LENGTHS, min_lr_ratio=-0.5),
            _decay(5, 40, end_factor=-0.5),
            argument="end_factor",
            instead="axolotl goes below zero; olm requires a factor of at least 0",
        ),
        Refused(
            _call("InterpolatingLogScheduler", num_steps=1, min_lr=1e-6, max_lr=1e-3),
            _at(-1, _ramp(0, start_lr=1e-6, end_lr=1e-3, space="log")),
            argument="total_steps",
            instead="axolotl divides by zero in its constructor; olm requires at least 1",
        ),
    ],
    needs=["torch", "numpy"],
    dependencies=False,
)
