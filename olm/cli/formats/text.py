"""The format for people: each problem with its line, and carets under what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from olm.checking.check import Checked
from olm.cli.formats import Look, in_words
from olm.cli.terminal import Paint, visible
from olm.problem import LISTED

SUMMARY = "each problem with its line, for people"


def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
    """The problems of each file as soon as it is checked, and a summary."""
    for result in results:
        yield from of_file(result, look.paint)
    tally = look.tally
    if tally.mended:
        yield f"{tally.mended:,} problem{'s are' if tally.mended > 1 else ' is'} mended\n"
    yield look.paint("bold" if tally.wrong else "fine", in_words(tally)) + "\n"
    if tally.fixable:
        share = _share(tally.fixable, of=tally.errors + tally.warnings)
        yield f"`olm check --fix` would mend {share}\n"
    if tally.waiting:
        yield f"{_waiting(tally.waiting)}\n"


def _waiting(count: int) -> str:
    """That lint had no clock, and of how many files it therefore says nothing.

    >>> _waiting(1)
    '1 file has durations and no clock: its rates were not looked at'
    """
    files, theirs = ("1 file has", "its") if count == 1 else (f"{count:,} files have", "their")
    return f"{files} durations and no clock: {theirs} rates were not looked at"


def _share(some: int, of: int) -> str:
    """How many of the problems.

    >>> _share(1, 1), _share(2, 2), _share(1, 3), _share(2, 3)
    ('it', 'all of them', 'one of them', '2 of them')
    """
    if some == of:
        return "it" if of == 1 else "all of them"
    return "one of them" if some == 1 else f"{some:,} of them"


def of_file(result: Checked, paint: Paint) -> Iterator[str]:
    """The problems of one file, as far as anybody would read them."""
    if not result.problems:
        return
    from olm.cli.excerpt import picture

    for problem in result.problems[:LISTED]:
        yield "\n".join([*picture(problem, result.text, paint), "", ""])
    if len(result.problems) > LISTED:
        more = len(result.problems) - LISTED
        yield f"{visible(result.file)}: ... and {more:,} more problems\n\n"
