"""A state and a scheduler: whether they are of one schedule, and what to do if not."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Literal

from olm.problem import LISTED, OlmError, Path, RateError, StateError, dotted, found
from olm.spec.digest import digest
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
    live = Spec(
        schedule=remembered(own.schedule, state.schedule),
        durations=own.durations,
        last_epoch=state.last_epoch,
        base_lrs=tuple(base_lrs),
        digest=digest(own.schedule),
    )
    theirs = state.base_lrs or ()
    if len(theirs) != len(base_lrs):
        groups = f"{len(theirs)} param groups, this optimizer {len(base_lrs)}"
        raise StateError(f"base_lrs: the checkpoint has {groups}")
    lines = _first_of([*differences(state, live)])
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


def differences(checkpoint: Spec, live: Spec) -> Iterator[str]:
    """What two states do not have in common, a line a field; neither is where they stand."""
    theirs, ours = (_compared(spec) for spec in (checkpoint, live))
    for path, line in _differences(theirs, ours, ()):
        yield f"{line}{_as_written(path, checkpoint, live)}"


def _as_written(path: Path, checkpoint: Spec, live: Spec) -> str:
    """What was written where the two have other numbers of steps."""
    theirs, ours = (dict(spec.durations).get(dotted(path)) for spec in (checkpoint, live))
    if theirs == ours:
        return f" ({ours})" if ours else ""
    return f" (written {theirs or 'in steps'} there, {ours or 'in steps'} here)"


def _from_here(state: Spec, live: Spec) -> Iterator[str]:
    """What the next rates become, in a line; nothing, if there is one that cannot be used."""
    step = max((state.last_epoch or 0) + 1, 0)
    with suppress(RateError):
        theirs, ours = (_rates(spec, step) for spec in (state, live))
        yield f"the rate at step {step:,}: {theirs} by the checkpoint, {ours} by this scheduler"


def _rates(spec: Spec, step: int) -> str:
    """The rates of a step, each once, as far as anybody reads on."""
    rates = spec.schedule.lr([step], spec.base_lrs or ()).tolist()
    texts = list(dict.fromkeys(f"{rate:.6g}" for rate in rates))
    return ", ".join([*texts[:RATES], *("…" for _ in texts[RATES:][:1])])


def _differences(theirs: Any, ours: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if theirs.get("kind") != ours.get("kind"):
            theirs, ours = {"kind": theirs["kind"]}, {"kind": ours["kind"]}
        for key in ours:
            yield from _differences(theirs[key], ours[key], (*path, key))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (their, our) in enumerate(zip(theirs, ours, strict=True)):
            yield from _differences(their, our, (*path, index))
    elif isinstance(theirs, list) and isinstance(ours, list):
        items = f"{len(theirs)} items, this scheduler {len(ours)}"
        yield path, f"{dotted(path)}: the checkpoint has {items}"
    elif theirs != ours:
        yield path, f"{dotted(path)}: the checkpoint has {theirs}, this scheduler {ours}"


def _compared(state: Spec) -> dict[str, Any]:
    """What of a state must agree: neither where it stands nor what it remembers."""
    return forgotten(state.schedule).model_dump(mode="json") | {
        "base_lrs": list(state.base_lrs or ())
    }
