"""A short name for what a schedule says, by which two of them are told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import InitErrorDetails

from olm.fields.durations import Duration
from olm.fields.errors import at, invalid
from olm.fields.types import memory_fields
from olm.problem import found
from olm.schedule.per_step import PerStep
from olm.schedule.schedule import Schedule
from olm.spec.plain_values import PLAIN_TYPES

if TYPE_CHECKING:
    from olm.spec.root_keys import Root
    from olm.spec.targets import Target


def digest(schedule: Schedule, also: Sequence[Target] = ()) -> str:
    """A short name for what a schedule says, the same whatever wrote it and wherever it runs.

    It is the sha256 of the canonical JSON of kind and fields, nested, without those that equal
    their default, so that a field added later with a default changes nothing; and without what a
    metric-driven schedule remembers. Targets are a part of it, in any order.

    >>> from olm.kinds.linear import Linear
    >>> digest(Linear(total_steps=10, end_lr=0))[:15]
    'sha256:fcc3d00f'
    """
    import hashlib

    document = _canonical(schedule)
    if also:
        document["also"] = sorted(map(_canonical_target, also), key=_text)
    return "sha256:" + hashlib.sha256(_text(document).encode()).hexdigest()


def mixed_state(root: Root, given: str) -> Iterator[InitErrorDetails]:
    """That the digest is not that of the schedules, or that these are none of a state."""
    counted = True
    hint = "`durations` says what its steps were before"
    for place, schedule in root.placed_schedules():
        for path, duration in schedule.durations() if not schedule.is_counted else ():
            counted = False
            text = f"must be in optimizer steps in a state, found {found(duration.text)}"
            yield at(place + path, duration.text, invalid("durations", text, hint=hint))
    if counted and given != (own := digest(root.schedule, root.also)):
        text = f"this is not the digest of the schedule, which is {own}"
        hint = "the state mixes two schedules, or was edited: a spec has no digest"
        yield at(("digest",), given, invalid("digest", text, hint=hint))


def _text(document: Any) -> str:
    import json

    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _canonical_target(target: Target) -> dict[str, Any]:
    kind, name, groups = target.identity
    document: dict[str, Any] = {kind: name, target.field: _canonical(target.curve)}
    rest = {"groups": [*groups], "base": target.base, "metric": target.metric}
    return document | {key: value for key, value in rest.items() if value not in (None, [])}


def _canonical(value: Any) -> Any:
    if isinstance(value, Schedule):
        memory = memory_fields(type(value))
        fields = {
            name: (getattr(value, name), field.default)
            for name, field in type(value).model_fields.items()
            if name not in memory
        }
        said = {name: _canonical(now) for name, (now, default) in fields.items() if now != default}
        return said | {"kind": value.kind}
    if isinstance(value, Duration):
        return value.text
    if isinstance(value, PerStep):
        return value.as_document()
    if not isinstance(value, tuple):
        return value
    # Of most items the type tells enough, and there may be thousands.
    return [item if type(item) in PLAIN_TYPES else _canonical(item) for item in value]
