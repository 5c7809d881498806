"""A decay that never reaches its floor.

A phase ends while more than 1 % of its decay is left: the phase is shorter than the `T_max` of its
`CosineAnnealingLR`, for example, because the warm-up was not subtracted. Or the floor in a
`MaximumLR` is below all other rates, or a `TanhLR` ends so early on the tangent that the rate must
jump to `end_lr`.

Make the decay as long as its phase, or remove the floor. If the decay is cut off on purpose,
silence the warning with a comment. What a `ContinueLR` cuts off is not reported.

Bad:

```yaml
kind: PhasesLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: CosineAnnealingLR
    T_max: 1000
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

from collections.abc import Iterator
from functools import reduce

from olm.checking.lint._subject import Subject, steps_between
from olm.checking.lint._walk import Node
from olm.problem import Problem, quantity

SCOPE = "numbers"

NEGLIGIBLE = 0.01
"""The share of a decay that may be left."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each decay that does not reach its floor, and each floor below all other rates."""
    for node in subject.nodes:
        if node.schedule.takes_highest:
            yield from _untouched(subject, node)
        # Where the highest rate is taken, another schedule is the floor.
        elif not any(parent.takes_highest for parent in node.above):
            yield from _cut_off(subject, node)
            yield from _jumps_to_floor(subject.number, node)


def _cut_off(subject: Subject, node: Node) -> Iterator[Problem]:
    schedule = node.schedule
    if node.children or not node.ends or any(parent.continues for parent in node.above):
        return
    end = schedule.ends_at()
    if end is None or end <= node.last:
        return
    there, floor = subject.rates(schedule, (node.last, end))
    decay = abs(subject.rates(schedule, steps_between(schedule, node.first, end)) - floor).max(
        axis=0
    )
    left = abs(there - floor)
    if (left > NEGLIGIBLE * decay).all():
        message = (
            f"{schedule.kind} ends at step {end:,}, but is cut off after "
            f"{quantity(node.last, 'step')}, with {(left / decay).min():.0%} of the decay left"
        )
        path = node.path + schedule.length_path()
        yield Problem("floor-not-reached", message, path, severity="warning")


def _jumps_to_floor(number: str, node: Node) -> Iterator[Problem]:
    if ending := node.schedule.left_at_end():
        field, left = ending
        if left > NEGLIGIBLE:
            floor = node.schedule.floor()
            message = (
                f"at {field}, {left:.0%} of the decay is left, and the {number} jumps to {floor}"
            )
            path = (*node.path, field)
            yield Problem("floor-not-reached", message, path, severity="warning")


def _untouched(subject: Subject, node: Node) -> Iterator[Problem]:
    """The constant rates that are always below another one."""
    import numpy as np

    held = node.schedule.holds_from()
    last = node.last if held is None else min(node.last, held)
    if last == node.last and not node.ends:
        return
    steps = steps_between(node.schedule, node.first, last)
    rates = [subject.rates(child.schedule, steps) for child in node.children]
    highest = reduce(np.maximum, rates)
    for child, own in zip(node.children, rates, strict=True):
        if child.schedule.metric_driven or child.schedule.holds_from() != 0:
            continue
        if (own < highest).all():
            message = f"{child.schedule.kind} is a floor that the {subject.number} never reaches"
            path = node.path + child.path
            yield Problem("floor-not-reached", message, path, severity="warning")
