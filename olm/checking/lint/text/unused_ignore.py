"""A comment that silences a warning which is not there.

What it was written for was mended, or it stands on another line than the warning, or its code is
misspelt, or is that of an error: errors cannot be silenced. Left in place, it would hide the next
mistake of this sort. A code is held against what was looked for: those of warnings that need rates
are judged only with `--lint`, and only where the base rate is known; those that need steps, only
where a clock counts the durations; and `ends-elsewhere` only where the length of the run is known.

Remove it, or the code that silences nothing.

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


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each code in a comment that is none of a warning, as far as anybody would read them."""
    named = ((one, code) for one in subject.ignores for code in one.codes)
    unknown = ((one, code) for one, code in named if code not in lint.codes())
    for one, code in islice(unknown, LISTED):
        message, _, hint = (lint.misnamed([code]) or "").partition(": ")
        yield Problem("unused-ignore", message, hint=hint, place=one.place, severity="warning")


def idle(
    subject: Subject, applied: Collection[str], used: Collection[tuple[int | None, str]]
) -> Iterator[Problem]:
    """Each code in a comment that was looked for and did not silence anything.

    Args:
        subject: what was looked at.
        applied: the codes of the rules that were applied.
        used: the lines and codes with which comments silenced something.
    """
    for one in subject.ignores:
        for code in one.codes:
            idles = code in applied and code != "unused-ignore" and (one.line, code) not in used
            if idles and _is_judged(code, subject):
                message = f"there is no `{code}` to silence here"
                yield Problem("unused-ignore", message, place=one.place, severity="warning")


def _is_judged(code: str, subject: Subject) -> bool:
    """Whether a rule that found nothing would not find anything in another run either."""
    if code == "ends-elsewhere":
        return subject.total_steps is not None
    return bool(subject.known_bases) or lint.needs(code) != "rates"
