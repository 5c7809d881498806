"""A short name for what a schedule says, by which two of them are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic_core import InitErrorDetails

from olm.fields.durations import Duration
from olm.fields.errors import at, invalid
from olm.fields.types import memory_fields
from olm.problem import found
from olm.schedule.schedule import Schedule


def digest(schedule: Schedule) -> str:
    """A short name for what a schedule says, the same whatever wrote it and wherever it runs.

    It is the sha256 of the canonical JSON of kind and fields, nested, without those that equal
    their default, so that a field added later with a default changes nothing; and without what a
    metric-driven schedule remembers.

    >>> from olm.kinds.linear import Linear
    >>> digest(Linear(total_steps=10, end_lr=0))[:15]
    'sha256:fcc3d00f'
    """
    import hashlib
    import json

    text = json.dumps(_canonical(schedule), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def mixed_state(schedule: Schedule, given: str) -> Iterator[InitErrorDetails]:
    """That the digest is not that of the schedule, or that this is no schedule of a state."""
    if not schedule.is_counted:
        hint = "`durations` says what its steps were before"
        for path, duration in schedule.durations():
            text = f"must be in optimizer steps in a state, found {found(duration.text)}"
            yield at(path, duration.text, invalid("durations", text, hint=hint))
    elif given != (own := digest(schedule)):
        text = f"this is not the digest of the schedule, which is {own}"
        hint = "the state mixes two schedules, or was edited: a spec has no digest"
        yield at(("digest",), given, invalid("digest", text, hint=hint))


def _canonical(value: Any) -> Any:
    if isinstance(value, Schedule):
        fields = {
            name: (getattr(value, name), field.default)
            for name, field in type(value).model_fields.items()
            if name not in memory_fields(type(value))
        }
        said = {name: _canonical(now) for name, (now, default) in fields.items() if now != default}
        return said | {"kind": value.kind}
    if isinstance(value, Duration):
        return value.text
    return [_canonical(item) for item in value] if isinstance(value, tuple) else value
