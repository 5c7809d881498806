"""Find the files for the paths on the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from errno import ENOENT, ENOTDIR
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING, NamedTuple

from olm.cli import Misuse, NothingMatched

if TYPE_CHECKING:
    from olm.cli.files.ignored import Ignored, Patterns

SUFFIXES = (".olm.yaml", ".olm.yml", ".olm.json", ".olm.toml")
"""The suffixes of specs."""

SKIPPED = ("node_modules", "__pycache__")
"""Folders that are never searched, besides hidden ones."""

STDIN = "-"

_MAGIC = frozenset("*?[")


class Choice(NamedTuple):
    """Which files to include besides the named ones, and which to exclude."""

    also: tuple[Patterns, ...] = ()
    """Files to include in folders besides specs."""
    exclude: tuple[Patterns, ...] = ()
    """Files to exclude when searching."""
    force: bool = False
    """Whether to exclude named files, too."""
    nearest: Callable[[str], Choice] | None = None
    """The choice in a folder, by its absolute path, if folders have choices of their own."""

    def inside(self, folder: str) -> Choice:
        """The choice in a folder."""
        return self.nearest(folder) if self.nearest else self

    def leaves_out(self, path: str, is_folder: bool = False) -> bool:
        """Whether a file or folder is excluded, by its absolute path."""
        return any(patterns.cover(path, is_folder) for patterns in self.exclude)

    def takes(self, path: str) -> bool:
        """Whether a file is included in a search."""
        return path.endswith(SUFFIXES) or any(patterns.cover(path) for patterns in self.also)


def files(paths: Iterable[str], choice: Choice | None = None) -> list[str]:
    """The files, each once: named files, and the specs in named folders.

    Raises:
        Misuse: a path does not exist.
        NothingMatched: a pattern matches nothing.
    """
    choice = choice or Choice()
    groups = (_meant(path, choice) for path in paths)
    return list(dict.fromkeys(path for group in groups for path in group))


def is_there(path: str) -> bool:
    """Whether a file or folder exists, or may exist: reading it then reports the error."""
    return path == STDIN or _is_folder(path) is not None


def specs_in(folder: str, choice: Choice | None = None) -> Iterator[str]:
    """The specs in a folder and below, sorted, then the folders that cannot be read."""
    from olm.cli.files.ignored import ignored_above

    choice, folder = choice or Choice(), str(Path(folder))
    start = str(Path(folder).resolve())
    unreadable: list[OSError] = []
    above = {folder: ignored_above(start)}
    for where, folders, names in os.walk(folder, onerror=unreadable.append):
        here = start + where[len(folder) :]
        ignored = above.pop(where).inside(here, {*folders, *names})
        own = choice.inside(here)
        folders[:] = sorted(name for name in folders if _is_searched(name, here, ignored, own))
        above |= dict.fromkeys((os.path.join(where, name) for name in folders), ignored)  # noqa: PTH118 - as os.walk writes them
        for name in sorted(names):
            if _is_taken(os.path.join(here, name), ignored, own):  # noqa: PTH118 - pathlib takes ten times as long
                yield str(Path(where, name))
    yield from (str(error.filename) for error in unreadable)


def _is_searched(name: str, folder: str, ignored: Ignored, choice: Choice) -> bool:
    if name[0] == "." or name in SKIPPED:
        return False
    path = f"{folder}/{name}"
    return not (ignored.covers(path, True) or choice.leaves_out(path, True))


def _is_taken(path: str, ignored: Ignored, choice: Choice) -> bool:
    if not choice.takes(path) or ignored.covers(path, False) or choice.leaves_out(path):
        return False
    # A pipe would be waited for. What cannot be read is reported.
    return os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113 - as above


def _meant(path: str, choice: Choice) -> Iterable[str]:
    """The files for one path."""
    if path == STDIN:
        return [path]
    is_folder = _is_folder(path)
    if is_folder is None:
        return _matching(path, choice)
    if choice.force and _is_excluded(path, is_folder, choice):
        return []
    return specs_in(path, choice) if is_folder else [path]


def _matching(pattern: str, choice: Choice) -> Iterator[str]:
    """The files that match a pattern that the shell did not expand."""
    if _MAGIC.isdisjoint(pattern):
        raise Misuse(f"no such file or folder: {pattern}")
    from glob import glob

    # pathlib's also finds hidden files. `nope/**` matches `nope/`, whether it exists or not.
    found = sorted(filter(os.path.lexists, glob(pattern, recursive=True)))  # noqa: PTH207  # Path.glob also finds hidden files
    if not found:
        raise NothingMatched(f"nothing matches {pattern}")
    for path in found:
        is_folder = _is_folder(path) is True
        if not _is_excluded(path, is_folder, choice):
            yield from specs_in(path, choice) if is_folder else [path]


def _is_excluded(path: str, is_folder: bool, choice: Choice) -> bool:
    absolute = Path(path).resolve()
    return choice.inside(str(absolute.parent)).leaves_out(str(absolute), is_folder)


def _is_folder(path: str) -> bool | None:
    """Whether a path is a folder; None if it does not exist."""
    try:
        return S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - pathlib takes ten times as long
    except OSError as error:
        return None if error.errno in (ENOENT, ENOTDIR) else False
