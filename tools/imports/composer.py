"""Composer: the schedulers of llm-foundry's YAML, stepped through batches as its trainer does.

`inv_sqrt_with_warmup` is llm-foundry's own and is not drawn.
"""

from __future__ import annotations

from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some, yaml_of
from peers import composer as peer

CLASSES = {
    "cosine_with_warmup": "CosineAnnealingWithWarmupScheduler",
    "linear_decay_with_warmup": "LinearWithWarmupScheduler",
    "constant_with_warmup": "ConstantWithWarmupScheduler",
}
"""The names in llm-foundry's registry of schedulers → the classes of Composer."""

BATCH, LENGTH, EPOCH = 4, 8, 12
"""The samples of a batch, the tokens of a sample, the batches of an epoch."""

PER_BATCH = {"ba": 1, "sp": BATCH, "tok": BATCH * LENGTH}


def draw(random: Random) -> Configuration:
    """A configuration whose run is counted in batches, samples, tokens or epochs."""
    unit = random.choice([*PER_BATCH, "ep"])
    amount = random.choice([1, 2, 5])
    if unit != "ep":
        amount = random.randrange(2, 70) * PER_BATCH[unit]
    scheduler: dict[str, Any] = {"name": random.choice([*CLASSES])}
    scheduler["t_warmup"] = _time(random, unit, amount, [0, 1, amount // 7, amount // 2 + 1])
    alphas = {"alpha_f": [0.0, 0.1, 0.5]}
    if scheduler["name"] == "linear_decay_with_warmup":
        alphas["alpha_i"] = [1.0, 0.5, 2.0]
    if scheduler["name"] == "constant_with_warmup":
        alphas = {"alpha": [1.0, 0.5, 2.0]}
    scheduler |= some(random, alphas)
    if random.random() < 0.3:
        scheduler["t_max"] = _time(random, unit, amount, [amount, 2 * amount, amount - 1])
    scheduler |= some(random, {"scale_warmup": [False, True]}, 0.2)
    given = {"steps_per_epoch": EPOCH} if unit == "ep" else {}
    lr = random.choice([6e-4, 0.01])
    config = {
        "max_duration": f"{amount}{unit}",
        "global_train_batch_size": BATCH,
        "max_seq_len": LENGTH,
        "optimizer": {"name": "decoupled_adamw", "lr": lr},
        "scheduler": scheduler,
    }
    arguments = {**scheduler, "max_duration": f"{amount}{unit}", "lr": lr}
    return Configuration(yaml_of(config), given, arguments)


def rates(configuration: Configuration) -> list[float]:
    """Step the scheduler that Composer compiles, to the end of the run and one step more."""
    arguments = dict(configuration.arguments)
    optimizer, duration = optimizer_of(arguments.pop("lr")), arguments.pop("max_duration")
    schedules: Any = peer._schedules()
    scheduler = getattr(schedules, CLASSES[arguments.pop("name")])(**arguments)
    state = peer._state(optimizer, duration, EPOCH, BATCH, BATCH * LENGTH)
    trained = peer._Trained(schedules.compile_composer_scheduler(scheduler, state), state)
    curve, step = [], 0
    while True:
        curve.append(optimizer.param_groups[0]["lr"])
        if _elapsed(state, step) >= 1:
            return curve
        optimizer.step()
        step += 1
        trained.step()


def _time(random: Random, unit: str, amount: int, amounts: list[int]) -> str:
    """A time in the unit of the run, in batches of an epoch, or as a share."""
    share = random.choice([0.03, 0.1, 0.33, 1])
    times = [f"{random.choice(amounts)}{unit}", f"{share}dur"]
    if unit in ("ba", "ep"):
        times += [f"{random.choice([0, 3, EPOCH])}ba", "1ep"][: 2 if unit == "ep" else 1]
    return random.choice(times)


def _elapsed(state: Any, step: int) -> float:
    """The share of the run that has passed."""
    duration = state.max_duration
    unit = import_module("composer.core.time").TimeUnit
    if duration.unit == unit.EPOCH:
        return float(step / (EPOCH * duration.value))
    return float(state.timestamp.get(duration.unit).value) / float(duration.value)


FRAMEWORK = Framework(
    distribution="mosaicml",
    version="0.32.1",
    suffix=".yaml",
    draw=draw,
    rates=rates,
    needs=["torch", "numpy", "pyyaml"],
    dependencies=False,
)
