"""What a fix writes, for those who apply it themselves."""

from __future__ import annotations

from olm.problem import Problem
from olm.text import Text


def replacement(problem: Problem, text: Text) -> str | None:
    """All that is to stand at a problem's place instead, with the quotes that stay around it.

    >>> from olm.problem import Fix, Place
    >>> place, fix = Place("a.olm.yaml", 1, 1, 8), Fix("gamma", in_quotes=True)
    >>> replacement(Problem("unknown-field", "?", place=place, fix=fix), Text("", "'gamme': 1"))
    "'gamma'"
    """
    if problem.fix is None or problem.place is None:
        return None
    start = text.line(problem.place.line)[problem.place.column - 1 :][:1]
    quote = start if problem.fix.in_quotes and start in ("'", '"') else ""
    return f"{quote}{problem.fix.text}{quote}"
