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


def with_bases(source: Source, above: tuple[FilePath, ...] = ()) -> Source:
    """A configuration over that of its base file, if it has one.

    Source: fvcore 0.1.5, ``common/config.py``, ``load_yaml_with_base``.

    Raises:
        Refusal: the base file cannot be read.
    """
    name = source.value.get(KEY) if isinstance(source.value, Mapping) else None
    if name is None:
        return source
    here = (*above, FilePath(source.file).absolute())
    base = with_bases(_read(source, name, here), here)

    def place_of(path: Path, at_key: bool) -> Place:
        if path and not source.has(*path):
            # A caret in another file would point to the wrong text.
            return source.place_of((KEY,), True)
        return source.place_of(path, at_key)

    return replace(source, value=_merged(source.value, base.value), place_of=place_of)


def _read(source: Source, name: object, above: tuple[FilePath, ...]) -> Source:
    """The base file, beside the file that names it.

    Args:
        source: that file.
        name: the name of the base file.
        above: the files that were read, of which the base file must be none.
    """
    file = FilePath(source.file).parent / str(name)
    is_relative = not FilePath(str(name)).is_absolute() and file.suffix in (".yaml", ".yml")
    text = f"`{KEY}` names a file that cannot be read, and its keys count here too"
    if isinstance(name, str) and is_relative and len(above) <= MOST_FILES:
        try:
            if any(file.samefile(other) for other in above):
                text = f"`{KEY}` is a loop: a file is its own base"
            else:
                return read_source(file)
        except (OSError, SpecError):
            pass
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
