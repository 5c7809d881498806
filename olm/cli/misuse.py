"""Why a command cannot begin, or cannot go on: raised anywhere, told by the verb."""

from __future__ import annotations

from olm.cli import MISUSE, NOTHING_MATCHED


class Misuse(Exception):
    """The command was not given what it needs; the text says what would do."""

    status = MISUSE


class NothingMatched(Misuse):
    """There is no file such as was asked for."""

    status = NOTHING_MATCHED
