"""A scheduler's state in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from typing import Any

from olm.text.write import write_whole
from olm.train.schedulers import ScheduleLR


def save_state(scheduler: ScheduleLR, path: str | PathLike[str]) -> None:
    """Write a scheduler's state to a JSON file, which `olm.load` and `olm.build` read.

    The file is complete or untouched, whenever the process or the machine stops: see
    `olm.text.write.write_whole`.

    Raises:
        OSError: it cannot be written.
    """
    write_state(scheduler.state_dict(), path)


def write_state(state: Mapping[str, Any], path: str | PathLike[str]) -> None:
    """Write a state, as `save_state` does that of a scheduler.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(state, indent=2, allow_nan=False) + "\n"
    write_whole(path, text.encode())
