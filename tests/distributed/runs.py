"""The schedules of the programs, which the test needs as well."""

STEPS, SAVED_AT = 12, 6
BASES = (0.1, 0.02)
METRICS = (1.0, 0.9, 0.95, 0.8, 0.85, 0.7, 0.75, 0.9, 0.6, 0.65, 0.5, 0.55)
"""The metric after each step; every rank has the same, as after an all-reduce."""

COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": 10, "min_lr": 0.001}
LINEAR = {"kind": "LinearLR", "total_steps": 10}
RAMP = {"kind": "RampLR", "total_steps": 12, "start_factor": 1.0, "end_factor": 0.9}
GROUPS = {"weight": ".weight", "bias": "s"}
"""The ends of the names of parameters in each param group."""

DECAYS = (0.1, 0.0)
RUNS = {
    "ddp": {
        "kind": "SequentialLR",
        "schedulers": [
            {"kind": "WarmupLR", "warmup_steps": 4},
            {"kind": "SequentialLR", "schedulers": [LINEAR, COSINE], "milestones": [3]},
        ],
        "milestones": [4],
    },
    "fsdp": {
        "kind": "ChainedScheduler",
        "schedulers": [COSINE, {"kind": "ReduceLROnPlateau", "factor": 0.5, "patience": 0}],
    },
    "targets": {
        **COSINE,
        "also": [
            {
                "set": "lr",
                "groups": "bias",
                "scaled_by": {"kind": "TableLR", "milestones": [0, 2], "factors": [0.0, 0.5]},
            },
            {"set": "weight_decay", "schedule": {**RAMP, "end_factor": 10.0}},
            {"set": "betas[0]", "base": 1.0, "schedule": {**RAMP, "start_factor": 0.5}},
            {"value": "temp", "schedule": {"kind": "ReduceLROnPlateau", "patience": 0}},
        ],
        "param_groups": [*GROUPS],
    },
}
"""The schedule of each run; the runs differ in how they shard the model."""

CHANGED = {**RUNS["ddp"], "milestones": [5]}, (0.2, 0.04)
"""A schedule and base rates other than those in the checkpoint of that run."""

HOLD = {"kind": "HoldLR", "factor": 0.5}
STEP = {"kind": "StepLR", "step_size": 3, "gamma": 0.5}
DECAY = {"set": "weight_decay", "base": 0.1, "schedule": {**RAMP, "end_factor": 10.0}}
EMA = {"value": "ema", "schedule": RAMP}
SAVED = {
    "linear": LINEAR,
    "product": {"kind": "ChainedScheduler", "schedulers": [LINEAR, HOLD, HOLD]},
    "step": STEP,
    "targets": {**LINEAR, "also": [DECAY, EMA]},
}
"""Schedules in a checkpoint, which other schedulers then try to load."""

REFUSED = {
    "another length": ("linear", {**LINEAR, "total_steps": 20}, BASES),
    "other base rates": ("linear", LINEAR, (0.1, 0.03)),
    "fewer children": (
        "product",
        {"kind": "ChainedScheduler", "schedulers": [LINEAR, HOLD]},
        BASES,
    ),
    "a kind with some of the keys": ("step", {"kind": "ExponentialLR", "gamma": 0.5}, BASES),
    "another weight decay": (
        "targets",
        {**LINEAR, "also": [{**DECAY, "schedule": {**RAMP, "end_factor": 5.0}}, EMA]},
        BASES,
    ),
    "fewer targets": ("targets", {**LINEAR, "also": [DECAY]}, BASES),
    "no targets": ("targets", LINEAR, BASES),
    "new targets": ("linear", {**LINEAR, "also": [DECAY, EMA]}, BASES),
    "a kind with other keys": ("linear", {"kind": "CosineAnnealingLR", "T_max": 10}, BASES),
}
"""The entry of the checkpoint, and the schedule and base rates of the scheduler that loads it."""
