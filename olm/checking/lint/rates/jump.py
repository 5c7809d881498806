"""A rate that jumps where one schedule takes over from another.

From the last step of one part of a `SequentialLR` or `PhasesLR` to the first of the next, the rate
rises or falls by more than 20 times. A drop by ten is a usual step, so that 20 is none; most likely
a part starts at a rate in another unit (a factor where a rate was meant, or the reverse), or a
decay ends too early. The steps of `MultiStepLR`, `StepLR` and `TableLR`, and the restarts of
`RepeatLR` and `CosineAnnealingWarmRestarts`, are meant to jump and are not looked at. Where the
base rate is not known, the rate must jump whatever it is.

Let the next part start where the one before ends; if the jump is meant, say so with a comment.

Bad:

```yaml
kind: SequentialLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: RampLR
    total_steps: 900
    start_factor: 0.01
milestones: [100]
```

Good:

```yaml
kind: SequentialLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: RampLR
    total_steps: 900
milestones: [100]
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from olm.checking.lint._subject import Subject
from olm.checking.lint._walk import Child, Node, over_at
from olm.problem import Problem

if TYPE_CHECKING:
    from olm.schedule.curves import Array

FACTOR = 20.0
"""By how much a rate may jump."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each part at whose beginning the rate jumps."""
    for node in subject.nodes:
        end = over_at(node)
        later = [child for child in node.children if node.first < child.start < end]
        if later:
            # All at once: each evaluation of a sequence looks at all of its parts.
            before = subject.rates(node.schedule, tuple(child.start - 1 for child in later))
            after = subject.rates(node.schedule, tuple(child.start for child in later))
            for child, *rates in zip(later, before, after, strict=True):
                yield from _jump(node, child, *rates)


def _jump(node: Node, child: Child, before: Array, after: Array) -> Iterator[Problem]:
    # From or to 0 there is no factor: a rate of 0 is told of by itself.
    rise = bool(((before > 0) & (after > FACTOR * before)).all())
    fall = bool(((after > 0) & (before > FACTOR * after)).all())
    if rise or fall:
        factor = float((after / before if rise else before / after).min())
        message = (
            f"at {node.steps(child.start, child.start)}, where {child.schedule.kind} takes over, "
            f"the rate {'rises' if rise else 'falls'} by a factor of {factor:,.3g}"
        )
        yield Problem("jump", message, node.path + child.path, severity="warning")
