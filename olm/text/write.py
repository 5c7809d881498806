"""Write files atomically."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from errno import EACCES, EBUSY
from glob import escape
from hashlib import sha256
from os import PathLike
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE, S_ISREG
from time import time
from typing import Any

WRITABLE = 0o222
"""The permission bits of which a file that may be written has one."""

DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
"""The names that an open descriptor of this process has."""

MOST_LINKS = 40
"""How many links in a row Linux follows."""

LONGEST_NAME = 255
"""How many bytes a file's name may have."""

LEFT = 3600.0
"""The age in seconds after which a temporary file is left over from a killed process."""


def write_whole(path: str | PathLike[str], data: bytes, *, before: bytes | None = None) -> None:
    """Write a file atomically: it is complete or untouched if the process or the machine stops.

    The data are written to a temporary file beside it, synced to disk, and moved into place. A
    later writer removes the temporary files of killed ones. A link remains a link: its target is
    written. An existing file keeps its permissions and its owner. One that has several names keeps
    them all, and is written in place, since a move would leave the other names behind. Only a
    regular file is replaced: a device, a pipe or an open descriptor is written to.

    Args:
        path: the file.
        data: its new content.
        before: the content that the file must still have when it is replaced.

    Raises:
        OSError: the file cannot be written, is read-only, or no longer has the content `before`.
    """
    if (descriptor := _descriptor(path)) is not None:
        _write_all(descriptor, data)
        return
    path = Path(os.path.realpath(path))
    there = path.stat() if path.exists() else None
    if there and not S_ISREG(there.st_mode):
        with path.open("wb", buffering=0) as file:
            _write_all(file.fileno(), data)
    elif there and not there.st_mode & WRITABLE:
        # The administrator could write it all the same.
        raise PermissionError(EACCES, "the file is read-only", str(path))
    elif there and there.st_nlink > 1:
        _check_unchanged(path, before)
        _write_in_place(path, data)
    else:
        _replace(path, data, there, before)


def _replace(path: Path, data: bytes, there: os.stat_result | None, before: bytes | None) -> None:
    """Move a new file into the place of one or none."""
    # A unique name, in case several processes write at once.
    beside = path.with_name(f"{_stem(path.name)}.{token_hex(8)}.tmp")
    try:
        # Not by tempfile, whose files only their owner may read.
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        kept = there is None or _keep_owner_and_mode(beside, there)
        if kept:
            _check_unchanged(path, before)
            beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if kept:
        _sync_folder(path.parent)
    else:
        beside.unlink()
        _check_unchanged(path, before)
        _write_in_place(path, data)
    _tidy(path)


def _keep_owner_and_mode(beside: Path, there: os.stat_result) -> bool:
    """Give a new file the owner and the permissions of another; whether that is allowed."""
    made = beside.stat()
    if (made.st_uid, made.st_gid) != (there.st_uid, there.st_gid):
        try:
            os.chown(beside, there.st_uid, there.st_gid)
        except PermissionError:
            return False
    beside.chmod(S_IMODE(there.st_mode))
    return True


def _check_unchanged(path: Path, before: bytes | None) -> None:
    if before is not None and path.read_bytes() != before:
        raise OSError(EBUSY, "the file has changed since it was read", str(path))


def _write_in_place(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _write_all(descriptor: int, data: bytes) -> None:
    """Write to what may take less at once than it is given."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _descriptor(path: str | PathLike[str]) -> int | None:
    """The open descriptor that a path such as ``/dev/stdout`` names.

    To open the path again would lose its position: what a shell appends to would be overwritten.

    >>> _descriptor("/dev/fd/7"), _descriptor("specs/a.olm.yaml")
    (7, None)
    """
    link = Path(path)
    for _ in range(MOST_LINKS):
        if found := DESCRIPTOR.fullmatch(str(link)):
            return int(found[1])
        if not link.is_symlink():
            return None
        link = link.parent / link.readlink()
    return None


def _stem(name: str) -> str:
    """What the names of a file's temporary files begin with: its own name, unless it is too long.

    >>> _stem("a.json"), len(_stem("a" * 250))
    ('a.json', 32)
    """
    encoded = os.fsencode(name)
    return name if len(encoded) <= LONGEST_NAME - 21 else sha256(encoded).hexdigest()[:32]


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
    for left in path.parent.glob(f"{escape(_stem(path.name))}.{'[0-9a-f]' * 16}.tmp"):
        # Another process may remove them at the same time.
        with suppress(OSError):
            if time() - left.stat().st_mtime > LEFT:
                left.unlink()
