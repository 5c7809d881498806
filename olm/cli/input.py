"""Input of commands: a file, or standard input if its name is a dash."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, _ArgumentGroup

from olm.checking.check import Checked, Options, check, check_file
from olm.cli.files.search import STDIN
from olm.problem import Path, path_of
from olm.text.document import Document, read
from olm.text.source import MAX_BYTES

BINARY = (b"PK", b"\x80")
"""How a file begins that torch saved, now or long ago."""


def checked(path: str, options: Options | None = None, stdin: str = "<stdin>") -> Checked:
    """Check a file, or standard input, which is reported as `stdin`."""
    if path != STDIN:
        return check_file(path, options)
    return check(standard_input(stdin, options.at if options else ()), options)


def standard_input(name: str, at: Path = ()) -> Document:
    """Standard input as a document with a name."""
    return read(sys.stdin.buffer.read(MAX_BYTES + 1), name, at)


def add_at(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Add the option for the place of the schedule in its file."""
    parser.add_argument(
        "--at",
        type=_place,
        default=(),
        metavar="PLACE",
        help="where in the file the schedule is, such as optim.schedules[0]; the rest of the file "
        "is ignored",
    )


def _place(text: str) -> Path:
    try:
        return path_of(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
