"""Whether files have changed since somebody last looked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

EVERY = 0.1
"""How often the files are looked at while somebody waits, in seconds."""


def version(paths: Sequence[str]) -> str:
    """A text that differs whenever one of the files was written, replaced, removed or restored."""
    return " ".join(map(_state, paths))


def wait(paths: Sequence[str], since: str, seconds: float) -> str:
    """The version of the files as soon as it is another one, or when the time is over."""
    end = time.monotonic() + seconds
    while (now := version(paths)) == since and time.monotonic() < end:
        time.sleep(EVERY)
    return now


def _state(path: str) -> str:
    try:
        status = Path(path).stat()
    except OSError:
        return "-"
    return f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}"
