"""Train with Accelerate on 1 or more processes, and write the results as JSON."""

import json
import sys

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration
from torch.utils.data import DataLoader, TensorDataset

import olm
from hosts import targets
from olm.train.hosts.accelerate import clock_of, prepare

BASE = 0.05
BATCH = 2
EPOCHS = 3
STEPS_AN_EPOCH = 3
"""With 3 batches a step, of 8 batches: the last of them makes a step of its own."""


def model_of(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))


def decayed(model):
    """An optimizer with the param groups of `targets`."""
    layers = model[0], model[2]
    weights, biases = ([getattr(layer, name) for layer in layers] for name in ("weight", "bias"))
    return torch.optim.AdamW(targets.groups_of(weights, biases))


def data(processes):
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(8 * BATCH * processes, 4, generator=generator)
    return TensorDataset(inputs, inputs.sum(1, keepdim=True))


class Run:
    """A training built from scratch, with olm's `prepare` or Accelerate's own.

    Without a document, the scheduler is torch's StepLR, which halves the rates at every step.
    """

    def __init__(
        self, document, *, ours=True, seed=0, base=BASE, on_change="error", scaled=False, **options
    ):
        loading = {"use_seedable_sampler": True, "data_seed": 3, **options.pop("loading", {})}
        self.accelerator = Accelerator(
            cpu=True,
            gradient_accumulation_steps=3,
            dataloader_config=DataLoaderConfiguration(**loading),
            **options,
        )
        if scaled:
            # Accelerate creates a scaler for half precision only, and refuses it on the CPU.
            self.accelerator.scaler = torch.amp.GradScaler("cpu")
        model = model_of(seed)
        self.has_targets = bool(document and "also" in document)
        optimizer = (
            decayed(model)
            if self.has_targets
            else torch.optim.AdamW(
                [
                    {"params": model[0].parameters(), "lr": base / 10},
                    {"params": model[2].parameters()},
                ],
                lr=base,
            )
        )
        # Its own generator: a restarted loader draws from it, and dropout does not.
        own = torch.Generator().manual_seed(5)
        samples = data(self.accelerator.num_processes)
        loader = DataLoader(samples, BATCH, shuffle=True, generator=own)
        halving = torch.optim.lr_scheduler.StepLR
        if ours:
            loader = self.accelerator.prepare(loader)
            clock = clock_of(self.accelerator, loader, epochs=EPOCHS, sequence_length=4)
        else:
            clock = None
        scheduler = (
            olm.build(document, optimizer, clock=clock)
            if document
            else halving(optimizer, 1, gamma=0.5)
        )
        # Accelerate's wrapper has only torch's methods: this one is kept.
        self.unwrapped = scheduler
        objects = (model, optimizer, loader, scheduler)
        self.model, self.optimizer, self.loader, self.scheduler = (
            prepare(self.accelerator, *objects, on_change=on_change)
            if ours
            else self.accelerator.prepare(*objects)
        )
        self.rates = []
        optimizer.register_step_pre_hook(self.note)

    def note(self, optimizer, args, kwargs):
        self.rates.append(
            targets.numbers(optimizer.param_groups, self.unwrapped)
            if self.has_targets
            else [group["lr"] for group in optimizer.param_groups]
        )

    def train(
        self, *, start=0, skipped=0, stop=None, save=None, guarded=False, overflow=(), metrics=()
    ):
        """Train from an epoch on, without its first batches, until a number of steps.

        Args:
            start: the first epoch to train.
            skipped: the number of its batches that were trained before.
            stop: the number of steps after which to save a state and stop.
            save: the folder for the state.
            guarded: do as Accelerate's documentation says for step_scheduler_with_optimizer=False.
            overflow: batches of each epoch whose gradients are not finite.
            metrics: one for each epoch, after which the scheduler takes its step.
        """
        for epoch in range(start, EPOCHS):
            self.loader.set_epoch(epoch)
            first = skipped if epoch == start else 0
            batches = self.accelerator.skip_first_batches(self.loader, first)
            for index, (x, y) in enumerate(batches, first):
                with self.accelerator.accumulate(self.model):
                    loss = torch.nn.functional.mse_loss(self.model(x), y)
                    if self.has_targets:
                        loss = loss * self.unwrapped.values()["temp"]
                    self.accelerator.backward(loss * float("inf") if index in overflow else loss)
                    self.optimizer.step()
                    if not metrics and (not guarded or self.accelerator.sync_gradients):
                        self.scheduler.step()
                    self.optimizer.zero_grad()
                if self.accelerator.sync_gradients and len(self.rates) == stop:
                    self.accelerator.save_state(save)
                    return self
            if metrics:
                self.scheduler.step(metrics[epoch])
        return self

    def result(self):
        weights = self.accelerator.unwrap_model(self.model).state_dict()
        return {
            "processes": self.accelerator.num_processes,
            "rates": self.rates,
            "weights": {name: value.tolist() for name, value in weights.items()},
            "state": self.scheduler.state_dict(),
        }


def train(task):
    """Run a task, as the tests specify it."""
    document, options = task["document"], task.get("options", {})
    run = Run(document, **options)
    if "resume" in task:
        before = run.scheduler.state_dict()
        try:
            run.accelerator.load_state(task["resume"])
        except olm.StateError as error:
            return {"error": str(error), "unchanged": run.scheduler.state_dict() == before}
    return run.train(**task.get("train", {})).result()


if __name__ == "__main__":
    from leaving import leave

    results = [train(task) for task in json.loads(sys.argv[1])]
    rank = Accelerator().process_index
    with open(f"{sys.argv[2]}.{rank}", "w") as file:  # noqa: PTH123
        json.dump(results, file)
    leave()
