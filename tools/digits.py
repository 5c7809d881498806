"""Train a small model on the digits of scikit-learn, in a run that can be killed at any moment.

    python tools/digits.py FOLDER [--epochs N] [--on-change SIDE]

The run resumes from the last complete checkpoint in the folder, if there is one, and prints each
step. A run of another length is an error unless `--on-change` selects a side: the schedule of the
checkpoint, or that of the spec.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import olm
from handwriting import new_model, trained_with

if TYPE_CHECKING:
    from olm.spec.agreement import OnChange
    from olm.train.schedulers import ScheduleLR

SPEC = Path(__file__).parents[1] / "specs" / "digits.olm.yaml"
BASE_LR = 0.05
EPOCHS = 24
BATCH = 16
ACCUMULATE = 4
"""The number of batches of a step; the last step of an epoch takes the batches that are left."""
SAVE_EVERY = 40


def train(folder: Path, epochs: int = EPOCHS, on_change: OnChange = "error") -> ScheduleLR:
    """Train to the end of the data, with a checkpoint every few steps."""
    model = new_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=BASE_LR, momentum=0.9)
    start, rates = SPEC, list[float]()
    if checkpoint := last_checkpoint(folder):
        weights = torch.load(checkpoint / "model.pt", weights_only=True)
        model.load_state_dict(weights["model"])
        optimizer.load_state_dict(weights["optimizer"])
        start = checkpoint / "scheduler.json"
        rates = json.loads((checkpoint / "rates.json").read_text())
    run = clock(epochs)
    scheduler = olm.build(start, optimizer, clock=run, on_change=on_change)
    for step, batches in islice(enumerate(steps(epochs)), scheduler.last_epoch, None):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        for images, labels in batches:
            loss = nn.functional.cross_entropy(model(images), labels) / len(batches)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's
        optimizer.step()
        scheduler.step()
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == run.total_steps:
            weights = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            checkpoint = folder / f"step-{step + 1:06}"
            checkpoint.mkdir(parents=True, exist_ok=True)
            torch.save(weights, checkpoint / "model.pt")
            (checkpoint / "rates.json").write_text(json.dumps(rates))
            olm.save_state(scheduler, checkpoint / "scheduler.json")
            point_to(checkpoint)
        print(step, flush=True)
    return scheduler


def clock(epochs: int = EPOCHS) -> olm.Clock:
    """The clock of the run, from its data loader and its loop."""
    return olm.Clock.of_run(dataloader=loader(0), epochs=epochs, accumulate=ACCUMULATE)


def loader(epoch: int) -> DataLoader[tuple[Tensor, ...]]:
    """The batches of an epoch, in an order that depends only on the epoch."""
    order = torch.Generator().manual_seed(epoch)
    return DataLoader(trained_with(), batch_size=BATCH, shuffle=True, generator=order)


def steps(epochs: int) -> Iterator[list[list[Tensor]]]:
    """The batches of each optimizer step."""
    for epoch in range(epochs):
        batches = iter(loader(epoch))
        while step := list(islice(batches, ACCUMULATE)):
            yield step


def point_to(checkpoint: Path) -> None:
    """Record atomically that a checkpoint, now complete, is the last one."""
    pointer = checkpoint.with_name("last.tmp")
    pointer.write_text(checkpoint.name)
    pointer.replace(checkpoint.with_name("last"))


def last_checkpoint(folder: Path) -> Path | None:
    """The last complete checkpoint, if there is one."""
    pointer = folder / "last"
    return folder / pointer.read_text() if pointer.exists() else None


def main(args: list[str]) -> int:
    """Train, and return the exit status: 1 if the checkpoint has another schedule."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the folder of the checkpoints")
    parser.add_argument("--epochs", type=int, default=EPOCHS, metavar="N", help="how long")
    parser.add_argument(
        "--on-change",
        choices=["error", "checkpoint", "spec"],
        default="error",
        help="the schedule to use if the checkpoint has another",
    )
    given = parser.parse_args(args)
    torch.set_num_threads(1)  # With a model this small, two threads would only wait for each other.
    try:
        train(given.folder, given.epochs, given.on_change)
    except olm.OlmError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
