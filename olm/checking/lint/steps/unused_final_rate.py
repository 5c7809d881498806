"""A final rate that no step trains with.

The last change of a rate comes exactly where its turn is over: a milestone of `MultiStepLR` that
is as large as the phase is long, a `StepLR` whose first step would come there, or a decay over a
single step in a phase of one step. Steps count from 0, so that the step with this number is the
first that is not trained any more: the rate is never used.

Set the milestone earlier, make the phase longer, or leave the rate out.

Bad:

```yaml
kind: PhasesLR
schedulers:
  - kind: MultiStepLR
    milestones: [300, 900]
lengths: [900]
```

Good:

```yaml
kind: PhasesLR
schedulers:
  - kind: MultiStepLR
    milestones: [300, 800]
lengths: [900]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.problem import Problem


def warnings(subject: Subject) -> Iterator[Problem]:
    """The last change of each schedule that comes when its turn is over."""
    for node in subject.nodes:
        schedule = node.schedule
        if node.children or not node.ends:
            continue
        for path, step in schedule.jumps():
            if step == node.last:
                message = (
                    f"no step trains with the rate from step {step:,} on: its turn is over there"
                )
                where = node.path + path
                yield Problem("unused-final-rate", message, where, severity="warning")
                break
        if node.above and (node.first, node.last) == (0, 1) and schedule.ends_at() == 1:
            message = (
                f"{schedule.kind} trains only with its first rate: it ends at step 1, "
                "and its turn has one step"
            )
            where = node.path + schedule.length_path()
            yield Problem("unused-final-rate", message, where, severity="warning")
