"""Megatron-LM: the scheduler and the batches of its core, for the options of a command line.

PyPI has the core without `megatron.training`. What that does with the options is in `_lengths`, as
`get_optimizer_param_scheduler` in `megatron/training/training.py` does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from random import Random
from typing import Any

from imports import Configuration, Framework
from imports._drawing import optimizer_of, some
from peers._megatron_runs import core

Arguments = dict[str, Any]

STYLES = ["constant", "linear", "cosine", "inverse-square-root", "WSD"]


def draw(random: Random) -> Configuration:
    """A command line of a run that counts iterations or samples."""
    unit = random.choice(["iters", "samples"])
    batch, steps = random.choice([1, 4, 6]), random.randrange(2, 70)
    total = steps if unit == "iters" else steps * batch + random.randrange(batch)
    options: Arguments = {f"train_{unit}": total, "lr": random.choice([1e-3, 3e-4])}
    options |= some(random, {"lr_decay_style": STYLES}, 0.9)
    # The style identifies the format.
    options.setdefault("lr_decay_style", "linear")
    floors, starts = [0.0, 1e-5, 1e-4], [0.0, 1e-5, 1e-4]
    options |= some(random, {"min_lr": floors, "lr_warmup_init": starts})
    options |= _stages(random, unit, total, batch, options["lr_decay_style"])
    given = {} if random.random() < 0.7 or batch % 2 else {"world_size": 2}
    if given:
        options["micro_batch_size"] = batch // 2
    else:
        options |= {"global_batch_size": batch, "micro_batch_size": 1}
    if unit == "samples" and not given and random.random() < 0.4:
        ramp = f"1 {random.choice([1, max(1, batch - 1)])} {random.randrange(1, total + 1)}"
        options["rampup_batch_size"] = ramp if batch > 1 else None
    others: dict[str, Sequence[Any]] = {
        "decoupled_lr": [1e-3],
        "weight_decay": [0.1],
        "seq_length": [128],
    }
    options |= some(random, others, 0.2)
    words = (f"--{key.replace('_', '-')} {value}" for key, value in options.items() if value)
    line = f"python pretrain_gpt.py {' '.join(words)}\n"
    return Configuration(line, given, {**options, "global_batch_size": batch})


def rates(configuration: Configuration) -> list[float]:
    """Step the scheduler by the batches that Megatron trains with."""
    options = configuration.arguments
    optimizer = optimizer_of(options["lr"])
    arguments = {
        "init_lr": options.get("lr_warmup_init", 0.0),
        "max_lr": options["lr"],
        "min_lr": options.get("min_lr", 0.0),
        "lr_decay_style": options["lr_decay_style"],
        "lr_wsd_decay_style": options.get("lr_wsd_decay_style", "exponential"),
        **_lengths(options, options["global_batch_size"]),
        "start_wd": 0.01,
        "end_wd": 0.01,
        "wd_incr_steps": 1,
        "wd_incr_style": "constant",
    }
    scheduler = core("optimizer_param_scheduler").OptimizerParamScheduler(optimizer, **arguments)
    curve = []
    for batch in _batches(options):
        curve.append(optimizer.param_groups[0]["lr"])
        scheduler.step(batch)
    return curve


def _stages(random: Random, unit: str, total: int, batch: int, style: str) -> Arguments:
    """The warm-up and the decay, some of which end between steps."""
    each = batch if unit == "samples" else 1
    drawn = some(random, {f"lr_decay_{unit}": [total + 3 * each, max(1, total - 5), total]})
    end = drawn.get(f"lr_decay_{unit}", total)
    steps = [0, 1, each, 5 * each, end // 3, end + 2]
    shares = [0.01, 0.1, 0.25, 0.5]
    drawn |= random.choice([
        {},
        *[{f"lr_warmup_{unit}": random.choice(steps)}] * 4,
        {"lr_warmup_fraction": random.choice(shares)},
    ])  # fmt: skip
    if style == "WSD":
        drawn[f"lr_wsd_decay_{unit}"] = random.choice([each, max(1, end // 4), max(1, end // 2)])
        shapes = ["exponential", "linear", "cosine", "minus_sqrt"]
        drawn |= some(random, {"lr_wsd_decay_style": shapes}, 0.8)
    return drawn


def _lengths(options: Arguments, batch: int) -> Arguments:
    """The lengths in samples, to which all iterations are converted."""
    unit, each = ("iters", batch) if "train_iters" in options else ("samples", 1)
    length: int = options[f"train_{unit}"]
    end = options.get(f"lr_decay_{unit}", length) * each
    warmup = options.get(f"lr_warmup_{unit}", 0) * each
    if "lr_warmup_fraction" in options:
        warmup = options["lr_warmup_fraction"] * end
    lengths = {"lr_warmup_steps": warmup, "lr_decay_steps": end}
    if (stable := f"lr_wsd_decay_{unit}") in options:
        lengths["wsd_decay_steps"] = options[stable] * each
    return lengths


def _batches(options: Arguments) -> Iterator[int]:
    """The samples of each step, and of one past the end of a run with one batch."""
    batch: int = options["global_batch_size"]
    if not options.get("rampup_batch_size"):
        samples = options.get("train_samples", 0)
        steps = options.get("train_iters", samples // batch)
        yield from repeat(batch, steps + 1)
        return
    start, by, over = map(int, options["rampup_batch_size"].split())
    calculator = core("num_microbatches_calculator").RampupBatchsizeNumMicroBatchesCalculator(
        batch, 1, 1, False, 0, start, by, over
    )
    consumed = 0
    while consumed < options["train_samples"]:
        calculator.update(consumed, consistency_check=True)
        size = calculator.get_current_running_global_batch_size()
        consumed += size
        yield size


FRAMEWORK = Framework(
    distribution="megatron-core",
    version="0.16.1",
    suffix=".sh",
    draw=draw,
    rates=rates,
    count=50,
    needs=["torch", "numpy"],
    dependencies=False,
)
