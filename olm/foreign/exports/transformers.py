"""transformers' TrainingArguments, in YAML, with the warm-up counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from olm.foreign.exports._candidates import Candidate, best, numbers
from olm.foreign.exports._targets import Run, Target

TITLE = "transformers"
MOST_MARKS = 6
"""The most steps that are tried as the end of a warm-up."""


def write(run: Run) -> str:
    """The arguments."""
    return best(run, candidates(run), "transformers", TITLE)


def candidates(run: Run) -> Iterator[Candidate]:
    """The arguments of each schedule of the library that ends with the run."""
    for name, warmup, options in _schedules(run):
        settings: dict[str, Any] = {
            "learning_rate": run.base,
            "max_steps": run.steps,
            "lr_scheduler_type": name,
        }
        if warmup:
            settings["warmup_steps"] = warmup
        if options:
            settings["lr_scheduler_kwargs"] = options
        yield Candidate(name, settings)


def _schedules(run: Run) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The name, the warm-up and the arguments of each schedule."""
    marks = run.marks()[:MOST_MARKS]
    # A schedule ends one step after the last of the run.
    last = float(run.schedule.lr(run.steps, run.base)) / run.base
    floors = [floor for floor in dict.fromkeys((last, 0.0)) if floor < 1]
    yield "constant", 0, {}
    for warmup in marks:
        yield "linear", warmup, {}
        yield "cosine", warmup, {}
        yield "constant_with_warmup", warmup, {}
        scales = dict.fromkeys([warmup or 10_000, *numbers(run.schedule, "timescale")])
        yield from (("inverse_sqrt", warmup, {"timescale": scale}) for scale in scales)
        for floor in floors:
            yield "cosine_with_min_lr", warmup, {"min_lr_rate": floor}
            yield "cosine_warmup_with_min_lr", warmup, {"min_lr_rate": floor}
        powers = dict.fromkeys([1.0, 2.0, *numbers(run.schedule, "power")])
        for floor, power in product(floors, powers):
            yield "polynomial", warmup, {"lr_end": floor * run.base, "power": power}
        for period in dict.fromkeys(numbers(run.schedule, "T_0", "period", "T_max")):
            yield "cosine_with_restarts", warmup, {"num_cycles": (run.steps - warmup) / period}
        yield from _stages(run, warmup, floors)


def _stages(
    run: Run, warmup: int, floors: list[float]
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The warm-ups, plateaus and decays that begin and end where the curve bends."""
    marks = [*run.marks()[:MOST_MARKS], run.steps]
    pairs = [(start, end) for start in marks for end in marks if warmup <= start < end]
    for (start, end), shape, floor in product(pairs, ("linear", "cosine", "1-sqrt"), floors):
        stages = {"num_stable_steps": start - warmup, "num_decay_steps": end - start}
        options = {**stages, "decay_type": shape, "min_lr_ratio": floor}
        yield "warmup_stable_decay", warmup, options


TARGET = Target(title="transformers' TrainingArguments", write=write, needs_base=True)
