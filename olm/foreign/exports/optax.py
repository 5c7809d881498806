"""optax: Python code that joins its schedules. optax computes them in float32."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from olm.foreign.exports._candidates import Candidate, best, heading
from olm.foreign.exports._pieces import MOST_PIECES, pieces
from olm.foreign.exports._shapes import Piece
from olm.foreign.exports._targets import KEEP, Run, Target, refused

MOST_SCALES = 20
"""The most factors of a schedule in pieces, each of which multiplies the one before."""

SMALLEST = 1e-30
"""The smallest highest rate, whose shares of 1e-6 float32 still has."""

WIDTH = 88
"""How long a line of code may be."""

Call = dict[str, Any]


def write(run: Run) -> str:
    """The code."""
    if 0 < float(run.schedule.lr(run.step_numbers(), run.base).max()) < SMALLEST:
        raise refused("optax computes in float32, which has no rates as small as these", KEEP)
    parts = pieces(run)
    if len(parts) > MOST_PIECES:
        text = f"optax has no schedule with these rates: they have more than {MOST_PIECES} pieces"
        raise refused(text, KEEP)
    return best(run, [_candidate(parts)], "optax", "optax", _code)


def _candidate(parts: list[Piece]) -> Candidate:
    call = _call(parts)
    return Candidate(call["()"].removeprefix("optax."), call)


def _call(parts: list[Piece]) -> Call:
    """The schedule that has all pieces."""
    parts = _without_tail(parts)
    if len(parts) == 1:
        return _schedule(parts[0])
    firsts = [part.first for part in parts]
    constant = all(part.shape == "constant" for part in parts)
    if constant and all(firsts[:-1]) and len(parts) <= MOST_SCALES:
        pairs = zip(parts[1:], pairwise(firsts), strict=True)
        scales = {part.start: after / before for part, (before, after) in pairs}
        drops = {"init_value": firsts[0], "boundaries_and_scales": scales}
        return _named("piecewise_constant_schedule", **drops)
    if (whole := _warmup_cosine(parts)) is not None:
        return whole
    starts = [part.start for part in parts[1:]]
    return _named("join_schedules", schedules=[*map(_schedule, parts)], boundaries=starts)


def _without_tail(parts: list[Piece]) -> list[Piece]:
    """The pieces without a constant at which the one before ends and stays."""
    if len(parts) < 2:
        return parts
    *_, before, tail = parts
    stays = before.shape != "exponential" and before.start + before.steps <= tail.start
    same = tail.shape == "constant" and tail.first == before.last
    return parts[:-1] if stays and same else parts


def _warmup_cosine(parts: list[Piece]) -> Call | None:
    """The schedule of a line and half a wave, if the pieces are those."""
    if [part.shape for part in parts] != ["linear", "cosine"]:
        return None
    rise, fall = parts
    if rise.steps != fall.start or rise.last != fall.first or not rise.last:
        return None
    return _named(
        "warmup_cosine_decay_schedule",
        init_value=rise.first,
        peak_value=rise.last,
        warmup_steps=rise.steps,
        decay_steps=rise.steps + fall.steps,
        end_value=fall.last,
    )


def _schedule(part: Piece) -> Call:
    """The schedule of a piece."""
    start, steps = {"init_value": part.first}, part.steps
    match part.shape:
        case "constant":
            return _named("constant_schedule", value=part.first)
        case "cosine":
            share = part.last / part.first if part.first else 0.0
            return _named("cosine_decay_schedule", **start, decay_steps=steps, alpha=share)
        case "exponential":
            rate = part.last / part.first
            return _named("exponential_decay", **start, transition_steps=steps, decay_rate=rate)
    ends = {**start, "end_value": part.last, "transition_steps": steps}
    if part.shape == "linear":
        return _named("linear_schedule", **ends)
    return _named("polynomial_schedule", **ends, power=part.power)


def _named(name: str, **arguments: Any) -> Call:
    return {"()": f"optax.{name}", **arguments}


def _code(run: Run, settings: Call) -> str:
    note = "# optax computes in float32: the rates are within 1e-6 of the highest one."
    return f"# {heading(run)}\n{note}\nimport optax\n\nschedule = {_text(settings, 0)}\n"


def _text(value: Any, depth: int) -> str:
    """A value as code, on lines of its own if it is long."""
    if isinstance(value, dict) and "()" in value:
        begin, end = f"{value['()']}(", ")"
        parts = [f"{k}={_text(v, depth + 1)}" for k, v in value.items() if k != "()"]
    elif isinstance(value, list):
        begin, end = "[", "]"
        parts = [_text(item, depth + 1) for item in value]
    else:
        return repr(value)
    whole = f"{begin}{', '.join(parts)}{end}"
    if len(whole) + 4 * depth < WIDTH and "\n" not in whole:
        return whole
    return "\n".join(
        [begin, *(f"{'    ' * (depth + 1)}{part}," for part in parts), "    " * depth + end]
    )


TARGET = Target(title="optax code", write=write, needs_base=True)
