"""torch: its schedulers that a kind of olm's can say.

torch computes a rate from the one before, so that its numbers drift; olm has each from the step.
"""

from __future__ import annotations

from typing import Any

from peers import Curves, Peer, Refused, Row, steps_around
from peers._stepping import stepped

BASES = (0.1, 3e-4, 1.0)
"""The base rates of three param groups."""

LONG = steps_around((0, 250, 500, 1000), 1010, every=50)
"""Steps of a long curve, up to the tenth past its end."""

Said = tuple[str, dict[str, Any]]
"""One schedule twice: as it is written in torch, and as a spec."""


def rates(row: Row) -> Curves:
    """Step torch's own class."""
    from torch.optim import lr_scheduler

    return stepped(row, vars(lr_scheduler))


def _constant(factor: float, total_iters: int) -> Said:
    text = f"ConstantLR(optimizer, factor={factor}, total_iters={total_iters})"
    return text, {"kind": "ConstantLR", "factor": factor, "total_iters": total_iters}


def _linear(start: float, end: float, total_iters: int, base: float = 1.0) -> Said:
    """Here `end_factor` multiplies the base rate; `end_lr` is absolute."""
    factors = f"start_factor={start}, end_factor={end}"
    text = f"LinearLR(optimizer, {factors}, total_iters={total_iters})"
    lengths = {"kind": "LinearLR", "total_steps": total_iters}
    return text, {**lengths, "start_factor": start, "end_lr": base * end}


def _cosine(t_max: int, eta_min: float = 0.0) -> Said:
    text = f"CosineAnnealingLR(optimizer, T_max={t_max}, eta_min={eta_min})"
    return text, {"kind": "CosineAnnealingLR", "T_max": t_max, "eta_min": eta_min}


def _polynomial(total_iters: int, power: float) -> Said:
    text = f"PolynomialLR(optimizer, total_iters={total_iters}, power={power})"
    return text, {"kind": "PolynomialLR", "total_iters": total_iters, "power": power}


def _sequence(schedulers: list[Said], milestones: list[int]) -> Said:
    parts = ", ".join(text for text, _ in schedulers)
    specs = [spec for _, spec in schedulers]
    text = f"SequentialLR(optimizer, schedulers=[{parts}], milestones={milestones})"
    return text, {"kind": "SequentialLR", "schedulers": specs, "milestones": milestones}


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


LONG_FALL = LONG[: LONG.index(1000) + 1]
"""The same, up to the end."""

DIVIDES = "torch divides by the factor at step 4; olm releases the base rate there"
NEVER = "torch stays at half the base rate for ever; olm is at the base rate from step 0 on"
RISES = "torch rises again after T_max; olm stays at eta_min"
RESIDUE = "torch comes to rest some 1e-17 above zero; olm at zero"
SKIPS = (
    "torch begins a sequence that is the first child twice, and skips a step of it; "
    "olm takes every step once"
)
RAISES = (
    "torch raises NotImplementedError when a sequence that is a later child should begin; "
    "olm begins it"
)

CONSTANT = [
    Row("ConstantLR(optimizer)", {"kind": "ConstantLR"}, BASES, _up_to(12)),
    Row(*_constant(0.5, 10), BASES, _up_to(20)),
    Row(*_constant(0.7, 1), BASES, _up_to(6)),
    Row(*_constant(1.0, 0), BASES, _up_to(6)),
    Row(*_constant(1 / 3, 500), BASES, LONG),
    Row(*_constant(0.0, 4), BASES, _up_to(8), DIVIDES),
    Row(*_constant(0.5, 0), BASES, _up_to(8), NEVER),
]

LINEAR = [
    Row(*_linear(1.0, 0.0, 10), BASES, _up_to(15)),
    Row(*_linear(0.5, 0.0, 4), BASES, _up_to(9)),
    Row(*_linear(1.0, 0.0, 1000), BASES, LONG),
    Row(*_linear(1 / 3, 1.0, 5, base=0.1), (0.1,), _up_to(10)),
    Row(*_linear(0.01, 1.0, 100, base=3e-4), (3e-4,), _up_to(110)),
    Row(*_linear(1.0, 0.1, 1000, base=0.1), (0.1,), LONG),
    Row(*_linear(0.25, 0.75, 500), (1.0,), LONG),
    Row(*_linear(0.3, 0.0, 7), BASES, _up_to(10), RESIDUE),
]

COSINE = [
    Row(*_cosine(1), BASES, _up_to(1)),
    Row(*_cosine(10), BASES, _up_to(10)),
    Row(*_cosine(7, 1e-5), BASES, _up_to(7)),
    Row(*_cosine(7, 0.2), BASES, _up_to(7)),
    Row(*_cosine(1000), BASES, LONG_FALL),
    Row(*_cosine(2999, 1e-6), BASES, LONG),
    Row(*_cosine(10), BASES, _up_to(25), RISES),
    Row(*_cosine(1000, 1e-5), BASES, LONG, RISES),
]

INNER = _sequence([_constant(0.5, 9), _linear(1.0, 0.0, 4)], [2])

SEQUENTIAL = [
    Row(*_sequence([_constant(0.1, 20), _constant(0.5, 5)], [10]), BASES, _up_to(25)),
    Row(
        *_sequence([_constant(0.1, 9), _constant(0.5, 9), _constant(0.2, 3)], [1, 4]),
        BASES,
        _up_to(12),
    ),
    Row(*_sequence([_constant(0.1, 250), _cosine(750)], [250]), BASES, LONG_FALL),
    Row(*_sequence([_cosine(4), _cosine(4), _linear(1.0, 0.0, 8)], [4, 8]), BASES, _up_to(20)),
    Row(
        *_sequence(
            [_linear(0.01, 1.0, 250, base=0.1), _cosine(751, 1e-5), _constant(0.2, 1000)],
            [250, 1000],
        ),
        (0.1,),
        LONG,
    ),
    Row(*_sequence([_constant(0.5, 3)], []), BASES, _up_to(6)),
    Row(*_sequence([INNER, _constant(0.1, 9)], [7]), BASES, _up_to(20), SKIPS),
    Row(*_sequence([_constant(0.1, 9), INNER], [3]), BASES, _up_to(12), RAISES),
]

POLYNOMIAL = [
    Row("PolynomialLR(optimizer)", {"kind": "PolynomialLR"}, BASES, _up_to(10)),
    Row(*_polynomial(10, 2.0), BASES, _up_to(15)),
    Row(*_polynomial(10, 0.5), BASES, _up_to(15)),
    Row(*_polynomial(1, 3.0), BASES, _up_to(4)),
    Row(*_polynomial(1000, 0.9), BASES, LONG),
    Row(*_polynomial(1000, 1.0), BASES, LONG),
    Row(
        *_sequence([_constant(0.1, 250), _polynomial(500, 2.0), _constant(0.1, 1000)], [250, 1000]),
        BASES,
        LONG,
    ),
]

PEER = Peer(
    distribution="torch",
    version="2.13.0",
    tolerance=1e-11,
    rows=[*CONSTANT, *LINEAR, *COSINE, *POLYNOMIAL, *SEQUENTIAL],
    rates=rates,
    refused=[
        Refused(
            *_cosine(0),
            argument="T_max",
            instead="torch divides by zero at step 1; olm asks for at least 1",
        ),
        Refused(
            *_linear(0.5, 0.0, 0),
            argument="total_steps",
            instead="torch stays at half the base rate for ever; olm asks for at least 1",
        ),
        Refused(
            *_sequence([_constant(0.1, 9), _constant(0.2, 9), _constant(0.3, 9)], [5, 3]),
            argument="milestones",
            instead="torch leaves out the second in silence; olm asks for ascending milestones",
        ),
        Refused(
            *_sequence([_constant(0.1, 9), _constant(0.2, 9), _constant(0.3, 9)], [3, 3]),
            argument="milestones",
            instead="torch leaves out the second in silence; olm asks for ascending milestones",
        ),
        Refused(
            *_sequence([_constant(0.1, 9), _constant(0.2, 9)], [-1]),
            argument="milestones",
            instead="torch begins with the second; olm asks for at least 1",
        ),
        Refused(
            *_sequence([_constant(0.1, 9), _constant(0.2, 9)], [0]),
            argument="milestones",
            instead="torch never begins the first; olm asks for at least 1",
        ),
    ],
    needs=["numpy"],
)
