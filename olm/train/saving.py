"""A scheduler's state in a file."""

from __future__ import annotations

import json
import os
from os import PathLike
from pathlib import Path
from tempfile import NamedTemporaryFile

from olm.train.schedulers import ScheduleLR


def save_state(scheduler: ScheduleLR, path: str | PathLike[str]) -> None:
    """Write a scheduler's state to a JSON file, which `olm.load` and `olm.build` read.

    The file is complete or untouched, whenever the process or the machine stops: the state is
    written beside it, forced to the disk, and put in its place in one move.

    Raises:
        OSError: it cannot be written.
    """
    path = Path(path)
    text = json.dumps(scheduler.state_dict(), indent=2, allow_nan=False) + "\n"
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=path.name, suffix=".tmp", delete=False
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Force the move to the disk, where folders can be opened for that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
