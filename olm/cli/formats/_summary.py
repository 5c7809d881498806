"""The table of findings on the page of a run of GitHub Actions, in Markdown."""

from __future__ import annotations

import re
from pathlib import Path

from olm.cli.terminal import visible
from olm.problem import Problem

MAX_BYTES = 1024 * 1024
"""The largest summary of a step that GitHub shows."""

RESERVED = 1024
"""The size reserved for the lines around the rows."""

HEAD = "| place | what | finding |\n| --- | --- | --- |\n"

_PUNCTUATION = re.compile(r"[!-&*+:-@\[-`{-~]")
_CODE = re.compile("`([^`]+)`")


class Summary:
    """As many rows as fit, and the number of those left out."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.size = self.left_out = 0

    def add(self, problem: Problem, file: str) -> None:
        """Add a problem."""
        row = _row(problem, file).encode("utf-8", "replace")
        if self.left_out or self.size + len(row) > MAX_BYTES - RESERVED:
            self.left_out += 1
        else:
            self.rows.append(row)
            self.size += len(row)

    def append_to(self, path: str, outcome: str) -> None:
        """Append the table to the summary file of the step.

        Args:
            path: the file.
            outcome: the number of findings, in words.
        """
        with Path(path).open("ab") as file:
            while self.size > MAX_BYTES - RESERVED - file.tell():
                if not self.rows:
                    return
                self.size -= len(self.rows.pop())
                self.left_out += 1
            file.write(f"**olm check**: {outcome}\n\n".encode())
            if self.rows:
                file.write(HEAD.encode() + b"".join(self.rows) + b"\n")
            if self.left_out:
                file.write(f"... and {self.left_out:,} more\n\n".encode())


def markdown(text: str) -> str:
    """A text, escaped for a cell of a table.

    >>> markdown("no field `a|b`, found <b>")
    'no field <code>a&#124;b</code>, found &#60;b&#62;'
    """
    # Parts with odd index were between backticks.
    parts = [_PUNCTUATION.sub(_entity, visible(part)) for part in _CODE.split(text)]
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


def _row(problem: Problem, file: str) -> str:
    where = _PUNCTUATION.sub(_entity, visible(str(problem.place or file)))
    hint = f"<br>{markdown(problem.hint)}" if problem.hint else ""
    what = f"{problem.severity} <code>{markdown(problem.code)}</code>"
    return f"| <code>{where}</code> | {what} | {markdown(problem.message)}{hint} |\n"


def _entity(character: re.Match[str]) -> str:
    return f"&#{ord(character[0])};"
