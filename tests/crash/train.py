"""A training process that can be killed at any moment: `test_crash` starts and kills it.

    train.py KIND FOLDER        train from the newest checkpoint in the folder to the end
    train.py KIND FOLDER LIFE   train for at most LIFE steps, then wait to be killed
    train.py KIND FOLDER forks  do the latter in a fork of this process for every line of input

It prints a line for each action, so that the test knows what happened before a kill.
"""

import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch.nn import Linear, Sequential, Tanh
from torch.nn.functional import mse_loss
from torch.optim import SGD

import olm
from olm.text import write as writing

STEPS = 640
LIFE = 16
"""The maximum number of steps of a fork, so that no machine is too fast for forty kills."""
EVERY = 3
"""The number of steps from one metric to the next."""
BASES = (0.05, 0.002)
SPECS = {
    "cosine": {"kind": "WarmupCosineScheduler", "warmup_steps": 50, "total_steps": STEPS},
    "plateau": {
        "kind": "SequentialLR",
        "schedulers": [
            {"kind": "WarmupLR", "warmup_steps": 100},
            {
                "kind": "ChainedScheduler",
                "schedulers": [
                    {"kind": "ReduceLROnPlateau", "factor": 0.9, "patience": 4, "cooldown": 2},
                    {"kind": "ExponentialLR", "gamma": 0.999},
                ],
            },
        ],
        "milestones": [100],
    },
    "targets": {
        "kind": "WarmupCosineScheduler",
        "warmup_steps": 50,
        "total_steps": STEPS,
        "also": [
            {
                "set": "lr",
                "groups": "last",
                "scaled_by": {"kind": "TableLR", "milestones": [0, 20], "factors": [0.0, 1.0]},
            },
            {
                "set": "momentum",
                "base": 1.0,
                "schedule": {
                    "kind": "RampLR",
                    "total_steps": 300,
                    "start_factor": 0.85,
                    "end_factor": 0.95,
                },
            },
            {
                "set": "weight_decay",
                "schedule": {"kind": "RampLR", "total_steps": STEPS, "end_factor": 10.0},
            },
            {
                "value": "weight",
                "metric": "loss",
                "schedule": {"kind": "ReduceLROnPlateau", "factor": 0.9, "patience": 4},
            },
        ],
        "param_groups": ["first", "last"],
    },
}
DECAYS = (1e-3, 0.0)


def train(kind, folder, life=STEPS):
    """Train to the end, or for a number of steps, with a checkpoint after each step."""
    say("pid", os.getpid())
    torch.manual_seed(0)
    model = Sequential(Linear(4, 8), Tanh(), Linear(8, 1))
    groups = [
        {"params": part.parameters(), "lr": lr, "weight_decay": decay}
        for part, lr, decay in zip((model[0], model[2]), BASES, DECAYS, strict=True)
    ]
    optimizer = SGD(groups, momentum=0.9)
    scheduler = olm.build(SPECS[kind], optimizer)
    start = resume(folder, model, optimizer, scheduler)
    say("start", start)
    for step in range(start, min(start + life, STEPS)):
        generator = torch.Generator().manual_seed(step)
        inputs = torch.randn(16, 4, generator=generator)
        loss = mse_loss(model(inputs), inputs.sum(1, keepdim=True).sin())
        loss = loss * scheduler.values().get("weight", 1.0)
        optimizer.zero_grad()
        loss.backward()
        say("step", step, *(number.hex() for number in numbers(scheduler)), loss.item())
        optimizer.step()
        scheduler.step()
        if step % EVERY == 0:
            scheduler.observe(loss.item(), **({"loss": loss.item()} if kind == "targets" else {}))
        checkpoint(folder, model, optimizer, scheduler)
    say("end")
    while life < STEPS:
        signal.pause()


def numbers(scheduler):
    """The numbers with which the next step trains: in each param group, and the values."""
    keys = ("lr", "momentum", "weight_decay") if scheduler.values() else ("lr",)
    groups = scheduler.optimizer.param_groups
    return [*(group[key] for key in keys for group in groups), *scheduler.values().values()]


def checkpoint(folder, model, optimizer, scheduler):
    """Write the model and the optimizer, then the state, whose step names their files."""
    done = scheduler.last_epoch
    beside = folder / "training.tmp"
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, beside)
    beside.replace(training(folder, done))
    say("save", done)
    olm.save_state(scheduler, folder / "schedule.json")
    say("saved", done)
    for old in folder.glob("training-*.pt"):
        if old != training(folder, done):
            old.unlink()


def resume(folder, model, optimizer, scheduler):
    """Load the newest checkpoint, if there is one, and return its step."""
    path = folder / "schedule.json"
    if not path.exists():
        return 0
    state = olm.load(path)
    saved = torch.load(training(folder, state.last_epoch), weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(state.model_dump())
    return state.last_epoch


def training(folder, done):
    return folder / f"training-{done}.pt"


def say(*words):
    """Print a line in one system call, so that a kill comes before or after it."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def forks(kind, folder):
    """For every line of input, train in a fork of this process, which has torch in memory."""
    warm_up(kind)
    say("ready")
    for line in sys.stdin:
        if not os.fork():
            if line.strip():
                die_in_line(int(line))
            train(kind, folder, LIFE)
        os.wait()
        say("dead")


def warm_up(kind):
    """Import everything that is otherwise imported on first use."""
    optimizer = SGD([{"params": [torch.zeros(1)], "lr": base} for base in BASES])
    scheduler = olm.build(SPECS[kind], optimizer)
    optimizer.zero_grad()
    optimizer.step()
    with TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint(folder, torch.nn.Identity(), optimizer, scheduler)
        resume(folder, torch.nn.Identity(), optimizer, scheduler)


def die_in_line(count):
    """Kill this process before it runs the n-th line of `olm.text.write`."""
    left = count

    def at_line(frame, event, argument):
        nonlocal left
        left -= event == "line"
        if left < 0:
            say("line", frame.f_lineno)
            os.kill(os.getpid(), signal.SIGKILL)
        return at_line

    def at_call(frame, event, argument):
        return at_line if frame.f_code.co_filename == writing.__file__ else None

    sys.settrace(at_call)


if __name__ == "__main__":
    torch.set_num_threads(1)
    kind, folder, *how = sys.argv[1:]
    if how == ["forks"]:
        forks(kind, Path(folder))
    else:
        train(kind, Path(folder), *map(int, how))
