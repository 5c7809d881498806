"""Megatron: whole runs with `--rampup-batch-size`, a batch that grows with the samples seen.

Each run is trained as Megatron's loop does: the calculator is updated with the samples seen, a step
takes the batch that it computes, and the scheduler then goes on by as many samples. A run in the
file has, besides its arguments:

- `steps`: the steps until every sample was seen, the last with a part of a batch if need be;
- `whole_steps`: the steps with a whole batch, as `update_train_iters` of its training.py counts;
- `stages`: `[first step, batch, samples seen before it]`, one for each batch;
- `at`: `[step, samples seen before it, rate that it trains with]`, for some steps: the first and
  last, those around each change of the batch and of the curve, and others at equal distances.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from peers import Run
from peers._stubs import stub_module, stub_packages

EVENLY = 60
"""How many rates are recorded at equal distances, besides those around each change."""

Seen = list[tuple[int, int, float]]
"""The samples before each step, its batch and its rate."""


@cache
def core(name: str) -> ModuleType:
    """A module of megatron.core, without the rest of Megatron and its requirements."""
    stub_packages("megatron-core", "megatron", "megatron.core")
    stub_module("megatron.core.utils", log_single_rank=lambda *_: None)
    return import_module(f"megatron.core.{name}")


def trained(run: Run) -> dict[str, Any]:
    """The batches of a run, and the rates of some of its steps."""
    seen = _train(run)
    stages = [
        [step, batch, before]
        for step, (before, batch, _) in enumerate(seen)
        if step == 0 or batch != seen[step - 1][1]
    ]
    before, batch, _ = seen[-1]
    whole = len(seen) - (before + batch > run.samples)
    counts = {"steps": len(seen), "whole_steps": whole, "stages": stages}
    if run.rates is None:
        return counts
    at = [(step, seen[step]) for step in _steps(run.rates, seen, [first for first, *_ in stages])]
    return {**counts, "at": [[step, before, rate] for step, (before, _, rate) in at]}


def _train(run: Run) -> Seen:
    calculators = core("num_microbatches_calculator")
    calculator = calculators.RampupBatchsizeNumMicroBatchesCalculator(rank=0, **run.batches)
    scheduler = scheduler_of(**run.rates) if run.rates else None
    consumed, seen = 0, Seen()
    while consumed < run.samples:
        calculator.update(consumed, consistency_check=True)
        batch = calculator.get_current_running_global_batch_size()
        rate = scheduler.optimizer.param_groups[0]["lr"] if scheduler else 0.0
        seen.append((consumed, batch, rate))
        consumed += batch
        if scheduler:
            scheduler.step(batch)
    return seen


def scheduler_of(**arguments: Any) -> Any:
    """A scheduler of Megatron with an optimizer of its own."""
    from torch import nn, optim

    optimizer = optim.SGD([nn.Parameter()], lr=arguments["max_lr"])
    decay = {"start_wd": 0.0, "end_wd": 0.0, "wd_incr_steps": 1, "wd_incr_style": "constant"}
    module = core("optimizer_param_scheduler")
    return module.OptimizerParamScheduler(optimizer, **arguments, **decay)


def _steps(rates: dict[str, Any], seen: Seen, stages: list[int]) -> list[int]:
    """The steps whose rates are recorded."""
    ends = [bisect_left(seen, (rates[name],)) for name in ("lr_warmup_steps", "lr_decay_steps")]
    near = {mark + by for mark in [*stages, *ends] for by in (-1, 0, 1)}
    even = {len(seen) * part // EVENLY for part in range(EVENLY)}
    return sorted(step for step in {*near, *even, len(seen) - 1} if 0 <= step < len(seen))


def _ramp(start: int, by: int, over: int, end: int) -> dict[str, Any]:
    """The arguments of the calculator; how a batch is split into micro-batches changes nothing."""
    return {
        "start_global_batch_size": start,
        "batch_size_increment": by,
        "ramup_samples": over,
        "global_batch_size": end,
        "micro_batch_size": 1,
        "data_parallel_size": 8,
        "decrease_batch_size_if_needed": False,
    }


def _cosine(high: float, low: float, warmup: int, decay: int) -> dict[str, Any]:
    return {
        "init_lr": 0.0,
        "max_lr": high,
        "min_lr": low,
        "lr_warmup_steps": warmup,
        "lr_decay_steps": decay,
        "lr_decay_style": "cosine",
    }


RUNS = [
    Run(
        "BLOOM, bigscience-workshop/bigscience, train/tr11-176B-ml/tr11-176B-ml.slurm",
        220_000_000,
        _ramp(192, 16, 9_765_625, 2048),
        _cosine(6e-5, 6e-6, 183_105, 200_000_000),
    ),
    Run(
        "GPT-3 175B, NVIDIA/Megatron-LM, examples/pretrain_gpt3_175B.sh",
        146_484_375,
        _ramp(16, 16, 5_859_375, 1536),
        _cosine(6e-5, 6e-6, 183_105, 126_953_125),
    ),
    Run("NeMo, the ramp in its documentation", 3_000_000, _ramp(16, 8, 300_000, 1024)),
    Run("NVIDIA-NeMo/Megatron-Bridge#2609", 1600, _ramp(8, 8, 160, 16)),
]
"""The runs."""
