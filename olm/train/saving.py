"""A scheduler's state in a file."""

from __future__ import annotations

from os import PathLike

from olm.text.write import write_json
from olm.train.schedulers import ScheduleLR


def save_state(scheduler: ScheduleLR, path: str | PathLike[str]) -> None:
    """Write a scheduler's state to a JSON file, which `olm.load` and `olm.build` read.

    The file is complete or untouched, whenever the process or the machine stops: see
    `olm.text.write.write_whole`.

    Raises:
        OSError: it cannot be written.
    """
    write_json(path, scheduler.state_dict())
