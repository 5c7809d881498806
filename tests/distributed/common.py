"""Shared by the programs: models, optimizers and their states, a loop, and reports."""

import json
import os
from pathlib import Path

import torch
import torch.distributed as dist
from runs import BASES, DECAYS, GROUPS, METRICS, RUNS
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import olm
from olm.train.hosts.dcp import SchedulerState


class Weights:
    """The weights of a model, for a checkpoint."""

    def __init__(self, model):
        self.model = model

    def state_dict(self):
        return get_model_state_dict(self.model)

    def load_state_dict(self, state):
        set_model_state_dict(self.model, state)


class Moments:
    """An optimizer that `dcp.load` loads in its turn, in the order of sorted keys."""

    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def state_dict(self):
        return get_optimizer_state_dict(self.model, self.optimizer)

    def load_state_dict(self, state):
        set_optimizer_state_dict(self.model, self.optimizer, state)


class Run:
    """A new model, wrapped as in its run, with its optimizer and its scheduler."""

    def __init__(self, name, spec=None, bases=BASES):
        torch.manual_seed(7)
        layers = torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
        self.model = torch.nn.Sequential(*layers)
        if name == "ddp":
            self.model = DistributedDataParallel(self.model)
        else:
            fully_shard(self.model)
        named = list(self.model.named_parameters())
        groups = [
            {"params": [value for key, value in named if key.endswith(end)], "lr": base}
            for end, base in zip(GROUPS.values(), bases, strict=True)
        ]
        self.has_targets = name == "targets"
        if self.has_targets:
            for group, own, decay in zip(groups, GROUPS, DECAYS, strict=True):
                group |= {"name": own, "weight_decay": decay}
        self.optimizer = torch.optim.AdamW(groups)
        self.scheduler = olm.build(spec or RUNS[name], self.optimizer)

    def trained(self, stop):
        """Train up to a step, and return the rate of every step."""
        rates = []
        for step in range(self.scheduler.last_epoch, stop):
            data = torch.Generator().manual_seed(100 * step + dist.get_rank())
            self.optimizer.zero_grad()
            loss = self.model(torch.randn(8, 6, generator=data)).square().mean()
            (loss * self.scheduler.values().get("temp", 1.0)).backward()
            rates.append(self.rates())
            self.optimizer.step()
            self.scheduler.step()
            self.scheduler.observe(METRICS[step])
        return rates

    def rates(self):
        """The rates; with targets, all numbers with which the next step trains."""
        groups = self.optimizer.param_groups
        rates = [float(group["lr"]) for group in groups]
        if not self.has_targets:
            return rates
        decays, betas = [group["weight_decay"] for group in groups], [g["betas"][0] for g in groups]
        return [*rates, *decays, *betas, *self.scheduler.values().values()]

    def weights(self):
        """All weights as lists, on every rank."""
        full = get_model_state_dict(self.model, options=StateDictOptions(full_state_dict=True))
        return {name: value.tolist() for name, value in full.items()}

    def content(self, **schedulers):
        """The content of a checkpoint: the schedulers under keys before or after `optimizer`."""
        return {
            "model": Weights(self.model),
            "optimizer": Moments(self.model, self.optimizer),
            **schedulers,
        }

    def state(self):
        return json.dumps(self.scheduler.state_dict())


KEYS = {f"{place}_{form}": form for place in ("before", "then") for form in ("bare", "wrapped")}
"""The keys of schedulers in a checkpoint: one sorts before `optimizer`, one after."""


def as_form(form, scheduler, on_change="error"):
    """A scheduler, wrapped or not."""
    return scheduler if form == "bare" else SchedulerState(scheduler, on_change=on_change)


def report(folder, name, results):
    """Write the results of this rank for the test, and exit."""
    results["hash seed"] = os.environ["PYTHONHASHSEED"]
    path = Path(folder) / f"{name}-of-{dist.get_world_size()}-rank-{dist.get_rank()}.json"
    path.write_text(json.dumps(results))
    # Without it, a thread of gloo's may still hold a tensor while Python ends, which aborts.
    dist.barrier()
    dist.destroy_process_group()
