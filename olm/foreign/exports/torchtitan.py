"""torchtitan's TOML: the warm-up, the plateau and the decay of its schedule, and the base rate.

Its step 0 trains with the first increment of the warm-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import isclose
from typing import Any

from olm.foreign.configs.torchtitan import EASES
from olm.foreign.exports._candidates import Candidate, best, heading
from olm.foreign.exports._targets import Run, Target

MOST_MARKS = 6
"""The most steps that are tried as the end of a phase."""

MOST_BEYOND = 2
"""The most later steps that are tried as the end of the schedule."""

FEWEST = 3
"""How many warm-ups are tried where none begins with the first rate: the nearest is one of them."""


def write(run: Run) -> str:
    """The tables."""
    return best(run, candidates(run), "torchtitan", "torchtitan", _toml)


def candidates(run: Run) -> Iterator[Candidate]:
    """The phases that begin and end where the curve bends."""
    inside = run.marks()[:MOST_MARKS]
    first = float(run.schedule.lr(0, run.base))
    beyond = [mark for mark in run.schedule.marks() if mark > run.steps]
    for total in dict.fromkeys([run.steps, *beyond[:MOST_BEYOND], run.steps + 1]):
        # A warm-up is over at the step before the one that its length names.
        rises = dict.fromkeys(mark + by for mark in inside for by in (0, 1) if mark + by < total)
        begins = [warmup for warmup in rises if isclose(run.base / max(warmup, 1), first)]
        warmups = begins or [*rises][:FEWEST]
        starts = [mark for mark in [*inside, run.steps] if mark < total]
        ends = [float(run.schedule.lr(step, run.base)) / run.base for step in (total, run.steps)]
        floors = [floor for floor in dict.fromkeys((*ends, 0.0, 1.0)) if floor <= 1]
        for warmup, start in product(warmups, starts):
            if warmup <= start:
                for kind, floor in product(EASES, floors):
                    yield _candidate(run, total, warmup, start, kind, floor)


def _candidate(run: Run, total: int, warmup: int, start: int, kind: str, floor: float) -> Candidate:
    table: dict[str, Any] = {"warmup_steps": warmup, "decay_type": kind, "min_lr_factor": floor}
    if total != run.steps:
        table["total_steps"] = total
    if start > warmup:
        table["decay_ratio"] = (total - start) / total
    tables = {"optimizer": {"lr": run.base}, "lr_scheduler": table}
    return Candidate(kind, {**tables, "training": {"steps": run.steps}})


def _toml(run: Run, settings: dict[str, dict[str, Any]]) -> str:
    tables = ("".join([f"[{name}]\n", *_rows(rows)]) for name, rows in settings.items())
    return "\n".join([f"# {heading(run)}", *tables])


def _rows(rows: dict[str, Any]) -> Iterator[str]:
    for key, value in rows.items():
        yield f'{key} = "{value}"\n' if isinstance(value, str) else f"{key} = {value!r}\n"


TARGET = Target(title="torchtitan's TOML", write=write, needs_base=True)
