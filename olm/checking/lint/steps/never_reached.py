"""A schedule or a milestone that no step reaches.

A part of a sequence starts, or a milestone lies, after the end of the phase around it, or after the
end of the run. Probably a length was changed and the schedule inside was not, or the milestone was
counted from the start of the run instead of the start of its phase.

Remove what is never reached, or make the phase longer.

Bad:

```yaml
kind: PhasesLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: MultiStepLR
    milestones: [300, 950]
lengths: [100, 900]
```

Good:

```yaml
kind: PhasesLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: MultiStepLR
    milestones: [300, 850]
lengths: [100, 900]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.checking.lint._walk import Node, nodes, over_at
from olm.problem import Problem, quantity

SCOPE = "numbers"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each part that is never reached, and the first such milestone of each schedule."""
    run = subject.total_steps
    for node in subject.nodes if run is None else nodes(subject.schedule, run):
        if node.children:
            yield from _children(node)
        elif node.ends:
            late = [(path, step) for path, step in node.schedule.jumps() if step > node.last]
            for path, step in late[:1]:
                message = (
                    f"step {step:,} of {node.schedule.kind} is never reached: "
                    f"it is over after {quantity(node.last, 'step')}"
                )
                yield Problem("never-reached", message, node.path + path, severity="warning")


def _children(node: Node) -> Iterator[Problem]:
    if node.schedule.own_clock:
        return
    end = over_at(node)
    for child in node.children:
        message = ""
        if child.start >= end:
            message = (
                f"it would start at step {child.start:,}, but the schedule around it "
                f"is over after {quantity(end, 'step')}"
            )
        elif child.end <= node.first and child.end < end:
            message = f"it ends at step {child.end:,}, but the clock starts at {node.first:,}"
        if message:
            message = f"{child.schedule.kind} is never reached: {message}"
            yield Problem("never-reached", message, node.path + child.path, severity="warning")
