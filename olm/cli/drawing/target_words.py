"""The targets of a spec in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from olm.problem import clipped
from olm.schedule.showing.sentence import in_words

if TYPE_CHECKING:
    from olm.spec.targets import Target

_ALSO = "also  "


def also_in_words(targets: Iterable[Target]) -> Iterator[str]:
    """A line for each target, and one for each part of its schedule below it.

    >>> from olm.spec.targets import Target
    >>> ramp = {"kind": "RampLR", "total_steps": 9, "start_factor": 0.9}
    >>> print(*also_in_words([Target(value="ema", schedule=ramp)]))
    also  ema  RampLR: a straight line from 0.9 to 0 in 9 steps, which holds.
    >>> print(*also_in_words([Target(set="eps", schedule=ramp)]))
    also  eps  RampLR: a straight line from 0.9 × each group's own to 0 in 9 steps, which holds.
    """
    labels = {clipped(target.label): target for target in targets}
    width = max(map(len, labels), default=0)
    lead = _ALSO
    for label, target in labels.items():
        first, *more = target_in_words(target)
        yield f"{lead}{label:{width}}  {first}"
        lead = " " * len(_ALSO)
        yield from (f"{lead}{'':{width}}  {line}" for line in more)


def target_in_words(target: Target) -> Iterator[str]:
    """What a target schedules in a sentence, and one for each part of its schedule."""
    base = target.base
    if target.value is not None or target.scaled_by is not None:
        base = 1.0 if base is None else base
    # The schedule of a learning rate is in the words of its kind: each group has a base rate.
    is_rate = target.set == "lr" and base is None
    first, *more = (line if is_rate else _of_base(line, base) for line in in_words(target.curve))
    yield f"that of the other groups × {first}" if target.scaled_by is not None else first
    yield from more


def _of_base(line: str, base: float | None) -> str:
    """A sentence of a learning rate, as one of a number that is a factor of `base`."""
    of = "each group's own" if base is None else f"{base:g}"
    line = re.sub(r"\b(?:the |its )?base(?: rate)?\b", of, line)
    line = re.sub(r"\brate(s?)\b", r"number\1", line)
    return re.sub(r" × 1\b(?![.\d])", "", line) if base == 1 else line
