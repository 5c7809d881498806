"""Param groups of models in DDP, FSDP and torch.compile, on any number of ranks."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from common import Moments, Weights, report
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
)
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.nn.parallel import DistributedDataParallel

import olm
from olm.train import ONE_DIMENSIONAL, param_groups

LINEAR = {"kind": "LinearLR", "total_steps": 10}
NORMS = [r"\.bias$", r"\.norm\."]
CPU = torch.device("cpu")


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)

    def forward(self, x):
        return x + self.norm(self.attn(x))


class Net(nn.Module):
    """A model whose head may share the weight of its embedding."""

    def __init__(self, tied=False):
        super().__init__()
        torch.manual_seed(7)
        self.embed = nn.Linear(4, 4, bias=False)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(4, 4)
        if tied:
            self.head.weight = self.embed.weight

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def compiled(model):
    return torch.compile(model, backend="eager")


def sharded(model):
    for block in model.blocks:
        fully_shard(block)
    return fully_shard(model)


def sharded_of_compiled(model):
    model.blocks = nn.ModuleList(compiled(block) for block in model.blocks)
    return fully_shard(model)


def with_fsdp1(model, use_orig_params=True):
    return FullyShardedDataParallel(model, use_orig_params=use_orig_params, device_id=CPU)


def with_fsdp1_of_blocks(model):
    model.blocks = nn.ModuleList(with_fsdp1(block) for block in model.blocks)
    return with_fsdp1(model)


WRAPPERS = {
    "ddp": DistributedDataParallel,
    "compiled ddp": lambda model: compiled(DistributedDataParallel(model)),
    "ddp of compiled": lambda model: DistributedDataParallel(compiled(model)),
    "sharded": sharded,
    "sharded of compiled": sharded_of_compiled,
    "compiled sharded": lambda model: compiled(sharded(model)),
}


def main(folder):
    dist.init_process_group("gloo")
    results = {name: trained(wrap, folder / name) for name, wrap in WRAPPERS.items()}
    results["plain"] = names_in(groups_of(Net()))
    results["tied"] = names_in(groups_of(sharded(Net(tied=True))))
    fsdp1 = {"fsdp 1": with_fsdp1, "fsdp 1 of blocks": with_fsdp1_of_blocks}
    for name, wrap in fsdp1.items():
        model = wrap(Net())
        results[name] = names_in(groups_of(model, NORMS))
        results[f"{name}, by shape"] = error_of(lambda model=model: groups_of(model))
    flat = with_fsdp1(Net(), use_orig_params=False)
    results["fsdp 1, flat"] = error_of(lambda: groups_of(flat, NORMS))
    report(folder, "groups", results)


def groups_of(model, no_decay=ONE_DIMENSIONAL):
    return param_groups(
        model,
        lr=0.1,
        weight_decay=0.05,
        no_decay=no_decay,
        layers=r"^blocks\.(\d+)\.",
        first=r"^embed\.",
        layer_decay=0.5,
        named={"head": r"^head\."},
    )


def names_in(groups):
    return {group["name"]: [name for name, _ in group["params"]] for group in groups}


def error_of(made):
    try:
        made()
    except olm.OlmError as error:
        return str(error)
    return None


def trained(wrap, path):
    """The groups of a model, and its weights with and without a checkpoint in the middle."""
    whole, names = run_of(wrap)
    steps(whole, 2)
    dcp.save(content(whole), checkpoint_id=path)
    steps(whole, 2)
    again, _ = run_of(wrap)
    dcp.load(content(again), checkpoint_id=path)
    loaded = [group["name"] for group in again[1].param_groups]
    steps(again, 2)
    flat = StateDictOptions(flatten_optimizer_state_dict=True)
    keys = get_optimizer_state_dict(again[0], again[1], options=flat)
    return {
        "names": names,
        "loaded": loaded,
        "param_names": again[1].param_groups[0]["param_names"],
        "flat": keys["param_groups.head.bias.name"],
        "rates": again[2].get_last_lr(),
        "whole": weights(whole[0]),
        "again": weights(again[0]),
    }


def run_of(wrap):
    model = wrap(Net())
    groups = groups_of(model)
    names = names_in(groups)
    optimizer = torch.optim.AdamW(groups)
    return (model, optimizer, olm.build(LINEAR, optimizer)), names


def content(run):
    model, optimizer, scheduler = run
    return {"m": Weights(model), "o": Moments(model, optimizer), "scheduler": scheduler}


def steps(run, count):
    model, optimizer, scheduler = run
    for _ in range(count):
        data = torch.Generator().manual_seed(100 * scheduler.last_epoch + dist.get_rank())
        optimizer.zero_grad()
        model(torch.randn(8, 4, generator=data)).square().mean().backward()
        optimizer.step()
        scheduler.step()


def weights(model):
    full = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
    return {name: value.tolist() for name, value in full.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
