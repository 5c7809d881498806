"""The format for people: each problem with its line, and carets under the error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from olm.checking.check import Checked
from olm.cli.formats import Look, outcome
from olm.cli.terminal import Paint, visible
from olm.problem import LISTED, quantity

SUMMARY = "each problem with its source line, for people"


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """The problems of each file as soon as it is checked, and a summary."""
    for result in results:
        yield from of_file(result, look.paint)
    tally = look.tally
    if tally.fixed:
        yield f"{quantity(tally.fixed, 'problem')} fixed\n"
    yield look.paint("bold" if tally.wrong else "fine", outcome(tally)) + "\n"
    if tally.fixable:
        share = _share(tally.fixable, of=tally.errors + tally.warnings)
        mark = " (*)" if look.paint.links else ""
        yield f"`olm check --fix` can fix {share}{mark}\n"
    if tally.waiting:
        yield f"{_waiting(tally.waiting)}\n"


def _waiting(count: int) -> str:
    """How many files lint could not evaluate.

    >>> _waiting(1), _waiting(2)
    ('rates not checked in 1 file: run length unknown', \
'rates not checked in 2 files: run length unknown')
    """
    return f"rates not checked in {quantity(count, 'file')}: run length unknown"


def _share(some: int, of: int) -> str:
    """How many of the problems, in words.

    >>> _share(1, 1), _share(2, 2), _share(1, 3), _share(2, 3)
    ('it', 'all of them', 'one of them', '2 of them')
    """
    if some == of:
        return "it" if of == 1 else "all of them"
    return "one of them" if some == 1 else f"{some:,} of them"


def of_file(result: Checked, paint: Paint) -> Iterator[str]:
    """The problems of one file, up to a limit."""
    if not result.problems:
        return
    from olm.cli.excerpt import picture

    for problem in result.problems[:LISTED]:
        yield "\n".join([*picture(problem, result.text, paint), "", ""])
    if len(result.problems) > LISTED:
        more = len(result.problems) - LISTED
        yield f"{visible(result.file)}: ... and {quantity(more, 'more problem')}\n\n"
