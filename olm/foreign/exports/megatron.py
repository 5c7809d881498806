"""Megatron-LM: the arguments of its command line about the rate, in a shell array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from math import isclose
from typing import TYPE_CHECKING, Any

from olm.fields.durations import SAMPLE, duration
from olm.foreign.configs._megatron_curves import SHAPES
from olm.foreign.exports._candidates import Candidate, best, heading
from olm.foreign.exports._targets import Run, Target, refused

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.schedule.schedule import Schedule
TITLE = "Megatron-LM"

MOST_MARKS = 6
"""The most steps that are tried as the end of a phase."""

FEWEST = 3
"""How many warm-ups are tried where none ends at the base rate: the nearest is one of them."""


def write(run: Run) -> str:
    """The arguments."""
    return best(run, candidates(run), "megatron", TITLE, _array)


@dataclass(frozen=True)
class _Lengths:
    """The lengths that Megatron may count: iterations, or samples where the batch grows."""

    unit: str
    total: int
    marks: set[int]
    """Where the curve may bend, 0 among them."""
    batch: dict[str, Any]
    """The arguments about the batch."""
    rate: Callable[[int], float]
    """The rate at a count."""
    base: float


def candidates(run: Run) -> Iterator[Candidate]:
    """The arguments of each style whose phases end where the curve bends."""
    lengths = _lengths(run)
    unit, total = lengths.unit, lengths.total
    inside = [mark for mark in sorted(lengths.marks) if mark < total][:MOST_MARKS]
    first = lengths.rate(0)
    length = {f"train_{unit}": total, **lengths.batch}
    for name, warmup, end, floor, more in _styles(lengths, inside):
        start = {"lr_warmup_init": first} if warmup and first else {}
        rates = {"lr": run.base, "min_lr": min(floor, run.base), "lr_decay_style": name}
        spans = {f"lr_warmup_{unit}": warmup, f"lr_decay_{unit}": end}
        yield Candidate(name, {**length, **rates, **spans, **start, **more})


def _styles(
    lengths: _Lengths, inside: list[int]
) -> Iterator[tuple[str, int, int, float, dict[str, Any]]]:
    """The style, the warm-up, the end, the floor and the other arguments."""
    beyond = [mark for mark in sorted(lengths.marks) if mark > lengths.total]
    warmups = [0, *(mark for mark in inside if isclose(lengths.rate(mark), lengths.base))]
    warmups = warmups if len(warmups) > 1 else inside[:FEWEST]
    ends = dict.fromkeys([*beyond[:MOST_MARKS], lengths.total, *inside])
    for warmup, end in product(dict.fromkeys(warmups), ends):
        if end <= warmup:
            continue
        floors = dict.fromkeys((lengths.rate(end), lengths.rate(lengths.total), 0.0))
        yield "constant", warmup, end, 0.0, {}
        for floor in floors:
            yield "linear", warmup, end, floor, {}
            yield "cosine", warmup, end, floor, {}
            yield "inverse-square-root", warmup, end, floor, {}
            for start, shape in product(inside, SHAPES):
                if warmup <= start < end:
                    decay = {f"lr_wsd_decay_{lengths.unit}": end - start}
                    yield "WSD", warmup, end, floor, {**decay, "lr_wsd_decay_style": shape}


def _lengths(run: Run) -> _Lengths:
    """What the run counts: samples if the curve or the batch needs them.

    Raises:
        SpecError: the clock does not know the samples, or the batch grows in another way.
    """
    schedule, clock = run.schedule, run.clock or run.spec.clock
    along = schedule.axis_of_parts == "samples"
    if clock is None or not (along or clock.plans_batch):
        marks = {0, *schedule.marks()}
        return _Lengths("iters", run.steps, marks, {}, _rates(run, schedule), run.base)
    if lacking := clock.lacks_of("samples"):
        hint = f"add {lacking} to the clock"
        raise refused(f"{TITLE} counts samples, which the clock does not know", hint)
    total, batch = int(clock.samples_at(run.steps)), _batch(clock)
    if along:
        inner = next(iter(schedule.parts())).schedule
        marks, rate = {0, *inner.marks()}, _rates(run, inner)
        return _Lengths("samples", total, marks, batch, rate, run.base)
    marks = {int(clock.samples_at(mark)) for mark in (0, *schedule.marks())}
    of_step = _rates(run, schedule)

    def rate_at(count: int) -> float:
        return of_step(int(clock.step_at(f"{count}{SAMPLE.suffix}")))

    return _Lengths("samples", total, marks, batch, rate_at, run.base)


def _batch(clock: Clock) -> dict[str, Any]:
    """The arguments about a batch, which is constant or grows.

    Raises:
        SpecError: it grows in another way than Megatron's.
    """
    if not clock.plans_batch:
        return {"global_batch_size": int(clock.batch_at(0))}
    ramp = clock.batch_ramp
    over = duration(str(clock.known["batch_ramp"]["over"])) if ramp is not None else None
    terms = over.terms if over is not None else ()
    if ramp is None or [suffix for _, suffix in terms] != [SAMPLE.suffix]:
        text = f"the batch of {TITLE} grows by --rampup-batch-size alone, over a number of samples"
        raise refused(text, "a clock has it as `batch_ramp` with `over` in samples, such as 300sp")
    grown = [ramp.start, ramp.by, int(terms[0][0])]
    return {"rampup_batch_size": grown, "global_batch_size": ramp.end}


def _rates(run: Run, schedule: Schedule) -> Callable[[int], float]:
    return lambda count: float(schedule.lr(count, run.base))


def _array(run: Run, settings: dict[str, Any]) -> str:
    lines = "".join(f"    --{name.replace('_', '-')} {_words(v)}\n" for name, v in settings.items())
    return f"# {heading(run)}\nLR_ARGS=(\n{lines})\n"


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


TARGET = Target(title="Megatron-LM's arguments in a shell array", write=write, needs_base=True)
