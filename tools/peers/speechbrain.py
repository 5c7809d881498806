"""SpeechBrain: the new-bob scheduler, which compares each metric with the one before."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peers import Curves, Peer, Row
from peers._observing import near
from peers._stubs import stub_packages

BASES = (1.0, 3e-4)


def rates(row: Row) -> Curves:
    """Call the scheduler of SpeechBrain with each metric; it returns the next rate."""
    # Its requirements are those of speech, and its scheduler needs none of them.
    stub_packages("speechbrain", "speechbrain", "speechbrain.nnet", "speechbrain.utils")
    names = vars(import_module("speechbrain.nnet.schedulers"))
    curves: Curves = []
    for lr in row.base_lrs:
        scheduler = eval(row.peer, {**names, "lr": lr})
        curves.append([lr, *(float(scheduler(metric)[1]) for metric in row.metrics)])
    return curves


def _row(arguments: str, metrics: tuple[float, ...], instead: str = "", /, **fields: Any) -> Row:
    spec = {"kind": "NewBobLR", **fields}
    steps = tuple(range(len(metrics) + 1))
    text = f"NewBobScheduler({', '.join(filter(None, ['lr', arguments]))})"
    return Row(text, spec, BASES, steps, instead, metrics)


NEAR = near(2.0, 60, spread=1.5, seed=1)

PEER = Peer(
    distribution="speechbrain",
    version="1.1.2",
    tolerance=0,
    rows=[
        _row("", NEAR),
        _row("", (10.0, 2.0, 2.5, 2.0, 1.995, 1.99, 0.0, 0.0, 1.0, 1.0)),
        _row(
            "annealing_factor=0.8, improvement_threshold=0.05, patient=2",
            NEAR,
            factor=0.8,
            threshold=0.05,
            patience=2,
        ),
        _row("improvement_threshold=0.0", (2.0, 2.0, 0.0, 0.0, 1.0, 1.0), threshold=0.0),
        _row(
            "",
            (-1.0, -2.0, -3.0),
            "SpeechBrain reduces the rate although the metric fell from -1 to -3; olm does not",
        ),
    ],
    rates=rates,
    needs=["torch", "numpy", "packaging", "PyYAML"],
    dependencies=False,
)
