"""A schedule in a sentence, in steps or in durations as written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from olm.fields.durations import REST, Duration
from olm.problem import listed

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

REACHED = "the rate reached"
"""The base rate of a part that continues from the part before."""


def in_words(schedule: Schedule, unit: str = "step") -> Iterator[str]:
    """A schedule in a sentence, and one for each of its parts below it.

    Args:
        schedule: the schedule.
        unit: what its numbers of steps count.

    >>> from olm.kinds.linear import LinearDecay
    >>> print(*in_words(LinearDecay(total_steps=2000)))
    LinearDecayLR: a straight line from the base rate to 0 at step 2,000, which holds.
    >>> print(*in_words(LinearDecay(total_steps="2ep")))
    LinearDecayLR: a straight line from the base rate to 0 at 2 epochs, which holds.
    """
    # A plugin's kind may have no words.
    yield f"{': '.join(filter(None, [schedule.kind, sentence(schedule, unit)]))}."
    unit = _unit(schedule, unit)
    for index, (begins, part) in enumerate(beginnings(schedule, unit)):
        lines = [*in_words(part, unit)]
        if schedule.continues and index:
            lines = [re.sub(r"\b(the base rate|base)\b", REACHED, line) for line in lines]
        first, *more = lines
        yield f"  {begins}, {first}"
        yield from (f"  {line}" for line in more)


def sentence(schedule: Schedule, unit: str = "step") -> str:
    """What a kind does, with the values of its fields, without the schedules in it.

    >>> from olm.kinds.warmup import WarmupCosine
    >>> sentence(WarmupCosine(warmup_steps="3%", total_steps="20e9tok"))[:54]
    'up from 0 to the base rate in 3% of the run, then half'
    >>> sentence(WarmupCosine(warmup_steps=375, total_steps=900), "token")[:54]
    'up from 0 to the base rate in 375 tokens, then half a '
    """
    words = schedule.wording()
    values = dict(schedule)
    for name, value in values.items():
        if _waits(value):
            words = _without_steps(words, name, is_the_end=str(value) == REST)
        elif isinstance(value, tuple | int):
            words = _singular(words, name, value)
    words = re.sub(r"\bstep(s?)\b", rf"{_unit(schedule, unit)}\1", words)
    text = words.format(**{name: _text(value) for name, value in values.items()})
    text = re.sub(r"(?<!, )(?<![\d.,])1 × base\b", "the base rate", text)
    text = re.sub(r"(?<!, )(?<![\d.,])0 × base\b", "0", text)
    return re.sub(r"\bevery 1 (?=\w)", "every ", text)


def _unit(schedule: Schedule, unit: str) -> str:
    """What the numbers of a schedule with an axis count, or those of one in another unit."""
    axis = schedule.axis_of_parts
    return unit if axis == "steps" else axis.removesuffix("s")


def beginnings(schedule: Schedule, unit: str = "step") -> Iterator[tuple[str, Schedule]]:
    """The parts of a schedule, each with the step at which it begins."""
    try:
        parts = schedule.parts()
    except TypeError:
        if not schedule.durations():
            raise
        # They follow one another; durations cannot be added up without a clock.
        for index, part in enumerate(schedule.children()):
            yield "then" if index else "first", part
        return
    for start, _, part in parts:
        begins = f"from {'' if _waits(start) else f'{unit} '}{_text(start)} on"
        # On another clock, step 0 is no step of the optimizer.
        yield "its schedule" if schedule.own_clock else begins, part


def _without_steps(words: str, name: str, *, is_the_end: bool) -> str:
    """The words of a kind, without the word "steps" at a field."""
    field = f"{{{name}}}"
    if is_the_end:
        words = words.replace(f"at step {field}", "at the end")
    return re.sub(rf"(?:the steps |step )?{re.escape(field)}(?: steps)?", field, words)


def _singular(words: str, name: str, value: int | tuple[object, ...]) -> str:
    """The words of a kind, in which the noun after a field is singular if the field is one.

    >>> _singular("for {lengths} steps", "lengths", (1,)), _singular("{n} steps", "n", 2)
    ('for {lengths} step', '{n} steps')
    >>> _singular("at each of the steps {milestones}", "milestones", (30,))
    'at step {milestones}'
    """
    field = re.escape(f"{{{name}}}")
    if value in (1, -1, (1,)):
        words = re.sub(rf"({field} \w+)s\b", r"\1", words)
    if isinstance(value, tuple) and len(value) == 1:
        words = re.sub(rf"(?:each of )?the (\w+)s ({field})", r"\1 \2", words)
    return words


def _waits(value: object) -> bool:
    values = value if isinstance(value, tuple) else (value,)
    return any(isinstance(item, Duration) for item in values)


def _text(value: Any) -> object:
    if isinstance(value, Duration):
        return value.words
    if isinstance(value, tuple):
        return listed(map(_text, value))
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else value
