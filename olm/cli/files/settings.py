"""The settings of a project: ``[tool.olm]`` in its pyproject.toml, or its olm.toml."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from olm.cli import Misuse
from olm.problem import Path
from olm.text.source import MAX_BYTES

if TYPE_CHECKING:
    from olm.schedule.clock import Clock

OWN_NAME, NAME, SECTION = "olm.toml", "pyproject.toml", "tool.olm"


class Settings(NamedTuple):
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
    at: Mapping[str, Path] = MappingProxyType({})
    """Pattern → the place of the schedule in files that match it."""
    clock: Clock | None = None
    """The clock for files that have none."""

    @property
    def folder(self) -> str:
        """The folder that the patterns are relative to."""
        return str(FilePath(self.file).resolve().parent)


class Section(NamedTuple):
    """The part of a file that has the settings."""

    file: str
    data: bytes
    """The text of the whole file."""
    place: Path
    """The place of the section in it: `()` if the whole file is the section."""
    value: Any

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"[{SECTION}]" if self.place else OWN_NAME


def settings(file: str | None = None, isolated: bool = False) -> Settings:
    """The settings of the current folder.

    Args:
        file: the file with the settings; by default the nearest one, in the folder or above.
        isolated: whether to ignore all settings.

    Raises:
        Misuse: a key or a value is invalid, or the file cannot be read.
    """
    return settings_by_folder(file, isolated)(os.path.realpath("."))


def settings_by_folder(file: str | None, isolated: bool) -> Callable[[str], Settings]:
    """What returns the settings for the files in a folder, by its absolute path.

    They are those of the nearest olm.toml or pyproject.toml with the section, in the folder or
    above. They replace those of folders further up.

    Args:
        file: the file with the settings of all folders.
        isolated: whether to ignore all settings.

    Raises:
        Misuse: `file` is invalid or cannot be read; so does the result for any other file.
    """
    if isolated or file is not None:
        given = Settings() if file is None or isolated else _given(file)
        return lambda folder: given
    known: dict[str, Settings] = {}

    def nearest(folder: str) -> Settings:
        passed = []
        while folder not in known:
            passed.append(folder)
            own, above = _own(folder), str(FilePath(folder).parent)
            if own or above == folder:
                known[folder] = own or Settings()
            else:
                folder = above
        known.update(dict.fromkeys(passed, known[folder]))
        return known[folder]

    return nearest


def _given(file: str) -> Settings:
    try:
        data = _start_of(FilePath(file))
    except OSError as error:
        raise Misuse(f"cannot read {file}: {(error.strerror or str(error)).lower()}") from None
    if (section := _section(data, file)) is None:
        raise Misuse(f"{file} has no [{SECTION}]")
    return _settings(section)


def _own(folder: str) -> Settings | None:
    """The settings in a folder itself."""
    for name in (OWN_NAME, NAME):
        path = f"{folder}/{name}"
        # A pipe would be waited for.
        if not os.path.isfile(path):  # noqa: PTH113 - pathlib takes several times as long
            continue
        try:
            data = _start_of(FilePath(path))
        except OSError:
            continue
        may_have = name == OWN_NAME or SECTION.encode() in data or len(data) > MAX_BYTES
        if may_have and (section := _section(data, _shown(path))) is not None:
            return _settings(section)
    return None


def _shown(path: str) -> str:
    """A path, from the current folder if it is there or below."""
    here = os.path.realpath(".") + os.sep
    return path.removeprefix(here)


def _settings(section: Section) -> Settings:
    from olm.cli.files.setting_values import settings_of

    return settings_of(section)


def _start_of(file: FilePath) -> bytes:
    """The file, or if it is too large, a part of it that is too large as well."""
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _section(data: bytes, file: str) -> Section | None:
    """The section; None if there is none."""
    import tomllib

    if len(data) > MAX_BYTES:
        raise Misuse(f"cannot read {file}: it has more than {MAX_BYTES:,} bytes")
    try:
        whole = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Misuse(f"cannot read {file}: {error}") from None
    tool = whole.get("tool")
    if isinstance(tool, dict) and "olm" in tool:
        return Section(file, data, ("tool", "olm"), tool["olm"])
    return Section(file, data, (), whole) if FilePath(file).name == OWN_NAME else None
