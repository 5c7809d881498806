"""Any mapping, whoever made it, as plain dicts and lists within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from olm.problem import MAX_LEVELS, MAX_VALUES, Path, Problem, SpecError, found

PLAIN_TYPES = frozenset({str, int, float, bool, type(None)})


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
        # The value itself is the first.
        self.left = MAX_VALUES - 1

    def copy(self, value: Any, path: Path) -> Any:
        if isinstance(value, str | int | float):
            return value
        if len(path) > MAX_LEVELS:
            text = f"lists and mappings must not be nested more than {MAX_LEVELS} deep"
            return self._note("depth", text, path)
        # Of most items the type tells enough: what else they might be takes ten times as long.
        if isinstance(value, Mapping):
            return {
                key: item
                if type(item := value[key]) in PLAIN_TYPES
                else self.copy(item, (*path, key))
                for key in self._keys(value, path)
            }
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [
                item if type(item) in PLAIN_TYPES else self.copy(item, (*path, index))
                for index, item in enumerate(value if self._has_room(len(value)) else ())
            ]
        return value

    def _keys(self, mapping: Mapping[Any, Any], path: Path) -> list[str]:
        keys = list(mapping)
        for key in keys:
            if not isinstance(key, str):
                self._note("key-type", f"keys must be strings, found {found(key)}", path)
        strings = [key for key in keys if isinstance(key, str)]
        return strings if self._has_room(len(strings)) else []

    def _has_room(self, number: int) -> bool:
        """Count the items of a list or mapping, and tell whether there may be so many more."""
        if self.left >= 0 > self.left - number:
            self._note("size", f"a spec must have at most {MAX_VALUES:,} values", ())
        self.left -= number
        return self.left >= 0

    def _note(self, code: str, message: str, path: Path) -> None:
        self.problems.append(Problem(code, message, path))
