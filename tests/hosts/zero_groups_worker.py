"""Param groups of a model in the process of DeepSpeed, as a script that prints them as JSON."""

import json
import os
import sys

import torch

import olm

ALONE = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}


def layers():
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))


def groups_of(model):
    return olm.train.param_groups(
        model,
        lr=0.1,
        weight_decay=0.05,
        no_decay=olm.train.ONE_DIMENSIONAL,
        layers=r"^(\d)\.",
        layer_decay=0.5,
    )


def names_in(groups):
    return {group["name"]: [name for name, _ in group["params"]] for group in groups}


def engine_of(stage):
    """An engine of DeepSpeed; at stage 3, it empties every parameter."""
    import deepspeed

    # DeepSpeed would compile this extension first.
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    model = layers()
    engine, *_ = deepspeed.initialize(
        model=model,
        optimizer=torch.optim.AdamW(groups_of(model)),
        config={
            "train_micro_batch_size_per_gpu": 2,
            "zero_optimization": {"stage": stage, "stage3_param_persistence_threshold": 0},
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
        },
    )
    return engine


if __name__ == "__main__":
    os.environ.update(ALONE, MASTER_PORT=sys.argv[2])
    engine = engine_of(int(sys.argv[1]))
    print()  # DeepSpeed may leave a line unfinished.
    print(
        json.dumps(
            {
                "dimensions": [parameter.ndim for parameter in engine.parameters()],
                "optimizer": [group["name"] for group in engine.optimizer.param_groups],
                "engine": names_in(groups_of(engine)),
            }
        )
    )
