"""A spec as the text of a file: YAML or JSON, without the fields that have their defaults."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from olm.schedule.schedule import KINDS

if TYPE_CHECKING:
    from olm.spec.spec import Spec

WIDTH = 100


def as_yaml(spec: Spec, comments: Sequence[str] = ()) -> str:
    """The spec in YAML, after some lines of comments.

    >>> from olm.spec.spec import parse
    >>> print(as_yaml(parse({"kind": "LinearLR", "total_steps": 10, "end_lr": 1e-5}), ["a line"]))
    # a line
    kind: LinearLR
    total_steps: 10
    end_lr: 1.0e-05
    <BLANKLINE>
    """
    import yaml

    # Each key by itself: a root with scalars only would be a mapping in braces.
    lines = (
        yaml.safe_dump(
            {key: value},
            sort_keys=False,
            width=WIDTH,
            default_flow_style=None if isinstance(value, list | dict) else False,
            allow_unicode=True,
        )
        for key, value in concise(spec).items()
    )
    return "".join([*(f"# {line}\n" for line in comments), *lines])


def as_json(spec: Spec) -> str:
    """The spec in JSON."""
    return json.dumps(concise(spec), indent=2, allow_nan=False) + "\n"


def concise(spec: Spec) -> dict[str, Any]:
    """The document of a spec without the fields that have their defaults."""
    document: dict[str, Any] = _without_defaults(spec.model_dump())
    return document


def _without_defaults(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    model = KINDS.get(value["kind"]) if "kind" in value else None
    fields = {} if model is None else model.model_fields
    return {
        name: _without_defaults(item)
        for name, item in value.items()
        if name == "kind" or name not in fields or item != _plain(fields[name].default)
    }


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default
