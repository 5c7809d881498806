"""A rate that rises after the end of the schedule.

The schedule ends at the longest of its lengths (`total_steps`, `T_max`, ...), but the rate rises
again later. A run that trains slightly longer than planned trains with a rate that nobody chose.
More often, the length was meant to be that of the whole run. Schedules without an end, such as
`CyclicLR`, may rise at any step.

Let the other parts end no later than the decay, or make the decay longer.

Bad:

```yaml
kind: ChainedScheduler
schedulers:
  - kind: CosineAnnealingLR
    T_max: 100
    eta_min: 1.0e-5
  - kind: TableLR
    milestones: [0, 500]
    factors: [0.5, 1.0]
```

Good:

```yaml
kind: ChainedScheduler
schedulers:
  - kind: CosineAnnealingLR
    T_max: 1000
    eta_min: 1.0e-5
  - kind: TableLR
    milestones: [0, 500]
    factors: [0.5, 1.0]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject, steps_between
from olm.checking.lint._walk import innermost
from olm.problem import Problem
from olm.schedule.schedule import Schedule

SCOPE = "rates"

ROUNDING = 1e-9
"""A rise by at most this share is a rounding."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """The first rise after the end, at the innermost schedule that causes it."""
    schedule = subject.schedule
    end, held = schedule.ends_at(), schedule.holds_from()
    if end is None or held is None or held <= end:
        return
    steps = steps_between(schedule, end, held)
    rates = subject.rates(schedule, steps)
    rise = (rates[1:] > rates[:-1] * (1 + ROUNDING)).all(axis=1)
    if not rise.any():
        return
    before, after = steps[rise.argmax()], steps[rise.argmax() + 1]

    def rises(inner: Schedule, step: int) -> bool:
        low, high = subject.rates(inner, (step, step + after - before))
        return bool((high > low * (1 + ROUNDING)).all())

    message = f"the rate rises after the end of the schedule at step {end:,}"
    path = innermost(schedule, before, rises).path
    yield Problem("late-rise", message, path, severity="warning")
