"""A schedule that is not as long as its run.

A clock says how many steps the run has (the spec's own, or the one that is given, such as
`--total-steps`), and the schedule comes to its end at another step. If it is longer, the run stops
on the way down, and the last and lowest rates are never trained with; if it is shorter, the run
goes on with whatever rate the schedule ended at. Most likely one of the two numbers was changed and
the other one was not. A schedule without an end, such as `HoldLR` or `WarmupLR` alone, is fine.

Say the length in per cent, `100%`, or as `rest`, and it follows the run; or write the right one. A
run that is stopped on purpose may say so with a comment.

Bad:

```yaml
kind: WarmupCosineScheduler
warmup_steps: 3%
total_steps: 9ep
min_lr: 1.0e-5
clock: {total_steps: 10000, steps_per_epoch: 1000}
```

Good:

```yaml
kind: WarmupCosineScheduler
warmup_steps: 3%
total_steps: 100%
min_lr: 1.0e-5
clock: {total_steps: 10000, steps_per_epoch: 1000}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.problem import Problem


def warnings(subject: Subject) -> Iterator[Problem]:
    """That the whole ends at another step than the run."""
    total, schedule = subject.total_steps, subject.spec.schedule
    end = None if total is None else schedule.ends_at()
    if total is not None and end not in (None, total):
        message = f"the schedule ends at step {end:,}, and the run at step {total:,}"
        also = (("clock", "total_steps"),)
        yield Problem(
            "ends-elsewhere", message, schedule.length_path(), also=also, severity="warning"
        )
