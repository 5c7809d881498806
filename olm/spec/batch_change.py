"""A batch that changes where a run resumes: the stages that continue at the tokens seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from olm.fields.durations import SAMPLE, TOKEN, duration
from olm.problem import path_of

if TYPE_CHECKING:
    from olm.spec.spec import Spec

_NAMES = {SAMPLE.suffix: "samples", TOKEN.suffix: "tokens"}


def stages_instead(state: Spec, live: Spec) -> str:
    """The advice for a state whose run had another batch; empty if none of its durations differs.

    Args:
        state: the state.
        live: the spec of the run that resumes, with its durations counted.
    """
    for path, text in live.durations:
        lasting = duration(text)
        terms = () if lasting is None else lasting.terms
        if len(terms) != 1 or terms[0][1] not in _NAMES or (path, text) not in state.durations:
            continue
        (amount, suffix), place = terms[0], path_of(path)
        theirs, ours = (_batch(amount, spec.at(place)) for spec in (state, live))
        if theirs == ours:
            continue
        unit, step = _NAMES[suffix], state.last_epoch or 0
        stages = [{"from": 0, unit: theirs or "..."}, {"from": step, unit: ours or "..."}]
        written = ", ".join(json.dumps(stage).replace('"', "") for stage in stages)
        return (
            f"if the batch changed at step {step:,}, neither goes on at the {unit} seen: put the "
            f"schedule on an axis of {unit}, with clock: {{batch_stages: [{written}]}}, and load "
            'this state with on_change="spec" (`olm explain growing-batches`)'
        )
    return ""


def _batch(amount: Fraction, steps: int) -> int | None:
    """The batch with which some units take some steps, if only one whole number fits."""
    if steps < 1:
        return None
    if (amount / steps).denominator == 1:
        return int(amount / steps)
    least, most = amount / (steps + Fraction(1, 2)), amount / (steps - Fraction(1, 2))
    return floor(most) if ceil(least) == floor(most) else None


def clock_differences(state: Spec, live: Spec) -> Iterator[tuple[str, str, str]]:
    """The plans of the batch and of the sequence length that differ, by field, if any is there."""
    ours, theirs = live.clock, state.clock
    if ours is None or theirs is None or not (ours.varies or theirs.varies):
        return
    for name in ("batch_ramp", "batch_stages", "tokens_per_sample", "samples_per_step"):
        pair = [clock.known.get(name) for clock in (theirs, ours)]
        if pair[0] == pair[1]:
            continue
        inner = [value if isinstance(value, dict) else {"": value} for value in pair]
        for key in {**inner[0], **inner[1]}:
            there, here = (_in_words(value.get(key)) for value in inner)
            if there != here:
                yield f"clock.{name}{f'.{key}' if key else ''}", there, here


def _in_words(value: object) -> str:
    return "none" if value is None else json.dumps(value).replace('"', "")
