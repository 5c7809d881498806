"""A comment that silences warnings without naming them.

`# olm: ignore` would hide every warning in its line, even those that a later change causes.
Therefore it silences nothing, and is reported.

Name the codes of the warnings in brackets, and add the reason for the next reader.

Bad:

```yaml
kind: LinearLR  # olm: ignore
total_steps: 1000
```

Good:

```yaml
kind: WarmupCosineScheduler
warmup_steps: 800  # olm: ignore[warmup-too-long] the run goes on from here
total_steps: 1000
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.problem import Problem

SCOPE = "document"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each comment that names no code."""
    for comment in subject.ignores:
        if not comment.codes:
            message = "a comment must name the warnings that it silences"
            hint = "write `# olm: ignore[...]` with the codes of the warnings"
            place = comment.place
            yield Problem("bare-ignore", message, hint=hint, place=place, severity="warning")
