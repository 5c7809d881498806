"""A document with targets, and the numbers of its steps by the formulas alone."""

import olm

NAMES = ("weight", "bias")
BASES = {"lr": (0.1, 0.03), "weight_decay": (0.1, 0.0), "betas[0]": (0.9, 0.9)}
"""Each param group's own numbers."""


def document(steps, **keys):
    """A document with the rate of a group, two hyperparameters and a value."""
    ramp = {"kind": "RampLR", "total_steps": steps}
    return {
        "kind": "WarmupCosineScheduler",
        "warmup_steps": 3,
        "total_steps": steps,
        "also": [
            {
                "set": "lr",
                "groups": "bias",
                "scaled_by": {"kind": "TableLR", "milestones": [0, 2], "factors": [0.0, 0.5]},
            },
            {"set": "weight_decay", "schedule": {**ramp, "ease": "cosine", "end_factor": 10.0}},
            {
                "set": "betas[0]",
                "base": 1.0,
                "schedule": {**ramp, "start_factor": 0.85, "end_factor": 0.95},
            },
            {"value": "temp", "schedule": {**ramp, "start_factor": 0.4, "end_factor": 0.7}},
        ],
        "param_groups": [*NAMES],
        **keys,
    }


def numbers(groups, scheduler):
    """The numbers with which the next step trains, read from the param groups themselves."""
    found = dict(scheduler.values())
    for name, group in zip(NAMES, groups, strict=True):
        found[f"lr/{name}"] = group["lr"]
        found[f"weight_decay/{name}"] = group["weight_decay"]
        found[f"betas[0]/{name}"] = group["betas"][0]
    return found


def formula(document, steps, bases=BASES, names=NAMES):
    """The same by the formulas."""
    spec = olm.parse(document)
    return [
        {"temp": spec.value("temp", step)}
        | {
            f"{key}/{name}": spec.of(key, step, base=base, group=name)
            for key, own in bases.items()
            for name, base in zip(names, own, strict=True)
        }
        for step in steps
    ]


def groups_of(weights, biases):
    """The param groups of an optimizer with these numbers."""
    numbers = zip(NAMES, (weights, biases), BASES["lr"], BASES["weight_decay"], strict=True)
    return [
        {"name": name, "params": params, "lr": lr, "weight_decay": decay}
        for name, params, lr, decay in numbers
    ]
