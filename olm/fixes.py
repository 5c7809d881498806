"""Mending a text where only one thing would do, and leaving every other byte as it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from olm.checks import Checked, Options, check
from olm.document import read
from olm.places import Spans
from olm.problem import MAX_PROBLEMS, Path, Problem

ROUNDS = 10
"""How often a text is looked at again: what one fix uncovers, a later one may mend."""

MOST_READ = 2**17
"""How many bytes are read to try fixes one by one. A text that is longer is not mended."""

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
        data, result, count = _round(data, result, options)
        mended += count
        if not count:
            break
    return data, mended


def _round(data: bytes, result: Checked, options: Options | None) -> tuple[bytes, Checked, int]:
    """The text with what can be mended now, what is then wrong with it, and how much that was."""
    if not (fixes := _candidates(result)):
        return data, result, 0
    after = _with_fixes(data, fixes)
    if _mends_all(fixes, result, better := _checked(after, result.file, options)):
        return after, better, len(fixes)
    count = 0
    # From the end on, so that the places before a fix stay right.
    for problem in reversed(fixes[: _tries(data)]):
        after = _with_fixes(data, [problem])
        if _is_better(result, better := _checked(after, result.file, options)):
            data, result, count = after, better, count + 1
    return data, result, count


def with_sound_fixes(result: Checked, options: Options | None = None) -> Checked:
    """The same result, in which a problem has a fix only if that is sure to mend it."""
    data = result.text.content.encode("utf-8", "surrogatepass")
    sound = _sound(data, result, options)
    return replace(
        result,
        problems=tuple(
            problem if problem in sound else replace(problem, fix=None)
            for problem in result.problems
        ),
    )


def _sound(data: bytes, result: Checked, options: Options | None) -> set[Problem]:
    """The problems whose fix is sure to mend them."""
    if not (fixes := _candidates(result)):
        return set()
    if _mends_all(fixes, result, _checked(_with_fixes(data, fixes), result.file, options)):
        return set(fixes)
    return {
        problem
        for problem in fixes[: _tries(data)]
        if _is_better(result, _checked(_with_fixes(data, [problem]), result.file, options))
    }


def _tries(data: bytes) -> int:
    """How many fixes of a text are tried one by one."""
    return MOST_READ // (len(data) + 1) + 1


def _mends_all(fixes: list[Problem], before: Checked, after: Checked) -> bool:
    """Whether exactly these problems are gone."""
    return len(after.problems) == len(before.problems) - len(fixes)


def _checked(data: bytes, file: str, options: Options | None) -> Checked:
    return check(read(data, file, options.at if options else ()), options)


def _candidates(result: Checked) -> list[Problem]:
    """The problems that have a fix, in the order of their places; none where two would clash."""
    exact = isinstance(result.document.places, Spans)
    if not exact or len(result.text.content) > MOST_READ or len(result.problems) >= MAX_PROBLEMS:
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


def _with_fixes(data: bytes, problems: list[Problem]) -> bytes:
    """The text in which problems are mended, which stand in the order of their places."""
    text = data.decode("utf-8")
    first = len(_MARK) if text.startswith(_MARK) else 0
    lines = [first, *(found.end() for found in _LINE_BREAK.finditer(text))]
    pieces, done = [], 0
    for problem in problems:
        fix, place = problem.fix, problem.place
        # Only candidates come here.
        assert fix
        assert place
        start, end = (lines[place.line - 1] + column - 1 for column in (place.column, place.end))
        quote = text[start] if fix.in_quotes and text[start] in "'\"" else ""
        pieces += [text[done:start], quote, fix.text, quote]
        done = end
    return "".join([*pieces, text[done:]]).encode()
