"""A state and a scheduler: whether they are of one schedule, and what to do if not."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from olm.fields import memory_fields
from olm.memory import forgotten, remembered
from olm.problem import OlmError, Path, SpecError, StateError, dotted, found
from olm.schedule import Schedule
from olm.spec import STATE_KEYS, Spec, digest, parse
from olm.train.schedulers.foreign import DERIVED, POSITION, TRANSIENT, check_keys

OnChange = Literal["error", "checkpoint", "spec"]
"""What to do about a state of another schedule: refuse it, go on with it, or keep one's own."""

_log = logging.getLogger("olm")


def state_of(model: type[Schedule], state: Mapping[str, Any]) -> Spec:
    """The state that a mapping says, for a scheduler of this kind.

    Raises:
        StateError: it says none.
    """
    if isinstance(state, Mapping) and not {"kind", "digest"} & set(state):
        state = _adopted(model, state)
    try:
        spec = parse(state)
    except SpecError as error:
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise StateError(f"this is not a state\n{lines}") from None
    if not spec.is_state:
        raise StateError(f"this is a spec, not a state: it has no {', '.join(STATE_KEYS)}")
    return spec


def agreed(state: Spec, schedule: Schedule, base_lrs: Sequence[float], on_change: OnChange) -> Spec:
    """The state to go on from: the given one or, with ``"spec"``, the same step of this schedule.

    Raises:
        StateError: the number of param groups differs, or something else does and nobody chose a
            side.
    """
    if on_change not in ("error", "checkpoint", "spec"):
        raise OlmError(
            f'on_change must be "error", "checkpoint" or "spec", found {found(on_change)}'
        )
    live = Spec(
        schedule=remembered(schedule, state.schedule),
        last_epoch=state.last_epoch,
        base_lrs=tuple(base_lrs),
        digest=digest(schedule),
    )
    theirs = state.base_lrs or ()
    if len(theirs) != len(base_lrs):
        groups = f"{len(theirs)} param groups, this optimizer {len(base_lrs)}"
        raise StateError(f"base_lrs: the checkpoint has {groups}")
    lines = list(differences(state, live))
    if lines and on_change == "error":
        raise StateError(
            "\n  ".join(["this state is of another schedule", *lines])
            + '\nto go on with the checkpoint\'s: on_change="checkpoint"; '
            + f'with this one\'s, from step {state.last_epoch} on: on_change="spec"'
        )
    if lines:
        _log.warning("on_change=%r: %s", on_change, "; ".join(lines))
    return live if on_change == "spec" else state


def differences(checkpoint: Spec, live: Spec) -> Iterator[str]:
    """What two states do not have in common, a line a field; neither is where they stand."""
    theirs, ours = (_compared(spec) for spec in (checkpoint, live))
    yield from _differences(theirs, ours, ())


def _differences(theirs: Any, ours: Any, path: Path) -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if theirs.get("kind") != ours.get("kind"):
            theirs, ours = {"kind": theirs["kind"]}, {"kind": ours["kind"]}
        for key in ours:
            yield from _differences(theirs[key], ours[key], (*path, key))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (their, our) in enumerate(zip(theirs, ours, strict=True)):
            yield from _differences(their, our, (*path, index))
    elif isinstance(theirs, list) and isinstance(ours, list):
        yield f"{dotted(path)}: the checkpoint has {len(theirs)} items, this scheduler {len(ours)}"
    elif theirs != ours:
        yield f"{dotted(path)}: the checkpoint has {theirs}, this scheduler {ours}"


def _compared(state: Spec) -> dict[str, Any]:
    """What of a state must agree: neither where it stands nor what it remembers."""
    return forgotten(state.schedule).model_dump(mode="json") | {
        "base_lrs": list(state.base_lrs or ())
    }


def _adopted(model: type[Schedule], state: Mapping[str, Any]) -> Mapping[str, Any]:
    """A state by torch's or OpenLanguageModel's class of the same name, as one of ours."""
    fields = set(model.model_fields) - {"kind", *memory_fields(model)}
    kind = model.model_fields["kind"].default
    check_keys(state, fields | POSITION, kind)
    ours = {key: value for key, value in state.items() if key not in TRANSIENT | DERIVED}
    try:
        schedule = parse({"kind": kind} | {name: ours[name] for name in fields}).schedule
    except SpecError:
        return {"kind": kind, **ours}
    return {"kind": kind, **ours, "digest": digest(schedule)}
