"""A rate of 0 for the whole run beside a scheduled weight decay.

A rate of 0 freezes the group: its weights do not change, and in most optimizers the weight decay is
multiplied by the rate. The schedule of its weight decay then has no effect, and with an optimizer
that decays without the rate, the frozen weights shrink.

Freeze the parameters with `requires_grad`, leave the group out of the weight decay, or let the rate
rise at some step.

Bad:

```yaml
kind: LinearLR
total_steps: 1000
also:
  - set: lr
    groups: backbone
    schedule: {kind: HoldLR, factor: 0.0}
  - set: weight_decay
    schedule: {kind: RampLR, total_steps: 1000, end_factor: 10.0}
```

Good:

```yaml
kind: LinearLR
total_steps: 1000
also:
  - set: lr
    groups: backbone
    schedule: {kind: HoldLR, factor: 0.0}
  - set: weight_decay
    groups: head
    schedule: {kind: RampLR, total_steps: 1000, end_factor: 10.0}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject, steps_between
from olm.problem import Problem
from olm.schedule.schedule import Schedule
from olm.spec.hyperparameters import LR
from olm.spec.targets import Target, assign

SCOPE = "document"
DECAY = "weight_decay"
UNKNOWN = 1000
"""The run length, in steps, if neither a clock nor the schedule has it."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each group, or glob, with a rate of 0 and a schedule of its weight decay."""
    also = subject.spec.also
    for index, target in enumerate(also):
        if target.set != LR or not _is_zero(subject, target.curve):
            continue
        decay = _decay_of(subject, target, index)
        if decay is not None and not also[decay].curve.is_constant:
            message = (
                f"the {target.label} is 0 for the whole run, "
                f"but also[{decay}] schedules its weight_decay"
            )
            path = ("also", index, target.field)
            others = (("also", decay, "set"),)
            yield Problem("frozen-step", message, path, also=others, severity="warning")


def _is_zero(subject: Subject, schedule: Schedule) -> bool:
    length = subject.total_steps or schedule.holds_from() or UNKNOWN
    return bool((subject.rates(schedule, steps_between(schedule, 0, length)) == 0).all())


def _decay_of(subject: Subject, target: Target, index: int) -> int | None:
    """The target that schedules the weight decay of a group of another target."""
    also, names = subject.spec.also, subject.spec.group_names
    if names:
        by_set = assign(also, names).by_set
        owners = by_set.get(DECAY, [])
        of_both = (
            decay
            for rate, decay in zip(by_set[LR], owners, strict=False)
            if rate == index and decay is not None
        )
        return next(of_both, None)
    decays = [place for place, each in enumerate(also) if each.set == DECAY]
    same = [place for place in decays if also[place].groups == target.groups]
    rest = [place for place in decays if not also[place].groups]
    # Globs of other names may select the same groups.
    return next(iter(same or (rest if len(decays) == 1 else [])), None)
