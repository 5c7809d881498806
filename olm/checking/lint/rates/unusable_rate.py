"""A rate that is negative or not finite.

The rate becomes negative, overflows or is not a number, in the run or in the steps after it, up to
ten times its length. Training stops there with an error. Probably a line goes on below 0 after its
end, or a factor above 1 was meant for few steps. If the run length is unknown, it is taken to be
that of the schedule, and at least 1,000 steps.

Let the schedule hold, repeat, or end above 0, or specify the run length in `clock` if the run is
short.

Bad:

```yaml
kind: RampLR
total_steps: 100
past: extrapolate
```

Good:

```yaml
kind: RampLR
total_steps: 100
past: hold
```
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from olm.checking.lint._subject import Subject, steps_between
from olm.checking.lint._walk import innermost
from olm.fields.types import MAX_STEPS
from olm.problem import Problem, quantity
from olm.schedule.evaluation import usable
from olm.schedule.schedule import Schedule

SCOPE = "numbers"

LONGER = 10
"""How many times the run length is looked at."""

UNKNOWN = 1000
"""The run length, in steps, at the least, if no clock has it."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """The first step with an unusable rate, at the innermost schedule that causes it."""
    schedule, run = subject.schedule, subject.total_steps
    length = run or max(UNKNOWN, schedule.ends_at() or 0)
    steps = steps_between(schedule, 0, min(LONGER * length, MAX_STEPS))
    bad = [not row.any() for row in usable(subject.rates(schedule, steps))]
    if not any(bad):
        return

    def is_bad(inner: Schedule, step: int) -> bool:
        return not usable(subject.rates(inner, (step,))).any()

    at = bad.index(True)
    before, step = steps[at - 1] if at else -1, steps[at]
    step = bisect_left(range(step), True, lo=before + 1, key=lambda step: is_bad(schedule, step))
    rates = subject.rates(schedule, (step,))
    what = "negative" if (rates < 0).all() else "not finite"
    after = f", after the run of {quantity(run, 'step')}" if run and step > run else ""
    message = f"the {subject.number} at step {step:,} is {what}{after}: training would stop there"
    yield Problem(
        "unusable-rate", message, innermost(schedule, step, is_bad).path, severity="warning"
    )
