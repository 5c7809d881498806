"""Fix files in place, or show the difference."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

from olm.checking.check import Checked, Options, check
from olm.checking.fix import fixed_text, with_sound_fixes
from olm.cli import Misuse
from olm.cli.files.plan import Plan
from olm.cli.files.search import STDIN
from olm.cli.terminal import Paint, visible
from olm.problem import Place, Problem, quantity
from olm.text.document import read
from olm.text.source import MAX_BYTES
from olm.text.write import write_whole

STYLES = {"+": "fine", "-": "error", "@": "also"}
"""The style of a line of a difference, by its first character."""


@dataclass(frozen=True)
class Fixed:
    """A text before and after its errors are fixed."""

    name: str
    before: bytes
    after: bytes
    count: int
    """How many problems are fixed."""

    def checked(self, options: Options) -> Checked:
        """The problems that remain in the fixed text."""
        result = check(read(self.after, self.name, options.at), options)
        return replace(with_sound_fixes(result, options), fixed=self.count)


def fixed(path: str, options: Options, stdin: str = "<stdin>") -> Fixed:
    """A file, or standard input, with its errors fixed.

    Raises:
        OSError: the file cannot be read.
    """
    if path == STDIN:
        name, data = stdin, sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        name, data = path, Path(path).read_bytes()
    return Fixed(name, data, *fixed_text(data, name, options))


def fix_file(result: Checked, options: Options) -> Checked:
    """Fix a file in place; the result has the problems that remain."""
    try:
        file = fixed(result.file, options)
        if file.count:
            write_whole(file.name, file.after, before=file.before)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        message = f"cannot write the fixed file: {why}"
        problem = Problem("unreadable", message, place=Place(result.file, 1, 1, 1))
        return replace(result, problems=(problem, *result.problems))
    return file.checked(options)


def difference(file: Fixed, paint: Paint) -> Iterator[str]:
    """The changes, in the format of ``git diff``."""
    before, after = (text.decode().splitlines(keepends=True) for text in (file.before, file.after))
    name = visible(file.name)
    for number, line in enumerate(unified_diff(before, after, f"a/{name}", f"b/{name}")):
        style = "bold" if number < 2 else STYLES.get(line[0])
        # Tabs are part of a difference that can be applied.
        text = "\t".join(visible(part) for part in line.rstrip("\r\n").split("\t"))
        yield f"{paint(style, text) if style else text}\n"
        if not line.endswith("\n"):
            yield "\\ No newline at end of file\n"


def fixed_input(plan: Plan) -> Iterator[Checked]:
    """Print standard input with its errors fixed.

    Raises:
        Misuse: there are other files, too.
    """
    if len(plan.paths) > 1:
        raise Misuse(f"--fix prints the fixed text of {STDIN}: give no other files with it")
    options = plan.options(STDIN)
    file = fixed(STDIN, options, plan.stdin)
    sys.stdout.buffer.write(file.after)
    yield file.checked(options)


def print_differences(plan: Plan) -> int:
    """Print what ``--fix`` would change; how many problems it would fix.

    Raises:
        Misuse: a file cannot be read.
    """
    paint, count = Paint.of(sys.stdout), 0
    for path in plan.paths:
        try:
            file = fixed(path, plan.options(path), plan.stdin)
        except OSError as error:
            raise Misuse(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
        sys.stdout.writelines(difference(file, paint))
        count += file.count
    outcome = f"{quantity(count, 'problem')} would be fixed" if count else "nothing to fix"
    print(f"olm check: {outcome}", file=sys.stderr)
    return count
