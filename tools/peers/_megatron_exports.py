"""Megatron: the runs of arguments of its command line, as `get_optimizer_param_scheduler` has them.

Source: ``megatron/training/training.py``, which is not part of megatron-core.
"""

from __future__ import annotations

import shlex
from typing import Any

from peers._megatron_runs import core, scheduler_of


def exported(text: str, steps: int) -> list[float]:
    """The rates that the steps of a run train with."""
    arguments = _arguments(text)
    unit = "samples" if "train_samples" in arguments else "iters"
    # Iterations are counted in samples, here of a batch of 1.
    batch = int(arguments.get("global_batch_size", 1)) if unit == "samples" else 1
    decay = (
        {
            "wsd_decay_steps": int(arguments[f"lr_wsd_decay_{unit}"]),
            "lr_wsd_decay_style": arguments["lr_wsd_decay_style"],
        }
        if f"lr_wsd_decay_{unit}" in arguments
        else {}
    )
    scheduler = scheduler_of(
        init_lr=float(arguments.get("lr_warmup_init", 0.0)),
        max_lr=float(arguments["lr"]),
        min_lr=float(arguments["min_lr"]),
        lr_warmup_steps=int(arguments[f"lr_warmup_{unit}"]),
        lr_decay_steps=int(arguments[f"lr_decay_{unit}"]),
        lr_decay_style=arguments["lr_decay_style"],
        **decay,
    )
    rates, consumed = [], 0
    for _ in range(steps):
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
        step = _batch(arguments, batch, consumed)
        consumed += step
        scheduler.step(step)
    return rates


def _arguments(text: str) -> dict[str, Any]:
    """The arguments in a shell array, by their names; several values are a list."""
    words = shlex.split(text.partition("(")[2].rpartition(")")[0], comments=True)
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            name = word.removeprefix("--").replace("-", "_")
            found[name] = []
        else:
            found[name].append(word)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _batch(arguments: dict[str, Any], batch: int, consumed: int) -> int:
    """The samples of a step."""
    if "rampup_batch_size" not in arguments:
        return batch
    start, by, over = map(int, arguments["rampup_batch_size"])
    calculator = core("num_microbatches_calculator").RampupBatchsizeNumMicroBatchesCalculator(
        rank=0,
        start_global_batch_size=start,
        batch_size_increment=by,
        ramup_samples=over,
        global_batch_size=batch,
        micro_batch_size=1,
        data_parallel_size=1,
        decrease_batch_size_if_needed=False,
    )
    calculator.update(consumed, consistency_check=True)
    return int(calculator.get_current_running_global_batch_size())
