"""Train on any number of processes. Stopped at any time, it goes on from the last checkpoint."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.fsdp import fully_shard

import olm
from olm.train.hosts.dcp import SchedulerState

STEPS, SAVE_EVERY = 12, 4
SCHEDULE = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": STEPS}


def main(folder):
    dist.init_process_group()
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    fully_shard(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    scheduler = olm.build(SCHEDULE, optimizer)

    def everything():
        weights, moments = get_state_dict(model, optimizer)
        return {"model": weights, "optimizer": moments, "scheduler": SchedulerState(scheduler)}

    # torch writes .metadata last: a checkpoint that has it is complete.
    if complete := sorted(folder.glob("step-*/.metadata")):
        state = everything()
        dcp.load(state, checkpoint_id=complete[-1].parent)
        weights, moments = state["model"], state["optimizer"]
        set_state_dict(model, optimizer, model_state_dict=weights, optim_state_dict=moments)

    for step in range(scheduler.last_epoch, STEPS):
        batch = batch_of(step, dist.get_rank())
        optimizer.zero_grad()
        loss = model(batch).square().mean()
        loss.backward()
        rate = scheduler.get_last_lr()[0]
        optimizer.step()
        scheduler.step()
        if dist.get_rank() == 0:
            print(f"step {step}: rate {rate}, loss {loss.item()}", flush=True)
        if scheduler.last_epoch % SAVE_EVERY == 0:
            dcp.save(everything(), checkpoint_id=folder / f"step-{scheduler.last_epoch:06}")
    # Without it, a thread of gloo's may still hold a tensor while Python ends, which aborts.
    dist.barrier()
    dist.destroy_process_group()


def batch_of(step, rank):
    """Data that depend on the step and the rank alone, so that there is no place to remember."""
    return torch.randn(16, 4, generator=torch.Generator().manual_seed(1000 * step + rank))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
