"""A schedule that sets no param group.

`param_groups` lists the groups of the optimizer, and each of them has a target of its own by name.
The target without `groups`, or the schedule of the root, is then left with no group. Probably one
of the globs selects too much, or a group is missing in `param_groups`.

Remove the target, narrow a glob, or list the group. A root needs a `kind`: let the largest group be
scheduled by the root, and name only the others. The rule reports nothing if another target has
`scaled_by`, which multiplies these numbers.

Bad:

```yaml
kind: LinearLR
total_steps: 1000
also:
  - set: lr
    groups: "*"
    schedule: {kind: HoldLR}
param_groups: [body, head]
```

Good:

```yaml
kind: LinearLR
total_steps: 1000
also:
  - set: lr
    groups: head
    schedule: {kind: HoldLR}
param_groups: [body, head]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.problem import Path, Problem
from olm.spec.hyperparameters import LR
from olm.spec.targets import assign

SCOPE = "document"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each schedule for the rest of the groups that is left with none."""
    also, names = subject.spec.also, subject.spec.group_names
    for number, owners in assign(also, names).by_set.items() if names and also else ():
        of_number = [target for target in also if target.set == number]
        if any(target.scaled_by is not None for target in of_number):
            continue
        rests = (at for at, each in enumerate(also) if each.set == number and not each.groups)
        rest = next(rests, None)
        path: Path = ("also", rest, "set") if rest is not None else ("kind",)
        if rest in owners or (rest is None and number != LR):
            continue
        message = f"this schedule sets the {number} of no param group: each has a target by name"
        yield Problem("sets-nothing", message, path, severity="warning")
