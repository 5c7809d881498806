"""A rate that jumps where one schedule takes over from another.

From the last step of one part of a `SequentialLR` or `PhasesLR` to the first step of the next, the
rate rises or falls by a factor of more than 20. A drop by 10 is common, one by 20 is not: probably
a part starts at a factor where a rate was meant, or the reverse, or a decay ends too early. The
drops of `MultiStepLR`, `StepLR` and `TableLR`, and the restarts of `RepeatLR` and
`CosineAnnealingWarmRestarts`, are intended and not checked. If the base rate is unknown, the rate
must jump for every base rate.

Let the next part start at the rate at which the one before ends. If the jump is intended, silence
the warning with a comment.

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

SCOPE = "numbers"

FACTOR = 20.0
"""The factor by which a rate may jump."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each part at whose start the rate jumps."""
    for node in subject.nodes:
        end = over_at(node)
        later = [child for child in node.children if node.first < child.start < end]
        if later:
            # All steps at once: each evaluation of a sequence evaluates all of its parts.
            before = subject.rates(node.schedule, tuple(child.start - 1 for child in later))
            after = subject.rates(node.schedule, tuple(child.start for child in later))
            for child, *rates in zip(later, before, after, strict=True):
                yield from _jump(subject.number, node, child, *rates)


def _jump(number: str, node: Node, child: Child, before: Array, after: Array) -> Iterator[Problem]:
    # A jump from or to 0 has no factor. A rate of 0 has warnings of its own.
    rise = bool(((before > 0) & (after > FACTOR * before)).all())
    fall = bool(((after > 0) & (before > FACTOR * after)).all())
    if rise or fall:
        factor = float((after / before if rise else before / after).min())
        message = (
            f"at {node.steps(child.start, child.start)}, where {child.schedule.kind} takes over, "
            f"the {number} {'rises' if rise else 'falls'} by a factor of {factor:,.3g}"
        )
        yield Problem("jump", message, node.path + child.path, severity="warning")
