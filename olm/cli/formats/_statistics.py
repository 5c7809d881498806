"""What ``--statistics`` prints: how many findings have which code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from olm.checking.check import Checked
from olm.cli.formats import Look, outcome

SUMMARY = "how many findings have which code"


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """A line for each code, the most frequent first, and the outcome."""
    found, fixable = Counter[tuple[str, str]](), Counter[str]()
    for problem in (problem for result in results for problem in result.problems):
        found[problem.severity, problem.code] += 1
        fixable[problem.code] += problem.fix is not None
    rows = sorted(found.items(), key=lambda row: (-row[1], row[0]))
    counts = max((len(f"{count:,}") for _, count in rows), default=0)
    width = max((len(f"{severity}[{code}]") for severity, code in found), default=0)
    for (severity, code), count in rows:
        label = look.paint(severity, f"{severity}[{code}]".ljust(width))
        yield f"{count:>{counts},}  {label}  {_title(code)}{_fixable(fixable[code])}\n"
    yield look.paint("bold" if found else "fine", outcome(look.tally)) + "\n"


def _fixable(count: int) -> str:
    """How many of the findings ``--fix`` can fix.

    >>> _fixable(0), _fixable(1200)
    ('', ' (`--fix` can fix 1,200)')
    """
    return f" (`--fix` can fix {count:,})" if count else ""


def _title(code: str) -> str:
    from olm.checking.pages import page

    try:
        return page(code).title
    except KeyError:
        # The code of a lint that a plugin brings may have no page.
        return ""
