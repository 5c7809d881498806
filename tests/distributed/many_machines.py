"""Train on any number of processes: the script of the guide `fsdp2`."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.fsdp import fully_shard

import olm
from olm.train.hosts.dcp import SchedulerState

STEPS, SAVE_EVERY, LR = 12, 4, 0.01
SPEC = olm.parse({"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": STEPS})


def batch_of(step, rank):
    """Data that depend on the step and the rank alone, so there is no position to save."""
    return torch.randn(16, 4, generator=torch.Generator().manual_seed(1000 * step + rank))


def main(folder, stop_at=STEPS):
    dist.init_process_group()
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    fully_shard(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR)
    scheduler = olm.build(SPEC, optimizer)

    def everything():
        weights, moments = get_state_dict(model, optimizer)
        return {"model": weights, "optimizer": moments, "scheduler": SchedulerState(scheduler)}

    # torch writes .metadata last: a checkpoint that has it is complete.
    if complete := sorted(folder.glob("step-*/.metadata")):
        state = everything()
        dcp.load(state, checkpoint_id=complete[-1].parent)
        weights, moments = state["model"], state["optimizer"]
        set_state_dict(model, optimizer, model_state_dict=weights, optim_state_dict=moments)

    start, rates = scheduler.last_epoch, []
    for step in range(start, stop_at):
        optimizer.zero_grad()
        loss = model(batch_of(step, dist.get_rank())).square().mean()
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        if dist.get_rank() == 0:
            print(f"step {step}: rate {rates[-1]}, loss {loss.item()}", flush=True)
        if scheduler.last_epoch % SAVE_EVERY == 0:
            dcp.save(everything(), checkpoint_id=folder / f"step-{scheduler.last_epoch:06}")

    if dist.get_rank() == 0:
        equal = rates == SPEC.lr(range(start, stop_at), LR).tolist()
        print(f"trained from step {start} to step {stop_at} of {STEPS}")
        print("the rates are equal to the spec's:", equal)
    # Without the barrier, a gloo thread may still hold a tensor when Python exits, which aborts.
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
