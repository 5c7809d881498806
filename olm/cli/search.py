"""Which files are meant by the paths that a command is given."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = (".olm.yaml", ".olm.yml", ".olm.json")
"""How the names of specs end."""

SKIPPED = ("node_modules", "__pycache__")
"""Folders in which nobody keeps specs, besides hidden ones."""

STDIN = "-"


def files(paths: Iterable[str]) -> list[str]:
    """The files, each once: those that are named, and the specs in the folders that are."""
    named = (specs_in(path) if _is_folder(path) else [path] for path in paths)
    return list(dict.fromkeys(path for group in named for path in group))


def is_there(path: str) -> bool:
    """Whether there is such a file or folder. If that cannot be told, reading it will tell why."""
    try:
        return path == STDIN or Path(path).exists()
    except OSError:
        return True


def specs_in(folder: str) -> Iterator[str]:
    """The specs in a folder and below, sorted, and after them the folders that cannot be read."""
    unreadable: list[OSError] = []
    for where, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in SKIPPED)
        for name in sorted(names):
            if name.endswith(SUFFIXES):
                yield str(Path(where, name))
    yield from (str(error.filename) for error in unreadable)


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:
        return False
