"""A weight decay that is set for the param groups without one.

A target sets the `weight_decay` of all param groups to numbers of its own: it has a `base`, or its
schedule has an absolute number such as `end_lr`. Most models have groups without weight decay, of
biases and norms, whose own `weight_decay` is 0. This target decays them too. Factors without `base`
multiply each group's own number, so that 0 stays 0. The rule reports nothing if `optimizer` or
`param_groups` say that every group decays.

Write factors and remove `base`, or name the groups that decay with `groups`.

Bad:

```yaml
kind: LinearLR
total_steps: 1000
also:
  - set: weight_decay
    schedule: {kind: RampLR, total_steps: 1000, start_lr: 0.04, end_lr: 0.4}
param_groups: [decay, no_decay]
```

Good:

```yaml
kind: LinearLR
total_steps: 1000
also:
  - set: weight_decay
    schedule: {kind: RampLR, total_steps: 1000, end_factor: 10.0}
param_groups: [decay, no_decay]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.fields.types import rate_fields
from olm.problem import Path, Problem
from olm.schedule.schedule import Schedule
from olm.spec.own_numbers import covered

SCOPE = "document"
DECAY = "weight_decay"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each weight decay that no group name and no own number of 0 limits."""
    for index, target in enumerate(subject.spec.also):
        if target.set != DECAY or target.groups:
            continue
        absolute = _absolute(target.curve)
        path: Path | None = None if absolute is None else (target.field, *absolute)
        path = ("base",) if target.base else path
        numbers = dict(zip(*covered(subject.spec, DECAY, target), strict=True))
        zero = [name for name, number in numbers.items() if number == 0]
        if path is None or (numbers and not zero and None not in numbers.values()):
            continue
        whose = f"param group `{zero[0]}`, whose own is 0" if zero else "every group, biases too"
        message = f"{path[-1]} sets the weight_decay of {whose}"
        hint = "write factors without `base`, which keep 0 at 0, or name the `groups` that decay"
        where = ("also", index, *path)
        yield Problem("decays-what-does-not", message, where, hint=hint, severity="warning")


def _absolute(schedule: Schedule) -> Path | None:
    """The path of the first number above 0 that no own number is multiplied by."""
    for name in rate_fields(type(schedule)):
        value = getattr(schedule, name)
        if any(value) if isinstance(value, tuple) else value:
            return (name,)
    for place, child in schedule.placed_children():
        if (path := _absolute(child)) is not None:
            return place + path
    return None
