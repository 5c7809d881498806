"""A problem with its location, its message, and the line with carets under the error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from olm.cli.terminal import Paint, columns, visible
from olm.problem import Place, Problem
from olm.text.source import Text

WIDTH = 100
"""How many columns of a line are printed."""

ALSO = {"duplicate-key": "first defined here", "syntax": "opened here"}
"""The note at the other places of a problem, by its code."""


class Mark(NamedTuple):
    """An underlined part of a line, and the note beside it."""

    place: Place
    underline: str
    style: str
    note: str


def picture(problem: Problem, text: Text, paint: Paint) -> Iterator[str]:
    r"""The lines that show a problem.

    >>> text = Text("a.olm.yaml", "kind: LinearLR\ntotal_step: 10")
    >>> here = Place("a.olm.yaml", 2, 1, 11)
    >>> wrong = Problem("unknown-field", "no such field", hint="no?", place=here)
    >>> print(*picture(wrong, text, Paint(False)), sep="\n")
    a.olm.yaml:2:1: error[unknown-field]: no such field
      |
    2 | total_step: 10
      | ^^^^^^^^^^ no?
    """
    where, what = str(problem.place or text.file), f"{problem.severity}[{problem.code}]"
    if paint.links:
        from olm.checking.pages import file_of

        what = paint.link(what, file_of(problem.code))
        # A star marks what --fix fixes.
        what += "*" * (problem.fix is not None)
    start = f"{paint('bold', visible(where))}: {paint(problem.severity, what)}"
    yield f"{start}: {paint('bold', problem.message)}"
    marks = _marks(problem)
    if not any(text.line(mark.place.line) for mark in marks):
        if problem.hint:
            yield f"  {paint('hint', problem.hint)}"
        return
    yield from _excerpts(marks, text, paint)


def _marks(problem: Problem) -> list[Mark]:
    """The underlined parts, from top to bottom."""
    marks = [
        Mark(place, "-", "also", ALSO.get(problem.code, "and here"))
        for place in problem.also_places
    ]
    if problem.place:
        marks.append(Mark(problem.place, "^", problem.severity, problem.hint))
    return sorted(marks)


def _excerpts(marks: list[Mark], text: Text, paint: Paint) -> Iterator[str]:
    """The lines that have marks, each once, with their underlines."""
    margin = len(str(marks[-1].place.line))
    bar = paint("gutter", " " * margin + " |")
    yield bar
    last = left = right = 0
    for mark in marks:
        number, column, line = mark.place.line, mark.place.column, text.line(mark.place.line)
        if number != last or not (left < column <= right or column > len(line)):
            left, right = window(line, column)
            if last and number > last + 1:
                yield paint("gutter", "...")
            yield f"{paint('gutter', f'{number:{margin}} |')} {_cut(line, left, right)}"
        yield f"{bar} {_underlined(mark, line, left, right, paint)}"
        last = number


def _cut(line: str, left: int, right: int) -> str:
    return f"{'…' * (left > 0)}{visible(line[left:right]).rstrip()}{'…' * (right < len(line))}"


def _underlined(mark: Mark, line: str, left: int, right: int, paint: Paint) -> str:
    start, end = mark.place.column - 1, min(mark.place.end - 1, right)
    indent = " " * ((left > 0) + columns(visible(line[left:start])))
    stretch = mark.underline * max(columns(visible(line[start:end])), 1)
    note = f" {paint('hint', mark.note)}" if mark.note else ""
    return f"{indent}{paint(mark.style, stretch)}{note}"


def window(line: str, column: int) -> tuple[int, int]:
    """The part of a long line to print, which includes the column."""
    width = WIDTH if line.isascii() else WIDTH // 2
    if len(line) <= width or (len(line) <= WIDTH and columns(line) <= WIDTH):
        return 0, len(line)
    left = max(0, min(column - 1 - width // 3, len(line) - width))
    return left, left + width
