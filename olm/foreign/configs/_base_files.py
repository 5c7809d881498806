"""Configurations of yacs, whose `_BASE_` names a file that they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from olm.foreign.configs._config import Refusal
from olm.foreign.configs._source import Source, read_source
from olm.problem import Path, Place, Problem, SpecError

KEY = "_BASE_"
MOST_FILES = 8


def with_bases(source: Source, depth: int = 0) -> Source:
    """A configuration over that of its base file, if it has one.

    Source: fvcore 0.1.5, ``common/config.py``, ``load_yaml_with_base``.

    Raises:
        Refusal: the base file cannot be read.
    """
    name = source.value.get(KEY) if isinstance(source.value, Mapping) else None
    if name is None:
        return source
    base = with_bases(_read(source, name, depth), depth + 1)

    def place_of(path: Path, at_key: bool) -> Place:
        if path and not source.has(*path):
            # A caret in another file would point to the wrong text.
            return source.place_of((KEY,), True)
        return source.place_of(path, at_key)

    return replace(source, value=_merged(source.value, base.value), place_of=place_of)


def _read(source: Source, name: object, depth: int) -> Source:
    """The base file, beside the file that names it."""
    file = FilePath(source.file).parent / str(name)
    is_relative = not FilePath(str(name)).is_absolute() and file.suffix in (".yaml", ".yml")
    if isinstance(name, str) and is_relative and depth < MOST_FILES:
        try:
            return read_source(file)
        except (OSError, SpecError):
            pass
    text = f"`{KEY}` names a file that cannot be read, and its keys count here too"
    place = source.place_of((KEY,), False)
    hint = "put that file beside this one, or write its keys into this one"
    raise Refusal([Problem("needs-key", text, (KEY,), hint=hint, place=place)])


def _merged(own: Mapping[Any, Any], base: Any) -> dict[Any, Any]:
    """A mapping over another one, whose mappings are merged."""
    made = dict(base) if isinstance(base, Mapping) else {}
    for key, value in own.items():
        inside = isinstance(value, Mapping) and isinstance(made.get(key), Mapping)
        made[key] = _merged(value, made[key]) if inside else value
    made.pop(KEY, None)
    return made
