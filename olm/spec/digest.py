"""A short name for what a schedule says, by which two of them are told apart."""

from __future__ import annotations

from typing import Any

from olm.fields.durations import Duration
from olm.fields.types import memory_fields
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
