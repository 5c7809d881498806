"""detectron2: the schedules of fvcore that its solver builds.

PyPI has no detectron2, so that what it adds to fvcore is transcribed here.
"""

from __future__ import annotations

from importlib import import_module
from random import Random
from typing import Any

import yaml

from imports import Configuration, Framework
from imports._drawing import some, yaml_of

DEFAULTS: dict[str, Any] = {
    "LR_SCHEDULER_NAME": "WarmupMultiStepLR",
    "MAX_ITER": 40000,
    "BASE_LR_END": 0.0,
    "GAMMA": 0.1,
    "STEPS": (30000,),
    "NUM_DECAYS": 3,
    "WARMUP_FACTOR": 1.0 / 1000,
    "WARMUP_ITERS": 1000,
    "WARMUP_METHOD": "linear",
    "RESCALE_INTERVAL": False,
}
"""The defaults of the solver: detectron2 0.6 of 2026, `config/defaults.py`."""

NAMES = ["WarmupMultiStepLR", "WarmupCosineLR", "WarmupStepWithFixedGammaLR"]


def draw(random: Random) -> Configuration:
    """A solver, whose warm-up is in most cases shorter than the run."""
    total = random.randrange(2, 75)
    steps = sorted(random.sample(range(1, total + 8), min(total, random.randrange(0, 4))))
    keys: dict[str, list[Any]] = {
        "LR_SCHEDULER_NAME": NAMES,
        "BASE_LR_END": [0.0, 1e-5],
        "GAMMA": [0.1, 0.5, 1.5],
        "NUM_DECAYS": [0, 1, 2, 4],
        "WARMUP_FACTOR": [0.0, 0.1, 1.0],
        "WARMUP_METHOD": ["linear", "constant"],
        "RESCALE_INTERVAL": [True, False],
    }
    solver = {"BASE_LR": random.choice([0.02, 1e-3]), "MAX_ITER": total, **some(random, keys, 0.6)}
    solver |= some(random, {"WARMUP_ITERS": [0, 1, 4, 10, 30]}, 0.97)
    # As a tuple in text, which yacs reads, or as a list.
    solver |= some(random, {"STEPS": [steps, str(tuple(steps))]}, 0.9)
    return Configuration(yaml_of({"SOLVER": solver}))


def rates(configuration: Configuration) -> list[float]:
    """The base rate times the schedule at the progress of each step of the run.

    Source: detectron2 0.6 of 2026, `LRMultiplier` in `solver/lr_scheduler.py`.
    """
    fvcore: Any = import_module("fvcore.common.param_scheduler")
    solver = DEFAULTS | yaml.safe_load(configuration.text)["SOLVER"]
    schedule, total = _with_warmup(fvcore, _schedule(fvcore, solver), solver), solver["MAX_ITER"]
    return [solver["BASE_LR"] * schedule(step / total) for step in range(total)]


def _schedule(fvcore: Any, solver: dict[str, Any]) -> Any:
    """The schedule without the warm-up: `build_lr_scheduler` in `solver/build.py`."""
    name, total, gamma = solver["LR_SCHEDULER_NAME"], solver["MAX_ITER"], solver["GAMMA"]
    if name == "WarmupCosineLR":
        end = solver["BASE_LR_END"] / solver["BASE_LR"]
        assert 0.0 <= end <= 1.0, end
        return fvcore.CosineParamScheduler(1, end)
    if name == "WarmupStepWithFixedGammaLR":
        return fvcore.StepWithFixedGammaParamScheduler(
            base_value=1.0, gamma=gamma, num_decays=solver["NUM_DECAYS"], num_updates=total
        )
    listed = solver["STEPS"]
    steps = yaml.safe_load(f"[{listed.strip('(),')}]") if isinstance(listed, str) else listed
    reached = [step for step in steps if step <= total]
    values = [gamma**k for k in range(len(reached) + 1)]
    return fvcore.MultiStepParamScheduler(values=values, milestones=reached, num_updates=total)


def _with_warmup(fvcore: Any, schedule: Any, solver: dict[str, Any]) -> Any:
    """A schedule after its warm-up: `WarmupParamScheduler` in `solver/lr_scheduler.py`."""
    rescaled, share = solver["RESCALE_INTERVAL"], solver["WARMUP_ITERS"] / solver["MAX_ITER"]
    share = min(share, 1.0)
    first = solver["WARMUP_FACTOR"] * schedule(0.0)
    last = schedule(0.0 if rescaled else share)
    constant = solver["WARMUP_METHOD"] == "constant"
    warmup = (
        fvcore.ConstantParamScheduler(first)
        if constant
        else fvcore.LinearParamScheduler(first, last)
    )
    return fvcore.CompositeParamScheduler(
        [warmup, schedule],
        interval_scaling=["rescaled", "rescaled" if rescaled else "fixed"],
        lengths=[share, 1 - share],
    )


FRAMEWORK = Framework(
    distribution="fvcore",
    version="0.1.5.post20221221",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["pyyaml", "numpy", "torch", "tqdm"],
    dependencies=False,
)
