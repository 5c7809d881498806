"""References such as ``${trainer.max_epochs}`` inside one file, as OmegaConf resolves them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from olm.foreign.configs._config import OF_REFERENCES
from olm.foreign.configs._source import Source
from olm.problem import Path, path_of

_REFERENCE = re.compile(r"\$\{\s*(\.*)([A-Za-z0-9_][A-Za-z0-9_.\[\]-]*)\s*\}")
"""A reference to a key; one with a colon is a function, which is not called."""

LONGEST = 10_000
"""The longest string that references may make."""

MOST_VALUES = 20_000
"""The most values that references to mappings and lists may add."""

DEEPEST = 64
"""How many references may follow one another."""


def with_references(source: Source) -> Source:
    """A configuration in YAML with its references resolved, where the file has what they name."""
    if source.form not in OF_REFERENCES or "${" not in source.text.content:
        return source
    return replace(source, value=resolved(source.value))


def resolved(value: Any) -> Any:
    """The values of a file, with its references replaced where the file has what they refer to.

    >>> resolved({"run": {"epochs": 30}, "steps": "${run.epochs}", "home": "${oc.env:HOME}"})
    {'run': {'epochs': 30}, 'steps': 30, 'home': '${oc.env:HOME}'}
    """
    return _Resolver(value).resolve(value, (), 0)


@dataclass
class _Resolver:
    """Replaces references; each value that one refers to is resolved once."""

    root: Any
    done: dict[Path, Any] = field(default_factory=dict)
    active: set[Path] = field(default_factory=set)
    """What is being resolved: a reference to it would never end, and stays as it is."""
    left: int = MOST_VALUES

    def resolve(self, value: Any, path: Path, depth: int) -> Any:
        """A value with its references replaced."""
        if isinstance(value, Mapping):
            return {k: self.resolve(item, (*path, k), depth) for k, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, (*path, at), depth) for at, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value or depth > DEEPEST:
            return value
        if whole := _REFERENCE.fullmatch(value):
            return self._followed(whole, path, depth)
        text = _REFERENCE.sub(lambda match: self._text(match, path, depth), value)[: LONGEST + 1]
        if len(text) > LONGEST:
            return value
        # A reference may be inside another one.
        return text if text == value else self.resolve(text, path, depth + 1)

    def _text(self, match: re.Match[str], path: Path, depth: int) -> str:
        value = self._followed(match, path, depth)
        return match[0] if isinstance(value, Mapping | list) else str(value)

    def _followed(self, match: re.Match[str], path: Path, depth: int) -> Any:
        """What a reference refers to; the reference itself if the file has no such key."""
        dots, name = match.groups()
        if len(dots) > len(path):
            return match[0]
        try:
            # One dot is the mapping of the key, each further one the mapping around it.
            target = (*(path[: len(path) - len(dots)] if dots else ()), *path_of(name))
            value, target = self._value(target)
        except (LookupError, TypeError, ValueError):
            return match[0]
        if target in self.done:
            made = self.done[target]
        elif target in self.active or path[: len(target)] == target:
            return match[0]
        else:
            self.active.add(target)
            made = self.done[target] = self.resolve(value, target, depth + 1)
            self.active.discard(target)
        self.left -= _size(made)
        return match[0] if self.left < 0 else made

    def _value(self, path: Path) -> tuple[Any, Path]:
        """The value at a path, and the path with the indices of lists as numbers."""
        value, found = self.root, list[str | int]()
        for part in path:
            key = int(part) if isinstance(value, list) and isinstance(part, str) else part
            value = value[key]
            found.append(key)
        return value, tuple(found)


def _size(value: Any) -> int:
    """How many values there are in a value."""
    if isinstance(value, Mapping):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1
