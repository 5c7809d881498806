"""A scheduler's state in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from glob import escape
from os import PathLike
from pathlib import Path
from secrets import token_hex
from time import time
from typing import Any

from olm.train.schedulers import ScheduleLR

LEFT = 3600.0
"""After so many seconds, a file that a save had begun is what a killed one left."""


def save_state(scheduler: ScheduleLR, path: str | PathLike[str]) -> None:
    """Write a scheduler's state to a JSON file, which `olm.load` and `olm.build` read.

    The file is complete or untouched, whenever the process or the machine stops: the state is
    written beside it, forced to the disk, and put in its place in one move. What a killed save has
    left beside it, a later one removes. A link stays one: the file it points to is written.

    Raises:
        OSError: it cannot be written.
    """
    write_state(scheduler.state_dict(), path)


def write_state(state: Mapping[str, Any], path: str | PathLike[str]) -> None:
    """Write a state, as `save_state` does that of a scheduler.

    Raises:
        OSError: it cannot be written.
    """
    path = Path(os.path.realpath(path))
    text = json.dumps(state, indent=2, allow_nan=False) + "\n"
    # Nobody else's name, should several processes save at once.
    beside = path.with_name(f"{path.name}.{token_hex(8)}.tmp")
    try:
        # Not by tempfile: others may read a state as they may any file.
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    _tidy(path)


def _sync_folder(folder: Path) -> None:
    """Force the move to the disk, where folders can be opened for that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _tidy(path: Path) -> None:
    """Remove what saves to this file that were killed have left, once none can be running."""
    for left in path.parent.glob(f"{escape(path.name)}.{'[0-9a-f]' * 16}.tmp"):
        # Another process may tidy too.
        with suppress(OSError):
            if time() - left.stat().st_mtime > LEFT:
                left.unlink()
