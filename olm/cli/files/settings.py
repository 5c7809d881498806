"""What a project says about checks, once for all: ``[tool.olm]`` in its pyproject.toml."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from olm.cli import Misuse
from olm.fields.errors import problems_of
from olm.problem import Path, clipped, found, nearest, path_of

if TYPE_CHECKING:
    from olm.schedule.clock import Clock

NAME, SECTION = "pyproject.toml", "tool.olm"


@dataclass(frozen=True)
class Settings:
    """What is said in the file; what is not has the values of the command line's own defaults."""

    file: str = ""
    """The file, or nothing if there is none."""
    exclude: tuple[str, ...] = ()
    """What is left out of folders that are searched, in patterns as .gitignore has them."""
    select: tuple[str, ...] = ()
    """The codes of the warnings to look for."""
    ignore: tuple[str, ...] = ()
    """The codes of the warnings not to look for."""
    lint: bool = False
    """Whether to look for all warnings."""
    strict: bool = False
    """Whether warnings are problems."""
    jobs: int = 1
    """In how many processes files are checked."""
    at: Mapping[str, Path] = field(default_factory=dict)
    """Pattern → where in the files that match it the schedule stands."""
    clock: Clock | None = None
    """What the run is, for files that do not say it."""

    @property
    def folder(self) -> str:
        """The folder from which the patterns are meant."""
        return str(FilePath(self.file).resolve().parent)


def settings(file: str | None = None, isolated: bool = False) -> Settings:
    """What the project says.

    Args:
        file: where it says so; else the nearest pyproject.toml with the section, in the current
            folder or above.
        isolated: whether it is not asked.

    Raises:
        Misuse: a key or a value is none that there is, or the file cannot be read.
    """
    if isolated:
        return Settings()
    if file is None:
        return _nearest()
    try:
        data = FilePath(file).read_bytes()
    except OSError as error:
        raise Misuse(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from None
    if (said := _section(data, file)) is None:
        raise Misuse(f"{file} has no [{SECTION}]")
    return _settings(said, data, file)


def _nearest() -> Settings:
    here = FilePath.cwd()
    for folder in (here, *here.parents):
        file = folder / NAME
        try:
            data = file.read_bytes()
        except OSError:
            continue
        shown = NAME if folder == here else str(file)
        if SECTION.encode() in data and (said := _section(data, shown)) is not None:
            return _settings(said, data, shown)
    return Settings()


def _section(data: bytes, file: str) -> Any:
    """What the section says; None if there is none."""
    import tomllib

    try:
        tool = tomllib.loads(data.decode("utf-8-sig")).get("tool", {})
    except (ValueError, RecursionError) as error:
        raise Misuse(f"{file} cannot be read: {error}") from None
    return tool.get("olm") if isinstance(tool, dict) else None


def _settings(said: Any, data: bytes, file: str) -> Settings:
    if not isinstance(said, dict):
        raise _misuse(data, file, (), f"[{SECTION}] must be a table, found {found(said)}")
    for key in said:
        if key not in READERS:
            near = nearest(key, READERS)
            hint = f"did you mean `{near}`?" if near else f"its keys are {', '.join(READERS)}"
            message = f"[{SECTION}] has no key `{clipped(key)}`: {hint}"
            raise _misuse(data, file, (key,), message)
    values: dict[str, Any] = {}
    for key, value in said.items():
        try:
            values[key] = READERS[key](value)
        except ValidationError as error:
            first, *_ = problems_of(error)
            message = f"[{SECTION}] {key}: {first.message}"
            raise _misuse(data, file, (key, *first.path), message) from None
        except ValueError as error:
            message = f"[{SECTION}] {key} {error}, found {found(value)}"
            raise _misuse(data, file, (key,), message) from None
    return Settings(file, **values)


def _misuse(data: bytes, file: str, path: Path, message: str) -> Misuse:
    """What is wrong, with the line that says it."""
    from olm.text.document import read

    places = read(data, NAME, (*SECTION.split("."),)).places
    line = places.place(path, True).line if places else 1
    return Misuse(f"{file}:{line}: {message}")


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
    raise ValueError("must be a whole number, 0 for as many as there are cores")


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
    raise ValueError("must be a table that says what the run is, such as {total_steps = 100000}")


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
"""The keys of the section → what makes a setting of what is said."""
