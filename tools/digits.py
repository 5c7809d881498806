"""A training run that can be killed at any moment: a small model learns scikit-learn's digits.

    python tools/digits.py FOLDER

It goes on from the last whole checkpoint in the folder, if there is one, and prints each step.
"""

import json
import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import olm

SPEC = Path(__file__).parents[1] / "specs" / "digits.olm.yaml"
BASE_LR = 0.05
STEPS = 600
SAVE_EVERY = 40
BATCH = 64
TRAINED_WITH = 1500
"""How many of the images are trained with; the others are kept for testing."""


def train(folder: Path) -> None:
    """Train to the end, with a checkpoint every so many steps."""
    torch.set_num_threads(1)  # The model is so small that two threads only wait for each other.
    images, labels = (part[:TRAINED_WITH] for part in digits())
    model = new_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=BASE_LR, momentum=0.9)
    scheduler = olm.build(SPEC, optimizer)
    rates: list[float] = []
    if checkpoint := last_checkpoint(folder):
        weights = torch.load(checkpoint / "model.pt", weights_only=True)
        model.load_state_dict(weights["model"])
        optimizer.load_state_dict(weights["optimizer"])
        scheduler.load_state_dict(json.loads((checkpoint / "scheduler.json").read_text()))
        rates = json.loads((checkpoint / "rates.json").read_text())
    for step in range(scheduler.last_epoch, STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        chosen = batch(step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()  # type: ignore[no-untyped-call]  # torch's
        optimizer.step()
        scheduler.step()
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == STEPS:
            weights = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            checkpoint = folder / f"step-{step + 1:06}"
            checkpoint.mkdir(parents=True, exist_ok=True)
            torch.save(weights, checkpoint / "model.pt")
            (checkpoint / "rates.json").write_text(json.dumps(rates))
            olm.save_state(scheduler, checkpoint / "scheduler.json")
            point_to(checkpoint)
        print(step, flush=True)


def digits() -> tuple[Tensor, Tensor]:
    """The images, as rows of 64 numbers from 0 to 1, and the digits that they show."""
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)


def new_model() -> nn.Module:
    """A model of two layers, whose first weights are always the same."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def batch(step: int) -> Tensor:
    """The images of a step: each epoch in an order of its own, which the step alone decides."""
    epoch, place = divmod(step, TRAINED_WITH // BATCH)
    order = torch.randperm(TRAINED_WITH, generator=torch.Generator().manual_seed(epoch))
    return order[place * BATCH : (place + 1) * BATCH]


def point_to(checkpoint: Path) -> None:
    """Say in one move, once a checkpoint is whole, that it is the last one."""
    pointer = checkpoint.with_name("last.tmp")
    pointer.write_text(checkpoint.name)
    pointer.replace(checkpoint.with_name("last"))


def last_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint that is whole, if there is one."""
    pointer = folder / "last"
    return folder / pointer.read_text() if pointer.exists() else None


def score(checkpoint: Path) -> float:
    """The share of the images kept for testing that the model of a checkpoint reads correctly."""
    images, labels = (part[TRAINED_WITH:] for part in digits())
    model = new_model()
    model.load_state_dict(torch.load(checkpoint / "model.pt", weights_only=True)["model"])
    return float((model(images).argmax(1) == labels).float().mean())


if __name__ == "__main__":
    train(Path(sys.argv[1]))
