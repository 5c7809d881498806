"""References such as ``${trainer.max_epochs}`` inside one file, as OmegaConf resolves them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from olm.problem import Path, path_of

_REFERENCE = re.compile(r"\$\{(\.*)([A-Za-z_][A-Za-z0-9_.\[\]-]*)\}")
"""A reference to a key; one with a colon is a function, which is not called."""

DEEPEST = 16
"""How many references may follow one another."""


def resolved(value: Any) -> Any:
    """The values of a file, with its references replaced where the file has what they refer to.

    >>> resolved({"run": {"epochs": 30}, "steps": "${run.epochs}", "home": "${oc.env:HOME}"})
    {'run': {'epochs': 30}, 'steps': 30, 'home': '${oc.env:HOME}'}
    """
    return _resolved(value, value, (), 0)


def _resolved(value: Any, root: Any, path: Path, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {key: _resolved(item, root, (*path, key), depth) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, root, (*path, index), depth) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value or depth > DEEPEST:
        return value
    if whole := _REFERENCE.fullmatch(value):
        return _followed(whole, root, path, depth)
    return _REFERENCE.sub(lambda match: str(_followed(match, root, path, depth)), value)


def _followed(match: re.Match[str], root: Any, path: Path, depth: int) -> Any:
    """What a reference refers to; the reference itself if the file has no such key."""
    dots, name = match.groups()
    # One dot is the mapping of the key, each further one the mapping around it.
    base = path[: len(path) - len(dots)] if dots else ()
    target = (*base, *path_of(name))
    value = root
    for part in target:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return match[0]
    if isinstance(value, Mapping | list):
        # A mapping that refers to itself would never end.
        return match[0]
    return _resolved(value, root, target, depth + 1)
