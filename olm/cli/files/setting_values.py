"""The keys of the settings, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from olm.cli import Misuse
from olm.cli.files.settings import Section, Settings
from olm.fields.errors import problems_of
from olm.problem import Path, clipped, found, listed, nearest, path_of

if TYPE_CHECKING:
    from olm.schedule.clock import Clock


def settings_of(section: Section) -> Settings:
    """The settings in a section.

    Raises:
        Misuse: a key or a value is invalid.
    """
    where = section.title
    if not isinstance(section.value, dict):
        raise _misuse(section, (), f"{where} must be a table, found {found(section.value)}")
    for key in section.value:
        if key not in READERS:
            near = nearest(key, READERS)
            hint = f"did you mean `{near}`?" if near else f"its keys are {listed(READERS)}"
            raise _misuse(section, (key,), f"{where} has an unknown key `{clipped(key)}`: {hint}")
    values: dict[str, Any] = {}
    for key, value in section.value.items():
        try:
            values[key] = READERS[key](value)
        except ValidationError as error:
            first, *_ = problems_of(error)
            message = f"{where} {key}: {first.message}"
            raise _misuse(section, (key, *first.path), message) from None
        except ValueError as error:
            message = f"{where} {key} {error}, found {found(value)}"
            raise _misuse(section, (key,), message) from None
    return Settings(section.file, **values)


def _misuse(section: Section, path: Path, message: str) -> Misuse:
    """The error, with its line."""
    from olm.text.document import read

    places = read(section.data, "settings.toml", section.place).places
    line = places.place(path, True).line if places else 1
    return Misuse(f"{section.file}:{line}: {message}")


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError('must be a list of strings, such as ["old/"]')


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


def _number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("must be a whole number, or 0 for one process per core")


def _places(value: Any) -> dict[str, Path]:
    if isinstance(value, dict):
        try:
            return dict(_placed(value))
        except (TypeError, ValueError):
            pass
    raise ValueError('must be a table of patterns and places, such as "conf/*.yaml" = "optim.lr"')


def _placed(value: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    for pattern, place in value.items():
        if not (path := path_of(place)):
            raise ValueError
        yield pattern, path


def _clock(value: Any) -> Clock:
    from olm.schedule.clock import clock_of

    if isinstance(value, dict):
        return clock_of(value)
    raise ValueError("must be a table such as {total_steps = 100000}")


READERS: Mapping[str, Callable[[Any], Any]] = {
    "exclude": _texts,
    "select": _texts,
    "ignore": _texts,
    "lint": _flag,
    "strict": _flag,
    "jobs": _number,
    "at": _places,
    "clock": _clock,
}
"""The keys of the section → what converts a value to a setting."""
