"""A part of a schedule that no step reaches.

A schedule in a sequence begins only after the phase around it is over, or a milestone lies there:
the file says something that never happens. So it does where a clock says that the run is over by
then. Most likely a length was changed and what stands inside was not, or the milestone was counted
from the start of the run rather than from the start of its own phase.

Leave out what is never reached, or make what is around it longer.

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

from olm.checking.lint._course import drops
from olm.checking.lint._subject import Subject
from olm.checking.lint._walk import Node, length_of, nodes
from olm.problem import Problem, in_steps


def warnings(subject: Subject) -> Iterator[Problem]:
    """The children and the milestones that are never reached, the first of each schedule."""
    run = subject.total_steps
    for node in subject.nodes if run is None else nodes(subject.spec.schedule, run):
        if node.parts:
            yield from _children(node)
        elif node.ends:
            late = [(path, step) for path, step in drops(node.schedule) if step > node.last]
            for path, step in late[:1]:
                message = (
                    f"step {step:,} of {node.schedule.kind} is never reached: "
                    f"its turn is over after {in_steps(node.last)}"
                )
                yield Problem("never-reached", message, node.path + path, severity="warning")


def _children(node: Node) -> Iterator[Problem]:
    end = length_of(node)
    for part in node.parts:
        message = ""
        if part.begin >= end:
            message = (
                f"it would begin at step {part.begin:,}, and what it stands in "
                f"is over after {in_steps(end)}"
            )
        elif part.end <= node.first:
            message = f"it ends at step {part.end:,}, and the clock starts at {node.first:,}"
        if message:
            message = f"{part.schedule.kind} is never reached: {message}"
            yield Problem("never-reached", message, node.path + part.path, severity="warning")
