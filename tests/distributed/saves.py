"""Train and save: synchronously, and by a thread and a process while training continues."""

import sys
import time
from pathlib import Path

import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from common import KEYS, Run, as_form, report
from loads import scheduler_of
from runs import RUNS, SAVED, SAVED_AT, STEPS
from torch.distributed.checkpoint import FileSystemWriter
from torch.distributed.checkpoint.state_dict_saver import AsyncCheckpointerType

PATIENCE = 60
"""The timeout for waiting, in seconds."""


class Late(FileSystemWriter):
    """A writer that waits for a file to exist before it writes anything."""

    def __init__(self, path, gate):
        super().__init__(path)
        self.gate = gate

    def write_data(self, plan, planner):
        end = time.monotonic() + PATIENCE
        while not self.gate.exists():
            if time.monotonic() > end:
                raise TimeoutError("the training did not go on")
            time.sleep(0.01)
        return super().write_data(plan, planner)


def main(folder):
    dist.init_process_group("gloo")
    results = {name: uninterrupted(folder / name, name) for name in RUNS}
    others = {}
    for name, spec in SAVED.items():
        scheduler = scheduler_of(spec)
        for _ in range(4):
            scheduler.optimizer.step()
            scheduler.step()
        others |= {f"{name}_{form}": as_form(form, scheduler) for form in ("bare", "wrapped")}
    dcp.save(others, checkpoint_id=folder / "others")
    for way in AsyncCheckpointerType:
        results[way.value] = meanwhile(folder, way)
    report(folder, "saves", results)


def uninterrupted(path, name):
    """The rates and weights of a run that is saved half way and continues."""
    run = Run(name)
    rates = run.trained(SAVED_AT)
    there = {"state": run.state(), "now": run.rates(), "weights": run.weights()}
    there["text"] = as_form("wrapped", run.scheduler).state_dict()["olm"]
    schedulers = {key: as_form(form, run.scheduler) for key, form in KEYS.items()}
    dcp.save(run.content(**schedulers), checkpoint_id=path)
    return {**there, "rates": rates + run.trained(STEPS), "final": run.weights()}


def meanwhile(folder, way):
    """A run that continues while it is saved, and one that is resumed from the checkpoint."""
    path, gate = folder / way.value, folder / f"{way.value}-of-rank-{dist.get_rank()}"
    run = Run("fsdp")
    run.trained(SAVED_AT)
    schedulers = {key: as_form(form, run.scheduler) for key, form in KEYS.items()}
    future = dcp.async_save(
        run.content(**schedulers),
        storage_writer=Late(path, gate),
        # The training uses the first group at the same time.
        process_group=dist.new_group(backend="gloo"),
        async_checkpointer_type=way,
    )
    run.trained(STEPS)
    saving = not future.done()
    gate.touch()
    future.result(timeout=PATIENCE)
    dist.barrier()
    later = {}
    for key, form in KEYS.items():
        again = Run("fsdp")
        dcp.load(again.content(**{key: as_form(form, again.scheduler)}), checkpoint_id=path)
        later[key] = {"state": again.state(), "rates": again.trained(STEPS)}
        later[key]["final"] = again.weights()
    return {"saving": saving, "later": later}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
