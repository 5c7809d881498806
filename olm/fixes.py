"""Mending a text where only one thing would do, and leaving every other byte as it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from olm.checks import Checked, Options, check
from olm.document import read
from olm.places import Spans
from olm.problem import Path, Problem

ROUNDS = 10
"""How often a text is looked at again: what one fix uncovers, a later one may mend."""

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MARK = "\ufeff"


def mend(data: bytes, file: str, options: Options | None = None) -> tuple[bytes, int]:
    """The text with everything mended that has one right answer, and how much that was.

    Args:
        data: the text.
        file: the name of the file.
        options: what is looked for in it.

    >>> mend(b"{kind: LinearLR,   total_step: '100'}  # mine", "a.olm.yaml")
    (b'{kind: LinearLR,   total_steps: 100}  # mine', 2)
    """
    result, mended = _checked(data, file, options), 0
    for _ in range(ROUNDS):
        count = 0
        # From the end on, so that the places before a fix stay right.
        for problem in reversed(_candidates(result)):
            after = _with_fix(data, problem)
            if _is_better(result, better := _checked(after, file, options)):
                data, result, count = after, better, count + 1
        mended += count
        if not count:
            break
    return data, mended


def with_sound_fixes(result: Checked, options: Options | None = None) -> Checked:
    """The same result, in which a problem has a fix only if that is sure to mend it."""
    data, sound = result.text.content.encode("utf-8", "surrogatepass"), []
    for problem in _candidates(result):
        if _is_better(result, _checked(_with_fix(data, problem), result.file, options)):
            sound.append(problem)
    return replace(
        result,
        problems=tuple(
            problem if problem in sound else replace(problem, fix=None)
            for problem in result.problems
        ),
    )


def _checked(data: bytes, file: str, options: Options | None) -> Checked:
    return check(read(data, file, options.at if options else ()), options)


def _candidates(result: Checked) -> list[Problem]:
    """The problems that have a fix, in the order of their places; none where two would clash."""
    if not isinstance(result.document.places, Spans):
        return []
    fixes = [problem for problem in result.problems if problem.fix and problem.place]
    names = Counter(map(_name, fixes))
    return [problem for problem in fixes if names[_name(problem)] == 1]


def _name(problem: Problem) -> tuple[Path, str]:
    """What there may be one of: a key in its mapping, or a value at its path."""
    key = problem.fix.text if problem.at_key and problem.fix else ""
    return problem.path[:-1] if key else problem.path, key


def _is_better(before: Checked, after: Checked) -> bool:
    """Whether a fix has mended its problem, and brought none that has no fix itself."""

    def weight(problems: Iterable[Problem]) -> tuple[int, int]:
        fixable = [problem.fix is not None for problem in problems]
        return fixable.count(False), fixable.count(True)

    (worse, fixable), (still, left) = weight(before.problems), weight(after.problems)
    return still <= worse and left <= fixable and after.problems != before.problems


def _with_fix(data: bytes, problem: Problem) -> bytes:
    """The text in which a problem is mended."""
    text, fix, place = data.decode("utf-8"), problem.fix, problem.place
    # Only candidates come here.
    assert fix
    assert place
    start, end = (_index(text, place.line, column) for column in (place.column, place.end))
    quote = text[start] if fix.in_quotes and text[start] in "'\"" else ""
    return f"{text[:start]}{quote}{fix.text}{quote}{text[end:]}".encode()


def _index(text: str, line: int, column: int) -> int:
    """The index of the character at a place, which does not count a byte-order mark."""
    index = len(_MARK) if text.startswith(_MARK) else 0
    for _ in range(line - 1):
        index = _LINE_BREAK.search(text, index).end()  # type: ignore[union-attr]  # it has lines
    return index + column - 1
