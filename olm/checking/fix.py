"""Fix errors that have only one possible fix, and leave every other byte unchanged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from yaml.events import Event, ScalarEvent

from olm.checking.check import Checked, Options, check
from olm.problem import MAX_PROBLEMS, Fix, Path, Place, Problem
from olm.text.document import read
from olm.text.places import Spans
from olm.text.source import Text

ROUNDS = 10
"""How often a text is checked again: one fix may uncover an error that another one fixes."""

MOST_READ = 2**17
"""How many bytes are read to try fixes one by one; a longer text is not fixed."""

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MARK = "\ufeff"


def fixed_text(data: bytes, file: str, options: Options | None = None) -> tuple[bytes, int]:
    """The text with every error fixed that has only one possible fix, and how many there were.

    Args:
        data: the text.
        file: the name of the file.
        options: the options of the check.

    >>> fixed_text(b"{kind: LinearLR,   total_step: '100'}  # mine", "a.olm.yaml")
    (b'{kind: LinearLR,   total_steps: 100}  # mine', 2)
    """
    result, fixed = _checked(data, file, options), 0
    for _ in range(ROUNDS):
        data, result, count = _round(data, result, options)
        fixed += count
        if not count:
            break
    return data, fixed


def _round(data: bytes, result: Checked, options: Options | None) -> tuple[bytes, Checked, int]:
    """The text after one round of fixes, its check, and how many problems were fixed."""
    if not (fixes := _candidates(result)):
        return data, result, 0
    text = result.text
    after = _with_fixes(data, fixes, text)
    if _fixes_all(fixes, result, better := _checked(after, result.file, options)):
        return after, better, len(fixes)
    count = 0
    # From the end on, so that the places before a fix stay right.
    for problem in reversed(fixes[: _tries(data)]):
        after = _with_fixes(data, [problem], text)
        if _is_better(result, better := _checked(after, result.file, options)):
            data, result, count = after, better, count + 1
    return data, result, count


def with_sound_fixes(result: Checked, options: Options | None = None) -> Checked:
    """The same result, in which a problem keeps its fix only if the fix is sure to work."""
    data = result.text.content.encode("utf-8", "surrogatepass")
    result = _placed(result)
    sound = _sound(data, result, options)
    return replace(
        result,
        problems=tuple(
            problem if problem in sound else problem._replace(fix=None)
            for problem in result.problems
        ),
    )


def edits(problem: Problem, text: Text) -> list[tuple[Place, str]]:
    """The edits of a sound fix: places, and the new text with its quotes.

    >>> place, fix = Place("a.olm.yaml", 1, 1, 8), Fix("gamma", in_quotes=True)
    >>> edits(Problem("unknown-field", "?", place=place, fix=fix), Text("", "'gamme': 1"))
    [(Place(file='a.olm.yaml', line=1, column=1, end=8), "'gamma'")]
    """
    fix, place = problem.fix, problem.place
    if fix is None or place is None:
        return []
    quote, value = _quote(place, text), fix.value
    key = (place, _within(quote, fix))
    if value is None:
        return [key]
    # A value without quotes gets the quotes of its key, so that JSON stays JSON.
    return [key, (at, _within(_quote(at, text) or quote, value))] if (at := value.place) else []


def _within(quote: str, fix: Fix) -> str:
    return f"{quote}{fix.text}{quote}" if fix.in_quotes else fix.text


def _quote(place: Place, text: Text) -> str:
    """The quote with which the text at a place starts."""
    first = text.line(place.line)[place.column - 1 :][:1]
    return first if first in ("'", '"') else ""


def _sound(data: bytes, result: Checked, options: Options | None) -> set[Problem]:
    """The problems whose fix is sure to work."""
    if not (fixes := _candidates(result)):
        return set()
    text = result.text
    if _fixes_all(fixes, result, _checked(_with_fixes(data, fixes, text), result.file, options)):
        return set(fixes)
    return {
        problem
        for problem in fixes[: _tries(data)]
        if _is_better(result, _checked(_with_fixes(data, [problem], text), result.file, options))
    }


def _tries(data: bytes) -> int:
    """How many fixes of a text are tried one by one."""
    return MOST_READ // (len(data) + 1) + 1


def _fixes_all(fixes: list[Problem], before: Checked, after: Checked) -> bool:
    """Whether exactly these problems are gone."""
    return len(after.problems) == len(before.problems) - len(fixes)


def _checked(data: bytes, file: str, options: Options | None) -> Checked:
    return _placed(check(read(data, file, options.at if options else ()), options))


def _placed(result: Checked) -> Checked:
    """The same result with the places of all edits of a fix; without fixes that have none."""
    if not isinstance(places := result.document.places, Spans):
        return result
    placed = [_at_place(problem, places) if problem.fix else problem for problem in result.problems]
    return replace(result, problems=tuple(placed))


def _at_place(problem: Problem, places: Spans) -> Problem:
    fix, span = problem.fix, places.get(problem.path)
    if fix is None or span is None:
        return problem._replace(fix=None)
    first, _, key = span
    events = [key] if problem.at_key else [first]
    if value := fix.value:
        events.append(first)
        value = value._replace(place=places.place(problem.path, at_key=False))
    sound = all(map(_is_bare, events))
    return problem._replace(fix=fix._replace(value=value) if sound else None)


def _is_bare(event: Event | None) -> bool:
    """Whether a scalar is on one line, without an anchor or a tag."""
    if not isinstance(event, ScalarEvent) or event.anchor or event.tag:
        return False
    start, end = event.start_mark, event.end_mark
    return start is not None and end is not None and start.line == end.line


def _candidates(result: Checked) -> list[Problem]:
    """The problems that have a fix, in the order of their places, without those that clash."""
    exact = isinstance(result.document.places, Spans)
    if not exact or len(result.text.content) > MOST_READ or len(result.problems) >= MAX_PROBLEMS:
        return []
    fixes = [problem for problem in result.problems if problem.fix and problem.place]
    names = Counter(map(_name, fixes))
    return [problem for problem in fixes if names[_name(problem)] == 1]


def _name(problem: Problem) -> tuple[Path, str]:
    """The target of a fix: a key in its mapping, or a value at its path."""
    key = problem.fix.text if problem.at_key and problem.fix else ""
    return problem.path[:-1] if key else problem.path, key


def _is_better(before: Checked, after: Checked) -> bool:
    """Whether a fix removes its problem, and adds none that has no fix itself."""

    def weight(problems: Iterable[Problem]) -> tuple[int, int]:
        fixable = [problem.fix is not None for problem in problems]
        return fixable.count(False), fixable.count(True)

    (worse, fixable), (still, left) = weight(before.problems), weight(after.problems)
    return still <= worse and left <= fixable and after.problems != before.problems


def _with_fixes(data: bytes, problems: list[Problem], seen: Text) -> bytes:
    """The data with problems fixed, which come in the order of their places.

    Args:
        data: the text to fix; after the first of the problems it may be fixed already.
        problems: the ones to fix.
        seen: the text with these problems.
    """
    text = data.decode("utf-8")
    first = len(_MARK) if text.startswith(_MARK) else 0
    lines = [first, *(found.end() for found in _LINE_BREAK.finditer(text))]
    pieces, done = [], 0
    for place, new in (edit for problem in problems for edit in edits(problem, seen)):
        start, end = (lines[place.line - 1] + column - 1 for column in (place.column, place.end))
        pieces += [text[done:start], new]
        done = end
    return "".join([*pieces, text[done:]]).encode()
