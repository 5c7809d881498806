"""Files that are mended, or shown as they would be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

from olm.checking.check import Checked, Options, check
from olm.checking.fix import mend, with_sound_fixes
from olm.cli.files.search import STDIN
from olm.cli.terminal import Paint, visible
from olm.problem import Place, Problem
from olm.text.document import read
from olm.text.source import MAX_BYTES
from olm.text.write import write_whole

STYLES = {"+": "fine", "-": "error", "@": "also"}
"""How a line of a difference is painted, by its first character."""


@dataclass(frozen=True)
class Mended:
    """A text, as it is and as it is mended."""

    name: str
    before: bytes
    after: bytes
    count: int
    """How many problems are mended."""

    def checked(self, options: Options) -> Checked:
        """What is still wrong with the mended text."""
        result = check(read(self.after, self.name, options.at), options)
        return replace(with_sound_fixes(result, options), mended=self.count)


def mended(path: str, options: Options, stdin: str = "<stdin>") -> Mended:
    """What mending makes of a file, or of standard input.

    Raises:
        OSError: it cannot be read.
    """
    if path == STDIN:
        name, data = stdin, sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        name, data = path, Path(path).read_bytes()
    return Mended(name, data, *mend(data, name, options))


def mend_file(result: Checked, options: Options) -> Checked:
    """Mend a file in its place, and say what is still wrong with it."""
    try:
        file = mended(result.file, options)
        if file.count:
            write_whole(file.name, file.after)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        message = f"what is mended cannot be written: {why}"
        problem = Problem("unreadable", message, place=Place(result.file, 1, 1, 1))
        return replace(result, problems=(problem, *result.problems))
    return file.checked(options)


def difference(file: Mended, paint: Paint) -> Iterator[str]:
    """What mending changes, as ``git diff`` has it."""
    before, after = (text.decode().splitlines(keepends=True) for text in (file.before, file.after))
    name = visible(file.name)
    for number, line in enumerate(unified_diff(before, after, f"a/{name}", f"b/{name}")):
        style = "bold" if number < 2 else STYLES.get(line[0])
        text = line.rstrip("\r\n")
        yield f"{paint(style, text) if style else text}\n"
        if not line.endswith("\n"):
            yield "\\ No newline at end of file\n"
