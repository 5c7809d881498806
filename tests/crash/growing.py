"""A training on scikit-learn's digits whose batch grows, which can be killed at any moment.

    growing.py SPEC    train in a fork of this process, which has torch in memory, for each line
                       of input: the folder of the checkpoints, from the newest of which the
                       training goes on, and the step before which it waits to be killed

The clock of the spec alone determines the images of each step: how many, and which come next. It
prints a line for each action, as `train.py` does.
"""

import os
import signal
import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch.nn import Linear, ReLU, Sequential
from torch.nn.functional import cross_entropy
from torch.optim import SGD
from train import checkpoint, resume, say

import olm

MICRO_BATCH = 16


def begun(spec):
    """A new model, with its optimizer and its scheduler."""
    torch.manual_seed(0)
    model = Sequential(Linear(64, 64), ReLU(), Linear(64, 10))
    optimizer = SGD(model.parameters(), lr=dict(olm.load(spec).optimizer)["lr"], momentum=0.9)
    return model, optimizer, olm.build(spec, optimizer)


def train(spec, folder, stop, images, labels):
    """Train to the last step of the clock, or up to a step, with a checkpoint after each step."""
    say("pid", os.getpid())
    model, optimizer, scheduler = begun(spec)
    clock = olm.load(spec).clock
    start = resume(folder, model, optimizer, scheduler)
    say("start", start)
    for step in range(start, min(clock.total_steps, stop)):
        seen, count = clock.samples_at(step), clock.accumulate_at(step, micro_batch=MICRO_BATCH)
        optimizer.zero_grad()
        total = 0.0
        for first in range(seen, seen + count * MICRO_BATCH, MICRO_BATCH):
            rows = torch.arange(first, first + MICRO_BATCH) % len(labels)
            loss = cross_entropy(model(images[rows]), labels[rows]) / count
            loss.backward()
            total += loss.item()
        say("step", step, seen, count, optimizer.param_groups[0]["lr"].hex(), total)
        optimizer.step()
        scheduler.step()
        checkpoint(folder, model, optimizer, scheduler)
    say("end", optimizer.param_groups[0]["lr"].hex())
    while stop < clock.total_steps:
        signal.pause()


def forks(spec):
    """For each line of input, train in a fork of this process."""
    images, labels = (torch.tensor(part) for part in load_digits(return_X_y=True))
    _, optimizer, _ = begun(spec)
    optimizer.zero_grad()  # It imports what is otherwise imported on first use, in each fork.
    for line in sys.stdin:
        if not os.fork():
            folder, stop = line.split()
            train(spec, Path(folder), int(stop), images.float() / 16, labels)
            os._exit(0)
        os.wait()
        say("dead")


if __name__ == "__main__":
    torch.set_num_threads(1)
    forks(Path(sys.argv[1]))
