"""llm-foundry's YAML: one of Composer's schedulers with a warm-up, beside the optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from olm.foreign.exports._candidates import Candidate, best, numbers
from olm.foreign.exports._optimizers import optimizer_arguments, optimizer_class, yaml_with_choice
from olm.foreign.exports._targets import Run, Target, refused

MOST_MARKS = 6
"""The most steps that are tried as the end of a warm-up."""

OPTIMIZER = "decoupled_adamw"
BETAS = (0.9, 0.95)
"""The defaults of llm-foundry's ``decoupled_adamw``."""


def write(run: Run) -> str:
    """The configuration."""
    if optimizer_class(run) == "SGD":
        text = "llm-foundry has no optimizer with a momentum"
        raise refused(text, "export it without `momentum` under `optimizer`")
    return best(run, candidates(run), "composer", "Composer", _text)


def candidates(run: Run) -> Iterator[Candidate]:
    """Each schedule, with a warm-up from 0 that ends where the curve bends."""
    for warmup in run.marks()[:MOST_MARKS]:
        peak = _factor(run, warmup)
        yield _candidate(run, "constant", warmup, alpha=peak)
        for end in _ends(run, warmup):
            floor = _factor(run, end)
            length = f"{end}ba"
            yield _candidate(run, "cosine", warmup, t_max=length, alpha_f=floor)
            lines = {"alpha_i": peak, "alpha_f": floor}
            yield _candidate(run, "linear_decay", warmup, t_max=length, **lines)
        yield from _inverse_roots(run, warmup)


def _ends(run: Run, warmup: int) -> list[int]:
    """Where a schedule may end: Composer refuses one that ends before the run."""
    marks = [mark for mark in run.schedule.marks() if mark >= run.steps]
    return [end for end in dict.fromkeys([run.steps, *marks[:MOST_MARKS]]) if end > warmup]


def _inverse_roots(run: Run, warmup: int) -> Iterator[Candidate]:
    """The inverse square roots, with and without a straight cooldown to the end of the run."""
    scales = dict.fromkeys([*numbers(run.schedule, "timescale"), warmup or 1])
    floors = dict.fromkeys([0.0, *numbers(run.schedule, "end_factor")])
    last = _factor(run, run.steps)
    for scale, floor, start in product(scales, floors, [run.steps, *run.marks()[:MOST_MARKS]]):
        lowest = floor if start == run.steps else last
        # llm-foundry rejects a cooldown that ends above the floor of the decay.
        if start >= warmup and lowest <= floor:
            fields = {"t_scale": f"{scale}ba", "t_cooldown": f"{run.steps - start}ba"}
            floors_of = {"alpha_f_decay": floor, "alpha_f_cooldown": lowest}
            length = f"{run.steps}ba"
            yield _candidate(run, "inv_sqrt", warmup, t_max=length, **fields, **floors_of)


def _factor(run: Run, step: int) -> float:
    return float(run.schedule.lr(step, run.base)) / run.base


def _candidate(run: Run, name: str, warmup: int, **fields: Any) -> Candidate:
    scheduler = {"name": f"{name}_with_warmup", "t_warmup": f"{warmup}ba", **fields}
    optimizer = {"name": OPTIMIZER, **optimizer_arguments(run, BETAS)}
    settings = {"max_duration": f"{run.steps}ba", "optimizer": optimizer, "scheduler": scheduler}
    return Candidate(scheduler["name"], settings)


def _text(run: Run, settings: dict[str, Any]) -> str:
    return yaml_with_choice(run, settings, OPTIMIZER)


TARGET = Target(title="llm-foundry's YAML", write=write, needs_base=True, has_optimizer=True)
