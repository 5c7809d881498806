"""A comment that silences a warning which does not occur.

The warning was fixed, or the comment is on another line than the warning, or its code is misspelled
or that of an error, and errors cannot be silenced. The comment would hide the next warning of this
code. A code is reported only if its rule was applied: with `--lint` and a known base rate for the
rules that need rates, with a clock for all durations for the rules that need steps, and with a
known run length for `ends-elsewhere`.

Remove the comment, or the code that silences nothing.

Bad:

```yaml
kind: LinearLR
total_steps: 1000  # olm: ignore[warmup-too-long]
```

Good:

```yaml
kind: WarmupCosineScheduler
warmup_steps: 800  # olm: ignore[warmup-too-long] the run goes on from here
total_steps: 1000
```
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from olm.checking import lint
from olm.checking.lint._subject import Subject
from olm.problem import LISTED, Problem

SCOPE = "document"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each code in a comment that no warning has, up to a number that a reader may want."""
    named = ((comment, code) for comment in subject.ignores for code in comment.codes)
    unknown = ((comment, code) for comment, code in named if code not in lint.codes())
    for comment, code in islice(unknown, LISTED):
        message, _, hint = (lint.misnamed([code]) or "").partition(": ")
        place = comment.place
        yield Problem("unused-ignore", message, hint=hint, place=place, severity="warning")


def idle(
    subject: Subject, applied: Collection[str], used: Collection[tuple[int | None, str]]
) -> Iterator[Problem]:
    """Each code in a comment whose rule was applied and that silenced nothing.

    Args:
        subject: the spec that was checked.
        applied: the codes of the rules that were applied.
        used: the lines and codes of the comments that silenced a warning.
    """
    for comment in subject.ignores:
        for code in comment.codes:
            is_used = (comment.line, code) in used or code == "unused-ignore"
            if code in applied and not is_used and _is_decided(code, subject):
                message = f"there is no `{code}` warning to silence here"
                yield Problem("unused-ignore", message, place=comment.place, severity="warning")


def _is_decided(code: str, subject: Subject) -> bool:
    """Whether a rule that found nothing would find nothing for another run, either."""
    if code == "ends-elsewhere":
        return subject.total_steps is not None
    if lint.needs(code) != "rates":
        return True
    return all(each.known_bases for each in (subject, *subject.of_targets()))
