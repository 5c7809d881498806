"""A step that trains with a rate of 0.

After the first step and before the end of the run, or of a phase, there are steps whose rate is
exactly 0: they cost as much as the others and change nothing. Probably a decay is shorter than its
phase. A rate of 0 at the first step has a warning of its own, `zero-first-step`, and a `HoldLR` of
0 is taken to be intended.

Make the decay as long as its phase, or let it end above 0.

Bad:

```yaml
kind: PhasesLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: CosineAnnealingLR
    T_max: 500
lengths: [100, 900]
```

Good:

```yaml
kind: PhasesLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: CosineAnnealingLR
    T_max: 900
lengths: [100, 900]
```
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from olm.checking.lint._subject import Subject, steps_between
from olm.checking.lint._walk import Node, nodes
from olm.fields.types import MAX_STEPS
from olm.problem import Problem
from olm.schedule.schedule import Schedule

SCOPE = "rates"


def warnings(subject: Subject) -> Iterator[Problem]:
    """The first step with a rate of 0 of each schedule that has one."""
    schedule = subject.schedule
    for node in nodes(schedule, subject.total_steps or schedule.ends_at() or MAX_STEPS):
        # One part with a rate of 0 makes a product 0, but not the highest of several rates.
        decides = node.schedule.takes_highest or not node.children
        raised = any(parent.takes_highest for parent in node.above)
        if node.ends and decides and not raised and not node.schedule.is_constant:
            yield from _zeros(subject, node)


def _zeros(subject: Subject, node: Node) -> Iterator[Problem]:
    # `zero-first-step` reports the first step of the root. On another clock it may be any step.
    first = max(node.first, int(not node.offset))
    last = node.last - 1
    if first > last:
        return
    steps = steps_between(node.schedule, first, last)
    zero = [*(subject.rates(node.schedule, steps) == 0).all(axis=1)]
    if not any(zero):
        return
    at = zero.index(True)
    step = _first_zero(subject, node.schedule, steps[at - 1], steps[at]) if at else steps[at]
    stays = step < last and all(zero[at:])
    verb = "train" if stays else "trains"
    message = f"{node.steps(step, last if stays else step)} {verb} with a rate of 0"
    yield Problem("zero-rate", message, node.path, severity="warning")


def _first_zero(subject: Subject, schedule: Schedule, above: int, zero: int) -> int:
    """The first step with a rate of 0, between one with a rate above 0 and one with a rate of 0."""

    def is_zero(step: int) -> bool:
        return bool((subject.rates(schedule, (step,)) == 0).all())

    return bisect_left(range(zero), True, lo=above + 1, key=is_zero)
