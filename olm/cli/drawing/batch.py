"""The length of a run, and how its batch and its sequence length change, in words and columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from olm.fields.durations import Duration
from olm.problem import listed, quantity
from olm.schedule.units_per_step import as_number

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.schedule.units_per_step import Exact, UnitsPerStep

MOST = 6
"""The most stages that are listed."""


@dataclass(frozen=True)
class BatchColumn:
    """What each step takes."""

    name: str
    """The heading, and the name in a file."""
    plan: UnitsPerStep

    def text(self, step: int) -> str:
        """The number of a step, for a table."""
        return _text(self.plan.at(step))

    def numbers(self, steps: Sequence[int]) -> list[float]:
        """The numbers of steps, for a file."""
        return [as_number(self.plan.at(step)) for step in steps]


def batch_columns(clock: Clock) -> list[BatchColumn]:
    """What changes in the course of a run: the batch, the sequence length.

    >>> from olm.schedule.clock import Clock
    >>> stages = [{"from": 0, "samples": 8}, {"from": 100, "samples": 16}]
    >>> [(one.name, one.text(100)) for one in batch_columns(Clock(batch_stages=stages))]
    [('batch_size', '16')]
    >>> batch_columns(Clock(samples_per_step=8))
    []
    """
    found = [_batch(clock), _sequence_length(clock)]
    return [column for column in found if column and not column.plan.is_constant]


def changes(clock: Clock, steps: int) -> Iterator[tuple[int, str]]:
    """The steps at which the batch or the sequence length changes, or, if many, the last ones."""
    for column in batch_columns(clock):
        what = _NOUNS[column.name]
        stages = column.plan.stages
        if len(stages) > MOST:
            yield from ((at, f"{what} constant from here") for at, _ in stages[-1:] if at <= steps)
            continue
        for (_, before), (first, size) in pairwise(stages):
            if first <= steps:
                yield first, f"{what} {'grows' if size > before else 'shrinks'}"


def run_in_words(clock: Clock) -> Iterator[str]:
    r"""Sentences on a run whose length is not in steps, or whose steps are not all alike.

    >>> from olm.schedule.clock import Clock
    >>> ramp = {"start": 16, "end": 64, "by": 16, "over": "1e6tok"}
    >>> print(*run_in_words(Clock(total_steps="3e6tok", tokens_per_sample=512, batch_ramp=ramp)),
    ...       sep="\n")
    Run: 3e6 tokens, 136 steps, rounded down from 136.3027344.
    Batch: 16 samples, growing by 16 over 1e6 tokens to 64 samples from step 76 on.
    """
    if isinstance(clock.total, Duration):
        yield _length(clock.total, clock)
    if clock.batch_ramp is not None or clock.batch_stages is not None:
        column = _batch(clock)
        yield f"Batch: {_lacking(clock) if column is None else _batch_words(clock, column)}."
    if isinstance(clock.tokens_per_sample, tuple) and (length := _sequence_length(clock)):
        yield f"Sequence length: {_stages(length, clock)}."


_NOUNS = {"batch_size": "batch", "tokens_per_step": "batch", "tokens_per_sample": "sequence length"}
"""What a column shows, in words."""


def _length(total: Duration, clock: Clock) -> str:
    from olm.schedule.counting import Counted

    if clock.total_steps is None:
        return f"Run: {total.words}: to count its steps, the clock lacks {clock.lacks(total)}."
    counted = Counted(("clock", "total_steps"), total, clock.steps(total), clock.total_steps)
    parts = (total.words, quantity(clock.total_steps, "step"), counted.rounding)
    return f"Run: {', '.join(filter(None, parts))}."


def _lacking(clock: Clock) -> str:
    field = clock.lacks_of("tokens" if clock.batch_is_in_tokens else "samples")
    return f"it changes, and to count its stages, the clock lacks {field}"


def _batch_words(clock: Clock, column: BatchColumn) -> str:
    ramp = clock.batch_ramp
    if ramp is None:
        return _stages(column, clock)
    grows = "growing" if ramp.end > ramp.start else "shrinking"
    over = ramp.over.words if isinstance(ramp.over, Duration) else quantity(ramp.over, "step")
    full = column.plan.firsts[-1]
    text = f"{quantity(ramp.start, 'sample')}, {grows} by {ramp.by:,} over {over}"
    return (
        f"{text} to {quantity(ramp.end, 'sample')} from step {full:,} on{_unreached(full, clock)}"
    )


def _stages(column: BatchColumn, clock: Clock) -> str:
    """The stages of a column, of which the middle ones are left out if there are many."""
    noun = "token" if column.name.startswith("tokens") else "sample"
    texts = [
        f"{_text(size)} {noun}{'s' * (size != 1)}"
        + (f" from step {first:,} on{_unreached(first, clock)}" if first else "")
        for first, size in column.plan.stages
    ]
    if len(texts) > MOST:
        texts = [*texts[:3], f"... {len(texts) - 4:,} more", texts[-1]]
    return listed(texts)


def _unreached(step: int, clock: Clock) -> str:
    ends = clock.total_steps is not None and step >= clock.total_steps
    return ", which the run does not reach" if ends else ""


def _batch(clock: Clock) -> BatchColumn | None:
    """The samples of each step, or its tokens where samples are unknown."""
    for label, unit in (("batch_size", "samples"), ("tokens_per_step", "tokens")):
        if not clock.lacks_of(unit):
            return BatchColumn(label, clock.units(unit))
    return None


def _sequence_length(clock: Clock) -> BatchColumn | None:
    """The tokens of each sample."""
    if clock.lacks_of("samples") or clock.lacks_of("tokens"):
        return None
    both = clock.units("samples"), clock.units("tokens")
    stages: list[tuple[int, Exact]] = []
    for first in sorted({first for plan in both for first in plan.firsts}):
        length = clock.tokens_per_sample_at(first)
        if not stages or stages[-1][1] != length:
            stages.append((first, length))
    return BatchColumn("tokens_per_sample", type(both[0]).of_stages(stages))


def _text(size: Exact) -> str:
    return f"{size:,}" if isinstance(size, int) else f"{float(size):,g}"
