"""The settings of a project: ``[tool.olm]`` in its pyproject.toml."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from olm.cli import Misuse
from olm.fields.errors import problems_of
from olm.problem import Path, clipped, found, listed, nearest, path_of
from olm.text.source import MAX_BYTES

if TYPE_CHECKING:
    from olm.schedule.clock import Clock

NAME, SECTION = "pyproject.toml", "tool.olm"


@dataclass(frozen=True)
class Settings:
    """The settings; a missing key has the default of the command line."""

    file: str = ""
    """The file; empty without one."""
    exclude: tuple[str, ...] = ()
    """Files to exclude when searching, as .gitignore patterns."""
    select: tuple[str, ...] = ()
    """The codes of the warnings to report."""
    ignore: tuple[str, ...] = ()
    """The codes of the warnings to skip."""
    lint: bool = False
    """Whether to report warnings that require rates."""
    strict: bool = False
    """Whether warnings fail the run."""
    jobs: int = 1
    """The number of processes."""
    at: Mapping[str, Path] = field(default_factory=dict)
    """Pattern → the place of the schedule in files that match it."""
    clock: Clock | None = None
    """The clock for files that have none."""

    @property
    def folder(self) -> str:
        """The folder that the patterns are relative to."""
        return str(FilePath(self.file).resolve().parent)


def settings(file: str | None = None, isolated: bool = False) -> Settings:
    """The settings of the project.

    Args:
        file: the file with the settings; by default the nearest pyproject.toml with the section,
            in the current folder or above.
        isolated: whether to ignore all settings.

    Raises:
        Misuse: a key or a value is invalid, or the file cannot be read.
    """
    if isolated:
        return Settings()
    if file is None:
        return _nearest()
    try:
        data = _start_of(FilePath(file))
    except OSError as error:
        raise Misuse(f"cannot read {file}: {(error.strerror or str(error)).lower()}") from None
    if (section := _section(data, file)) is None:
        raise Misuse(f"{file} has no [{SECTION}]")
    return _settings(section, data, file)


def _nearest() -> Settings:
    here = FilePath.cwd()
    for folder in (here, *here.parents):
        file = folder / NAME
        try:
            # A pipe would be waited for.
            if not file.is_file():
                continue
            data = _start_of(file)
        except OSError:
            continue
        shown = NAME if folder == here else str(file)
        may_have = SECTION.encode() in data or len(data) > MAX_BYTES
        if may_have and (section := _section(data, shown)) is not None:
            return _settings(section, data, shown)
    return Settings()


def _start_of(file: FilePath) -> bytes:
    """The file, or if it is too large, a part of it that is too large as well."""
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _section(data: bytes, file: str) -> Any:
    """The section; None if there is none."""
    import tomllib

    if len(data) > MAX_BYTES:
        raise Misuse(f"cannot read {file}: it has more than {MAX_BYTES:,} bytes")
    try:
        tool = tomllib.loads(data.decode("utf-8-sig")).get("tool", {})
    except (ValueError, RecursionError) as error:
        raise Misuse(f"cannot read {file}: {error}") from None
    return tool.get("olm") if isinstance(tool, dict) else None


def _settings(section: Any, data: bytes, file: str) -> Settings:
    if not isinstance(section, dict):
        raise _misuse(data, file, (), f"[{SECTION}] must be a table, found {found(section)}")
    for key in section:
        if key not in READERS:
            near = nearest(key, READERS)
            hint = f"did you mean `{near}`?" if near else f"its keys are {listed(READERS)}"
            message = f"[{SECTION}] has an unknown key `{clipped(key)}`: {hint}"
            raise _misuse(data, file, (key,), message)
    values: dict[str, Any] = {}
    for key, value in section.items():
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
    """The error, with its line."""
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
