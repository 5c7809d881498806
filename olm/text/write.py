"""Files that are written whole or not at all."""

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
"""After so many seconds, a file that a writer had begun is what a killed one left."""


def write_whole(path: str | PathLike[str], data: bytes) -> None:
    """Write a file, which is complete or untouched whenever the process or the machine stops.

    The data are written beside it, forced to the disk, and put in its place in one move. What a
    killed writer has left beside it, a later one removes. A link stays one: the file it points to
    is written. The permissions of a file that was there stay.

    Raises:
        OSError: it cannot be written.
    """
    path = Path(os.path.realpath(path))
    # Nobody else's name, should several processes write at once.
    beside = path.with_name(f"{path.name}.{token_hex(8)}.tmp")
    try:
        # Not by tempfile: others may read it as they may any file.
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
        OSError: it cannot be written.
        ValueError: it is no JSON, such as a number that is not finite.
    """
    write_whole(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def _sync_folder(folder: Path) -> None:
    """Force the move to the disk, where folders can be opened for that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _tidy(path: Path) -> None:
    """Remove what writers of this file that were killed have left, once none can be running."""
    for left in path.parent.glob(f"{escape(path.name)}.{'[0-9a-f]' * 16}.tmp"):
        # Another process may tidy too.
        with suppress(OSError):
            if time() - left.stat().st_mtime > LEFT:
                left.unlink()
