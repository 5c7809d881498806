"""A comment that silences without saying what.

`# olm: ignore` would hide whatever is found in its place, also what is found only after the next
change: it silences nothing, and is told of instead.

Name the codes of the warnings in brackets, and leave a reason beside them for the next reader.

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


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each comment that names no code."""
    for one in subject.ignores:
        if not one.codes:
            message = "a comment must name what it silences"
            hint = "write `# olm: ignore[...]` with the codes of the warnings"
            yield Problem("bare-ignore", message, hint=hint, place=one.place, severity="warning")
