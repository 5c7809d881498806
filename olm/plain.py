"""Any mapping, whoever made it, as plain dicts and lists within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from olm.problem import MAX_LEVELS, Path, Problem, SpecError, found

MAX_VALUES = 100_000
"""The most values that a document may have, all levels together."""


def plain(value: Any) -> Any:
    """A copy in dicts and lists; what is neither a mapping nor a sequence stays what it is.

    >>> from types import MappingProxyType
    >>> plain(MappingProxyType({"milestones": (3, 5)}))
    {'milestones': [3, 5]}

    Raises:
        SpecError: keys are no strings, or the value is too large or too deep to be a document.
    """
    copier = _Copier()
    copy = copier.copy(value, ())
    if copier.problems:
        raise SpecError(copier.problems)
    return copy


class _Copier:
    """Copies values and counts them: lists that share their items may be very many."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.left = MAX_VALUES

    def copy(self, value: Any, path: Path) -> Any:
        self.left -= 1
        if self.left < 0:
            if self.left == -1:
                self._note("size", f"a spec must have at most {MAX_VALUES:,} values", ())
            return None
        # The common ones first: looking for a mapping in a number takes ten times as long.
        if isinstance(value, str | int | float):
            return value
        if len(path) > MAX_LEVELS:
            text = f"lists and mappings must not be nested more than {MAX_LEVELS} deep"
            return self._note("depth", text, path)
        if isinstance(value, Mapping):
            return {key: self.copy(value[key], (*path, key)) for key in self._keys(value, path)}
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [self.copy(item, (*path, index)) for index, item in enumerate(value)]
        return value

    def _keys(self, mapping: Mapping[Any, Any], path: Path) -> list[str]:
        keys = list(mapping)
        for key in keys:
            if not isinstance(key, str):
                self._note("key-type", f"keys must be strings, found {found(key)}", path)
        return [key for key in keys if isinstance(key, str)]

    def _note(self, code: str, message: str, path: Path) -> None:
        self.problems.append(Problem(code, message, path))
