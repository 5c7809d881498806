"""Write files atomically."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from glob import escape
from os import PathLike
from pathlib import Path
from secrets import token_hex
from shutil import copymode
from time import time
from typing import Any

LEFT = 3600.0
"""The age in seconds after which a temporary file is left over from a killed process."""


def write_whole(path: str | PathLike[str], data: bytes) -> None:
    """Write a file atomically: it is complete or untouched if the process or the machine stops.

    The data are written to a temporary file beside it, synced to disk, and moved into place. A
    later writer removes the temporary files of killed ones. A link remains a link: its target is
    written. An existing file keeps its permissions.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(os.path.realpath(path))
    # A unique name, in case several processes write at once.
    beside = path.with_name(f"{path.name}.{token_hex(8)}.tmp")
    try:
        # Not by tempfile, whose files only their owner may read.
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            copymode(path, beside)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    _tidy(path)


def write_json(path: str | PathLike[str], value: Any) -> None:
    """Write a value as JSON text, as `write_whole` does.

    Raises:
        OSError: the file cannot be written.
        ValueError: a value is not valid JSON, such as an infinite number.
    """
    write_whole(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def _sync_folder(folder: Path) -> None:
    """Sync the move to disk, where folders can be opened."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _tidy(path: Path) -> None:
    """Remove old temporary files of killed writers of this file."""
    for left in path.parent.glob(f"{escape(path.name)}.{'[0-9a-f]' * 16}.tmp"):
        # Another process may remove them at the same time.
        with suppress(OSError):
            if time() - left.stat().st_mtime > LEFT:
                left.unlink()
