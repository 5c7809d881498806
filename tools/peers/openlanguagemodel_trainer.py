"""OpenLanguageModel: its trainer, which trains a model under its default schedule.

Without a number of steps, the length of its schedule is the number of batches, although it steps
the schedule once for every `grad_accum_steps` batches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from peers import Curves, Peer, Row

BASE, FLOOR = 0.05, 5e-4


def rates(row: Row) -> Curves:
    """Train on the digits with its trainer; return the rate of each step and the final one."""
    import torch
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    from handwriting import new_model, trained_with

    curve: list[float | None] = []
    optimizers: list[Any] = []

    def note(optimizer: Any, *_: Any) -> None:
        curve.append(optimizer.param_groups[0]["lr"])
        optimizers[:] = [optimizer]

    names = {
        # Not imported by name, since mypy would find this package instead.
        "Trainer": import_module("olm.train").Trainer,
        "DataLoader": partial(import_module("olm.data.datasets").DataLoader, pin_memory=False),
        "SGD": torch.optim.SGD,
        "digits": trained_with,
        "model": new_model(),
    }
    with (
        register_optimizer_step_pre_hook(note),
        Path(os.devnull).open("w") as nowhere,
        redirect_stdout(nowhere),
    ):
        eval(row.peer, names)
    curve += [group["lr"] for group in optimizers[0].param_groups[:1]]
    if len(curve) != len(row.steps):
        raise ValueError(f"{row.peer} takes {len(curve) - 1} steps, not {len(row.steps) - 1}")
    return [curve]


def _row(
    images: int,
    epochs: int,
    batch: int,
    accumulate: int,
    steps: int,
    told: str = "",
    instead: str = "",
) -> Row:
    data = f"DataLoader(digits({images}), batch_size={batch})"
    settings = f"use_amp=False, learning_rate={BASE}, min_lr={FLOOR}, grad_accum_steps={accumulate}"
    run = f".train(epochs={epochs}{told})"
    spec = {
        "kind": "WarmupCosineScheduler",
        "warmup_steps": "10%",
        "total_steps": f"{epochs}ep",
        "min_lr": FLOOR,
        "clock": {"total_steps": steps, "steps_per_epoch": steps // epochs},
    }
    made = f"Trainer(model, SGD, {data}, 'cpu', 64, {settings}){run}"
    return Row(made, spec, (BASE,), tuple(range(steps + 1)), instead)


def _rows() -> Iterator[Row]:
    """Images, epochs, images in a batch, batches in a step, and steps."""
    yield _row(1560, 10, 16, 1, 980)
    yield _row(1560, 2, 16, 1, 196, instead=DOWN)
    yield _row(1560, 24, 16, 4, 600, instead=BATCHES)
    yield _row(1560, 24, 16, 4, 600, told=", max_steps=600")
    yield _row(1560, 24, 16, 4, 600, told=", steps_per_epoch=25")
    yield _row(1280, 20, 16, 4, 400, instead=BATCHES)
    yield _row(1500, 20, 64, 4, 120, instead=BATCHES)
    yield _row(1501, 30, 50, 8, 120, instead=BATCHES)
    yield _row(100, 30, 50, 4, 30, instead=BATCHES)


BATCHES = "OLM counts batches, several of which are one step; the curve of olm ends with the run"
DOWN = "OLM rounds 10 % down; olm rounds to the nearest step"

PEER = Peer(
    distribution="openlanguagemodel",
    version="2.2.1",
    tolerance=0.0,
    rows=list(_rows()),
    rates=rates,
    needs=["torch", "numpy", "scikit-learn"],
)
