"""Runs with gradient accumulation, under specs in epochs and per cent, end with the schedule.

The opponent is the trainer of OpenLanguageModel, whose runs `python3 tools/peers` records.
"""

import json
from dataclasses import dataclass
from functools import cache
from math import cos, pi
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.optim import SGD
from torch.utils.data import DataLoader, TensorDataset

import olm
from olm.train.schedulers import ScheduleLR

BASE, FLOOR = 0.05, 5e-4
TRAINER = json.loads((Path(__file__).parent / "peers/openlanguagemodel_trainer.json").read_text())
COUNTS_BATCHES = [row for row in TRAINER["rows"] if "batches" in row.get("instead", "")]
SPECS = {
    "epochs": lambda epochs: {
        "kind": "WarmupCosineScheduler",
        "warmup_steps": "5%",
        "total_steps": f"{epochs}ep",
        "min_lr": FLOOR,
    },
    "rest": lambda epochs: {
        "kind": "SequentialLR",
        "schedulers": [
            {"kind": "WarmupLR", "warmup_steps": "1ep"},
            {"kind": "CosineAnnealingLR", "T_max": "rest", "eta_min": FLOOR},
        ],
        "milestones": ["25%"],
    },
    "per cent": lambda epochs: {
        "kind": "PhasesLR",
        "schedulers": [
            {"kind": "WarmupLR", "warmup_steps": "5%"},
            {"kind": "LinearLR", "total_steps": "95%", "end_lr": FLOOR},
        ],
        "lengths": ["5%", "95%"],
    },
}


@dataclass
class Trained:
    """A run: the rate of each of its steps, and its scheduler."""

    rates: list[float]
    scheduler: ScheduleLR

    @property
    def end(self):
        """The step from which the rate holds."""
        return self.scheduler.schedule.horizon()


def images(count):
    return TensorDataset(torch.zeros(count, 1))


def train(document, loader, epochs, accumulate):
    """A typical loop: a step for every few batches, and for the rest of an epoch."""
    model = torch.nn.Linear(1, 1)
    optimizer = SGD(model.parameters(), lr=BASE)
    clock = olm.Clock.of_run(dataloader=loader, epochs=epochs, accumulate=accumulate)
    scheduler, rates = olm.build(document, optimizer, clock=clock), []
    for _ in range(epochs):
        for number, (batch,) in enumerate(loader, 1):
            model(batch).mean().backward()
            if number % accumulate == 0 or number == len(loader):
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                optimizer.zero_grad()
                scheduler.step()
    return Trained(rates, scheduler)


def assert_ends_exactly(trained):
    """Assert that the last step is the last one above the floor, which is the next rate."""
    assert len(trained.rates) == trained.scheduler.last_epoch == trained.end
    assert trained.rates == trained.scheduler.schedule.lr(range(trained.end), BASE).tolist()
    assert trained.rates[-1] > FLOOR
    assert trained.scheduler.get_last_lr() == [FLOOR]


@given(
    batches=st.integers(1, 300),
    epochs=st.integers(1, 30),
    accumulate=st.integers(1, 40),
    spec=st.sampled_from(["epochs", "per cent"]),
)
def test_a_schedule_ends_with_the_loop_for_any_numbers(batches, epochs, accumulate, spec):
    ends = [number % accumulate == 0 or number == batches for number in range(1, batches + 1)]
    steps = epochs * sum(ends)
    assume(steps > 1)
    clock = olm.Clock.of_run(dataloader=range(batches), epochs=epochs, accumulate=accumulate)
    schedule = olm.parse(SPECS[spec](epochs)).resolve(clock).schedule
    assert clock.total_steps == schedule.horizon() == steps
    assert schedule.lr(steps - 1, BASE) > schedule.lr(steps, BASE) == FLOOR


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    ("count", "batch", "accumulate", "epochs", "drop_last", "steps"),
    [
        pytest.param(320, 16, 4, 8, False, 40, id="all-divides"),
        pytest.param(1500, 16, 4, 4, False, 96, id="two-batches-are-left"),
        pytest.param(1000, 16, 4, 6, False, 96, id="three-are-left"),
        pytest.param(400, 25, 3, 4, False, 24, id="one-is-left"),
        pytest.param(97, 5, 4, 8, False, 40, id="the-last-batch-is-not-full"),
        pytest.param(33, 8, 4, 10, False, 20, id="a-batch-of-one-image-is-left"),
        pytest.param(33, 8, 4, 10, True, 10, id="it-is-left-out"),
        pytest.param(7, 2, 8, 30, False, 30, id="an-epoch-is-less-than-a-step"),
        pytest.param(50, 1, 1, 2, False, 100, id="without-accumulation"),
    ],
)
def test_a_run_ends_exactly_at_the_end_of_its_schedule(
    spec, count, batch, accumulate, epochs, drop_last, steps
):
    loader = DataLoader(images(count), batch_size=batch, drop_last=drop_last)
    trained = train(SPECS[spec](epochs), loader, epochs, accumulate)
    assert len(trained.rates) == steps
    assert_ends_exactly(trained)


class Trainer:
    """The part of the trainer of OpenLanguageModel that is quoted here, with a schedule of olm."""

    def __init__(self, model, optimizer, loader, device, context, *, grad_accum_steps, **settings):
        self.loader, self.accumulate = loader, grad_accum_steps

    def train(self, epochs, **told):
        self.epochs = epochs
        document = {**SPECS["epochs"](epochs), "warmup_steps": "10%"}
        self.trained = train(document, self.loader, epochs, self.accumulate)
        return self


@cache
def ours(source):
    """A run of the same source code with a schedule of olm."""
    names = {"Trainer": Trainer, "DataLoader": DataLoader, "digits": images}
    return eval(source, {**names, "model": None, "SGD": SGD})


def test_its_trainer_was_run_with_and_without_a_number_of_steps():
    assert (TRAINER["peer"], TRAINER["version"]) == ("openlanguagemodel", "2.2.1")
    assert (len(TRAINER["rows"]), len(COUNTS_BATCHES)) == (9, 5)


@pytest.mark.parametrize("row", TRAINER["rows"], ids=range(len(TRAINER["rows"])))
def test_our_schedule_ends_with_the_last_step_of_its_trainer(row):
    run = ours(row["peer"])
    assert [*range(len(run.trained.rates) + 1)] == row["steps"]
    assert_ends_exactly(run.trained)


@pytest.mark.parametrize("row", COUNTS_BATCHES, ids=range(len(COUNTS_BATCHES)))
def test_its_trainer_stops_early_in_its_schedule_since_it_counts_batches(row):
    run = ours(row["peer"])
    batches = run.epochs * len(run.loader)
    counted = {"warmup_steps": batches // 10, "total_steps": batches}
    schedule = olm.parse({**SPECS["epochs"](1), **counted}).schedule
    assert row["values"] == schedule.lr(row["steps"], BASE).tolist()
    assert row["steps"][-1] == len(run.trained.rates) <= 0.5 * batches
    assert row["values"][-1] > 50 * FLOOR


def test_its_trainer_stops_at_a_quarter_of_its_schedule_with_four_batches_to_a_step():
    (row,) = [row for row in COUNTS_BATCHES if "digits(1280)" in row["peer"]]
    # 80 batches per epoch: 400 of 1,600 steps, 160 of which are the warm-up.
    assert row["steps"][-1] == 400
    left = FLOOR + (BASE - FLOOR) * (1 + cos(pi * (400 - 160) / (1600 - 160))) / 2
    assert row["values"][-1] == pytest.approx(left, rel=1e-12)
    assert left / BASE == pytest.approx(0.934, abs=5e-4)
