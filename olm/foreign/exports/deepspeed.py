"""DeepSpeed's JSON: one of its schedulers, whose warm-ups are one step late, or one of torch's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from olm.foreign.exports._candidates import Candidate, best
from olm.foreign.exports._optimizers import optimizer_arguments, optimizer_class
from olm.foreign.exports._targets import Run, Target
from olm.foreign.exports._torch_calls import single_calls

MOST_MARKS = 4
"""The most steps that are tried as the end of a warm-up, and as the end of a decay."""

SHAPES = (("linear", 1), ("linear", 2), ("log", 0))
"""The shapes of a warm-up → how many steps after its length the curve may bend."""

DECAYED = 10
"""The steps after a cycle at which its decay is measured."""

HINT = "DeepSpeed warms up one step late, as {kind: TimeLR, shift: -1, scheduler: ...} does"


def write(run: Run) -> str:
    """The configuration."""
    return best(run, candidates(run), "deepspeed", "DeepSpeed", _json, hint=HINT)


def candidates(run: Run) -> Iterator[Candidate]:
    """Torch's classes, then DeepSpeed's between the steps where the curve bends."""
    for name, arguments in single_calls(run):
        yield _candidate(run, name, arguments)
    bends = [mark for mark in run.schedule.marks() if mark > 0]
    ends = [*bends, run.steps, run.steps + 1][-MOST_MARKS:]
    for bend, (shape, late) in product(bends[:MOST_MARKS], SHAPES):
        if bend - late >= 2:
            yield from _warmups(run, bend - late, shape, [end for end in ends if end > bend])
    for turn, end in product(bends[:MOST_MARKS], ends):
        if turn < end:
            yield _cycle(run, turn, end)
    yield from _range_tests(run)


def _rate(run: Run, step: int) -> float:
    return float(run.schedule.lr(step, run.base))


def _warmups(run: Run, warmup: int, shape: str, ends: list[int]) -> Iterator[Candidate]:
    """The three schedulers with a warm-up."""
    rise = {"warmup_num_steps": warmup, "warmup_type": shape}
    rates = {"warmup_min_lr": _rate(run, 0), "warmup_max_lr": _rate(run, warmup + 1)}
    yield _candidate(run, "WarmupLR", {**rates, **rise})
    for end in ends:
        first, last = (_rate(run, step) / run.base for step in (1, end))
        yield _candidate(run, "WarmupDecayLR", {"total_num_steps": end - 1, **rise, **rates})
        ratios = {"warmup_min_ratio": first, "cos_min_ratio": last}
        yield _candidate(run, "WarmupCosineLR", {"total_num_steps": end, **rise, **ratios})


def _cycle(run: Run, turn: int, end: int) -> Candidate:
    """A line from a rate to another and back, then perhaps a decay with the inverse time."""
    low, after = _rate(run, 0), _rate(run, end + DECAYED)
    rates = {"cycle_min_lr": low, "cycle_max_lr": _rate(run, turn)}
    if 0 < after < low:
        rates |= {"decay_step_size": DECAYED, "decay_lr_rate": low / after - 1}
    sizes = {"cycle_first_step_size": turn, "cycle_second_step_size": end - turn}
    return _candidate(run, "OneCycle", {**rates, **sizes, "cycle_momentum": False})


def _range_tests(run: Run) -> Iterator[Candidate]:
    """Lines that rise without an end from above 0."""
    low, size = _rate(run, 0), run.marks()[-1] or run.steps
    if 0 < low < (high := _rate(run, size)):
        fields = {"lr_range_test_min_lr": low, "lr_range_test_step_size": size}
        fields["lr_range_test_step_rate"] = high / low - 1
        yield _candidate(run, "LRRangeTest", {**fields, "lr_range_test_staircase": False})
        yield _candidate(run, "LRRangeTest", {**fields, "lr_range_test_staircase": True})


def _candidate(run: Run, name: str, params: dict[str, Any]) -> Candidate:
    # Without a type DeepSpeed leaves the optimizer to the program.
    named = {"type": optimizer_class(run)} if len(run.spec.optimizer) > 1 else {}
    optimizer = {**named, "params": optimizer_arguments(run)}
    scheduler = {"type": name, "params": params}
    return Candidate(name, {"optimizer": optimizer, "scheduler": scheduler})


def _json(_: Run, settings: dict[str, Any]) -> str:
    return f"{json.dumps(settings, indent=2)}\n"


TARGET = Target(title="DeepSpeed's JSON", write=write, needs_base=True, has_optimizer=True)
