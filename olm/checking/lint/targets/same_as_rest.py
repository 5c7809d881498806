"""A target that equals the schedule of the other param groups.

The target names param groups and gives them the numbers that they would have without it: its
schedule is that of the root, or of the target for all other groups, or it scales theirs by 1.
Probably one of two copies was changed and then changed back, or the schedule is not written yet.

Remove the target, or write the difference.

Bad:

```yaml
kind: LinearLR
total_steps: 1000
also:
  - set: lr
    groups: head
    schedule: {kind: LinearLR, total_steps: 1000}
```

Good:

```yaml
kind: LinearLR
total_steps: 1000
also:
  - set: lr
    groups: head
    scaled_by: {kind: HoldLR, factor: 0.1}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.kinds.hold import Hold
from olm.problem import Problem
from olm.schedule.schedule import Schedule
from olm.spec.hyperparameters import LR
from olm.spec.targets import Target

SCOPE = "document"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each target for some groups that equals the one for the rest."""
    also = subject.spec.also
    for index, target in enumerate(also):
        if not target.groups:
            continue
        rest = next((each for each in also if each.set == target.set and not each.groups), None)
        if target.scaled_by is not None:
            is_same = target.scaled_by == Hold()
        elif target.set == LR:
            is_same = target.base is None and target.schedule == subject.spec.schedule
        else:
            is_same = rest is not None and _shape(target) == _shape(rest)
        if is_same:
            message = f"the {target.label} is scheduled as without this target"
            path = ("also", index, target.field)
            yield Problem("same-as-rest", message, path, severity="warning")


def _shape(target: Target) -> tuple[Schedule | None, float | None, str | None]:
    return target.schedule, target.base, target.metric
