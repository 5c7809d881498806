"""skrl: a rate that is changed by a KL divergence, both ways."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peers import Curves, Peer, Refused, Row
from peers._observing import near
from peers._stepping import stepped

BASES = (1e-3, 3e-4, 0.0)
"""The base rates of three param groups. A frozen group rises to the limits of skrl, too."""

COUNT = 150


def rates(row: Row) -> Curves:
    """Step the class of skrl with each KL divergence."""
    return stepped(row, vars(import_module("skrl.resources.schedulers.torch.kl_adaptive")))


def _row(
    arguments: str,
    metrics: tuple[float, ...],
    bases: tuple[float, ...] = BASES,
    /,
    **fields: Any,
) -> Row:
    spec = {"kind": "KLAdaptiveLR", "target_kl": 0.008, "min_lr": 1e-6, "max_lr": 1e-2, **fields}
    steps = tuple(range(len(metrics) + 1))
    text = f"KLAdaptiveLR({', '.join(filter(None, ['optimizer', arguments]))})"
    return Row(text, spec, bases, steps, metrics=metrics)


HIGH, LOW = (0.1,) * 40, (0.001,) * 40

PEER = Peer(
    distribution="skrl",
    version="2.1.1",
    tolerance=1e-12,
    rows=[
        _row("", near(0.008, COUNT, spread=4.0, seed=1)),
        # At the thresholds themselves, at 0 and below, and between the thresholds.
        _row("", (0.016, 0.004, 0.0, -0.1, 0.008, 0.015, 0.0161, 0.0039, 1e300)),
        # To both limits and back, twice: afterwards the groups have one rate.
        _row("", HIGH + LOW + HIGH[:9] + LOW[:4] + near(0.008, COUNT, spread=9.0, seed=2)),
        # Base rates beyond the limits.
        _row("", HIGH[:2] + LOW[:3] + HIGH, (0.5, 1e-9)),
        _row("", LOW[:2] + HIGH[:3] + LOW, (0.5, 1e-9)),
        _row(
            "kl_threshold=0.02, kl_factor=1.5, lr_factor=1.1, min_lr=1e-4, max_lr=1e-3",
            near(0.02, COUNT, spread=3.0, seed=3),
            target_kl=0.02,
            tolerance=1.5,
            factor=1.1,
            min_lr=1e-4,
            max_lr=1e-3,
        ),
    ],
    rates=rates,
    refused=[
        Refused(
            "KLAdaptiveLR(optimizer, min_lr=1e-2, max_lr=1e-3)",
            {"kind": "KLAdaptiveLR", "target_kl": 0.008, "min_lr": 1e-2, "max_lr": 1e-3},
            argument="min_lr",
            instead="skrl's rate jumps between the two; olm requires the lower to be the lower",
        ),
        Refused(
            "KLAdaptiveLR(optimizer, lr_factor=0.5)",
            {"kind": "KLAdaptiveLR", "target_kl": 0.008, "max_lr": 1e-2, "factor": 0.5},
            argument="factor",
            instead="skrl raises the rate when the KL is too high; olm requires at least 1",
        ),
    ],
    needs=["torch", "numpy", "packaging", "tqdm"],
    dependencies=False,
)
