"""A final rate that no step trains with.

The last change of the rate is exactly at the end of its phase: a milestone of `MultiStepLR` equals
the length of the phase, the first drop of a `StepLR` is there, or a decay over 1 step is in a phase
of 1 step. Steps are counted from 0, so that the phase ends just before the step with this number,
and the rate is never used.

Set an earlier milestone, make the phase longer, or remove the milestone.

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

SCOPE = "numbers"


def warnings(subject: Subject) -> Iterator[Problem]:
    """The last change of each schedule that is at the end of its phase."""
    for node in subject.nodes:
        schedule = node.schedule
        if node.children or not node.ends:
            continue
        for path, step in schedule.jumps():
            if step == node.last:
                message = (
                    f"no step trains with the {subject.number} from step {step:,} on: "
                    f"{schedule.kind} is over there"
                )
                where = node.path + path
                yield Problem("unused-final-rate", message, where, severity="warning")
                break
        if node.above and (node.first, node.last) == (0, 1) and schedule.ends_at() == 1:
            message = (
                f"{schedule.kind} trains only with its first rate: it ends at step 1, "
                "and applies for 1 step"
            )
            where = node.path + schedule.length_path()
            yield Problem("unused-final-rate", message, where, severity="warning")
