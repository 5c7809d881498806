"""A state and a scheduler: whether they are of one schedule, and what to do if not."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Literal

from olm.problem import (
    LISTED,
    OlmError,
    Path,
    RateError,
    StateError,
    distinct,
    dotted,
    found,
    quantity,
)
from olm.spec.differences import differences_in_steps
from olm.spec.memory import forgotten, remembered
from olm.spec.spec import Spec

OnChange = Literal["error", "checkpoint", "spec"]
"""What to do about a state of another schedule: refuse it, go on with it, or keep one's own."""

RATES = 4
"""How many rates of a step a message has."""

_log = logging.getLogger("olm")


def agreed(state: Spec, own: Spec, base_lrs: Sequence[float], on_change: OnChange) -> Spec:
    """The state to go on from: the given one or, with ``"spec"``, the same step of this spec.

    Raises:
        StateError: the number of param groups differs, or something else does and nobody chose a
            side.
    """
    if on_change not in ("error", "checkpoint", "spec"):
        raise OlmError(
            f'on_change must be "error", "checkpoint" or "spec", found {found(on_change)}'
        )
    here = partial(
        Spec.trusted, durations=own.durations, last_epoch=state.last_epoch, base_lrs=base_lrs
    )
    live = here(own.schedule)
    theirs = state.base_lrs or ()
    if len(theirs) != len(base_lrs) and on_change != "spec":
        groups = f"{quantity(len(theirs), 'param group')}, this optimizer {len(base_lrs):,}"
        raise StateError(
            f"base_lrs: the checkpoint has {groups}; to go on with this optimizer's, from step "
            f'{state.last_epoch} on: on_change="spec"'
        )
    lines = _first_of([*_disagreements(state, live)])
    if lines or on_change == "spec":
        live = here(remembered(own.schedule, state.schedule))
    if lines:
        lines += _from_here(state, live)
    if lines and on_change == "error":
        raise StateError(
            "\n  ".join([f"this state is of {_what_differs(state, live)}", *lines])
            + '\nto go on with the checkpoint\'s: on_change="checkpoint"; '
            + f'with this one\'s, from step {state.last_epoch} on: on_change="spec"'
        )
    if lines:
        _log.warning("on_change=%r: %s", on_change, "; ".join(lines))
    return live if on_change == "spec" else state


def _first_of(lines: list[str]) -> list[str]:
    """As many as anybody reads."""
    more = [f"... and {len(lines) - LISTED:,} more"] if len(lines) > LISTED else []
    return lines[:LISTED] + more


def _what_differs(state: Spec, live: Spec) -> str:
    if state.base_lrs == live.base_lrs and forgotten(state.written) == forgotten(live.written):
        return "a run of another length"
    return "another schedule"


def _disagreements(checkpoint: Spec, live: Spec) -> Iterator[str]:
    """What two states do not have in common, a line a field; neither step nor memory is."""
    for one in differences_in_steps(checkpoint, live):
        if not one.memory:
            theirs, ours = one.a, one.b
            if isinstance(theirs, list) and isinstance(ours, list):
                noun = "param group" if one.path == ("base_lrs",) else "item"
                theirs, ours = quantity(len(theirs), noun), f"{len(ours):,}"
            line = f"{dotted(one.path)}: the checkpoint has {theirs}, this scheduler {ours}"
            yield f"{line}{_as_written(one.path, checkpoint, live)}"


def _as_written(path: Path, checkpoint: Spec, live: Spec) -> str:
    """What was written where the two have other numbers of steps."""
    theirs, ours = (dict(spec.durations).get(dotted(path)) for spec in (checkpoint, live))
    if theirs == ours:
        return f" ({ours})" if ours else ""
    return f" (written {theirs or 'in steps'} there, {ours or 'in steps'} here)"


def _from_here(state: Spec, live: Spec) -> Iterator[str]:
    """What the next rates become, if they differ; nothing if one of them is not usable."""
    step = max((state.last_epoch or 0) + 1, 0)
    with suppress(RateError):
        theirs, ours = _rates(state, step), _rates(live, step)
        if theirs != ours:
            there, here = map(_shortened, distinct(theirs, ours))
            yield f"the rate at step {step:,}: {there} by the checkpoint, {here} by this scheduler"


def _rates(spec: Spec, step: int) -> list[float]:
    rates: list[float] = spec.schedule.lr([step], spec.base_lrs or ()).tolist()
    return rates


def _shortened(texts: list[str]) -> str:
    """The rates of a step, each once, as far as anybody reads on."""
    texts = list(dict.fromkeys(texts))
    return ", ".join([*texts[:RATES], *("…" for _ in texts[RATES:][:1])])
