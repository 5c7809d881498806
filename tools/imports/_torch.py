"""Random calls of torch's scheduler classes, which several frameworks build from their files."""

from __future__ import annotations

from random import Random
from typing import Any

from imports._drawing import some

Call = tuple[str, dict[str, Any]]
"""The name of a class, and its arguments; schedulers among these are calls, too."""

RATES = [0.1, 1e-3, 2e-5]

MULTIPLYING = ("StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR")

CLASSES = (*MULTIPLYING, "CosineAnnealingLR", "CosineAnnealingWarmRestarts")

CYCLES = ("OneCycleLR", "CyclicLR")

NESTING = ("SequentialLR", "ChainedScheduler")


def drawn_call(random: Random, name: str, lr: float, length: int, depth: int = 0) -> Call:
    """A call of a class.

    Args:
        random: the source of the choices.
        name: the class.
        lr: the base rate.
        length: how often the scheduler is stepped.
        depth: how many schedulers the call is within.
    """
    if name == "SequentialLR":
        return name, _sequence(random, lr, length, depth)
    if name == "ChainedScheduler":
        names = [random.choice([*MULTIPLYING] * 3 + ["CosineAnnealingLR"]) for _ in range(2)]
        return name, {"schedulers": [drawn_call(random, each, lr, length, 1) for each in names]}
    if name in CYCLES:
        return name, _one_cycle(random, lr, length) if name == "OneCycleLR" else _cyclic(random, lr)
    required, optional = _arguments(random, lr, length)[name]
    return name, {**required, **some(random, optional)}


def _arguments(
    random: Random, lr: float, length: int
) -> dict[str, tuple[dict[str, Any], dict[str, list[Any]]]]:
    """The required arguments of each class, and the values of the others."""
    some_steps = [0, 1, 5, 17, length, length + 9]
    floor = {"eta_min": [0.0, lr / 10, lr / 7]}
    milestones = [random.randrange(0, length + 5) for _ in range(random.randrange(1, 5))]
    return {
        "StepLR": (
            {"step_size": random.randrange(1, 30)},
            {"gamma": [0.5, 0.3, 0.5, 0.3, 1.1, 1.0]},
        ),
        "MultiStepLR": ({"milestones": milestones}, {"gamma": [0.5, 0.3, 1.1]}),
        "ConstantLR": ({}, {"factor": [0.5, 0.1, 0.2, 1.0, 1.5], "total_iters": some_steps}),
        "LinearLR": (
            {},
            {
                "start_factor": [0.5, 0.001, 0.25, 1.0, 0.0],
                "end_factor": [1.0, 0.1, 0.0, 2.0],
                "total_iters": some_steps,
            },
        ),
        "ExponentialLR": ({"gamma": random.choice([0.9, 0.99, 1.01])}, {}),
        "PolynomialLR": ({}, {"total_iters": some_steps, "power": [1.0, 2.0, 0.9]}),
        "CosineAnnealingLR": (
            {"T_max": random.choice([1, 7, length, length - 1, length + 9])},
            floor,
        ),
        "CosineAnnealingWarmRestarts": (
            {"T_0": random.choice([1, 5, 11, length])},
            {"T_mult": [1, 2, 3, 1, 2, 0], **floor},
        ),
    }


def _one_cycle(random: Random, lr: float, length: int) -> dict[str, Any]:
    optional: dict[str, list[Any]] = {
        "pct_start": [0.1, 0.25, 0.4, 1.2],
        "anneal_strategy": ["cos", "linear"],
        "div_factor": [10.0, 2],
        "final_div_factor": [100.0, 1e3],
        "three_phase": [True, False],
        "cycle_momentum": [True, False],
    }
    run = {"total_steps": length}
    if length % 3 == 0 and random.random() < 0.5:
        run = {"epochs": 3, "steps_per_epoch": length // 3}
    return {"max_lr": lr * random.choice([1, 5]), **run, **some(random, optional, 0.3)}


def _cyclic(random: Random, lr: float) -> dict[str, Any]:
    optional: dict[str, list[Any]] = {
        "step_size_down": [1, 4, 13],
        "mode": ["triangular", "triangular2", "exp_range"],
        "gamma": [0.99, 1.0],
        "cycle_momentum": [True, False],
    }
    size = random.randrange(1, 20)
    return {"base_lr": lr / 10, "max_lr": lr, "step_size_up": size, **some(random, optional)}


def _sequence(random: Random, lr: float, length: int, depth: int) -> dict[str, Any]:
    names = [random.choice(CLASSES) for _ in range(random.randrange(2, 4))]
    if depth == 0 and random.random() < 0.1:
        names[-1] = random.choice([*CYCLES, *NESTING])
    milestones = sorted(random.sample(range(1, length), len(names) - 1))
    parts = [drawn_call(random, each, lr, length, depth + 1) for each in names]
    return {"schedulers": parts, "milestones": milestones}
