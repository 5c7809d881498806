"""Load the checkpoints of `saves.py` on any number of ranks, and report the results."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from common import KEYS, Run, as_form, report
from runs import BASES, CHANGED, COSINE, LINEAR, REFUSED, RUNS, STEPS
from torch.distributed.checkpoint.api import CheckpointException

import olm


def main(folder):
    dist.init_process_group("gloo")
    results = {name: resumed(folder / name, name) for name in RUNS}
    results["refused"] = {
        f"{name}, {form}": refused(folder / "others", form, *case)
        for name, case in REFUSED.items()
        for form in ("bare", "wrapped")
    }
    results["chosen"] = {side: chosen(folder / "ddp", side) for side in ("spec", "checkpoint")}
    results["another form"] = [
        attempt(folder / "others", "linear_wrapped", "bare", scheduler_of(LINEAR)),
        attempt(folder / "others", "linear_bare", "wrapped", scheduler_of(LINEAR)),
    ]
    last = dist.get_rank() == dist.get_world_size() - 1
    odd = COSINE if last else LINEAR
    results["one odd rank"] = attempt(folder / "others", "linear_bare", "bare", scheduler_of(odd))
    ones = torch.ones(1)
    dist.all_reduce(ones)
    results["ranks in the end"] = ones.item()
    report(folder, "loads", results)


def resumed(path, name):
    """For each key: the state and the rates right after loading, and the following rates."""
    found = {}
    for key, form in KEYS.items():
        run = Run(name)
        dcp.load(run.content(**{key: as_form(form, run.scheduler)}), checkpoint_id=path)
        there = {"state": run.state(), "now": run.rates(), "weights": run.weights()}
        found[key] = {**there, "rates": run.trained(STEPS), "final": run.weights()}
    return found


def scheduler_of(spec, bases=BASES):
    """A scheduler of an optimizer that is in no checkpoint."""
    groups = [{"params": [torch.zeros(2, requires_grad=True)], "lr": base} for base in bases]
    return olm.build(spec, torch.optim.SGD(groups))


def refused(path, form, saved, spec, bases):
    return attempt(path, f"{saved}_{form}", form, scheduler_of(spec, bases))


def attempt(path, key, form, scheduler):
    """The error of loading a scheduler, and whether nothing changed."""
    before = scheduler.state_dict(), str(scheduler.optimizer.state_dict())
    error = None
    try:
        dcp.load({key: as_form(form, scheduler)}, checkpoint_id=path)
    # If a key is missing, torch raises a BaseException.
    except (olm.StateError, CheckpointException) as raised:
        error = raised
    after = scheduler.state_dict(), str(scheduler.optimizer.state_dict())
    return {"error": type(error).__name__, "text": str(error), "unchanged": before == after}


def chosen(path, side):
    """The step of a run with another schedule that chose a side, and the following rates."""
    found = {}
    for key in (key for key, form in KEYS.items() if form == "wrapped"):
        run = Run("ddp", *CHANGED)
        dcp.load(run.content(**{key: as_form("wrapped", run.scheduler, side)}), checkpoint_id=path)
        found[key] = {"state": run.state(), "rates": run.trained(STEPS)}
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
