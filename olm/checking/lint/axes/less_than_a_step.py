"""A number of samples or tokens that is less than a step.

Below an `axis` of samples or tokens, a number without a unit counts these. This one is smaller than
what a single step takes, so the whole stage is over within a step. Probably it was meant as a
number of optimizer steps.

Write `2000st` for optimizer steps, or give the number of samples or tokens. A number with its unit,
such as `2000tok`, is not reported.

Bad:

```yaml
kind: TimeLR
axis: tokens
scheduler:
  kind: WarmupCosineScheduler
  warmup_steps: 2000
  total_steps: 300e9tok
clock:
  tokens_per_step: 4194304
```

Good:

```yaml
kind: TimeLR
axis: tokens
scheduler:
  kind: WarmupCosineScheduler
  warmup_steps: 2000st
  total_steps: 300e9tok
clock:
  tokens_per_step: 4194304
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.problem import Path, Problem, dotted, quantity
from olm.schedule.schedule import Schedule
from olm.schedule.step_fields import steps_of
from olm.schedule.units_per_step import UnitsPerStep

SCOPE = "numbers"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each bare number below an axis that is less than the smallest step."""
    with_unit = {path for path, _ in subject.spec.durations}
    for path, schedule, plan in _with_axes(subject.schedule, ()):
        least, unit = min(plan.sizes), schedule.axis_of_parts.removesuffix("s")
        for place, number in _numbers(schedule, path):
            if 0 < abs(number) < least and dotted(subject.place + place) not in with_unit:
                size = f"{least:,}" if isinstance(least, int) else f"{float(least):,g}"
                takes = "takes" if plan.is_constant else "takes at least"
                are = "is" if number == 1 else "are"
                message = f"{quantity(number, unit)} {are} less than a step, which {takes} {size}"
                hint = f"for optimizer steps, write `{number}st`"
                yield Problem("less-than-a-step", message, place, severity="warning", hint=hint)


def _with_axes(schedule: Schedule, path: Path) -> Iterator[tuple[Path, Schedule, UnitsPerStep]]:
    """The schedules that have an axis, each with its path and its steps along it."""
    if (plan := schedule.axis_plan) is not None:
        yield path, schedule, plan
        return
    for place, child in schedule.placed_children():
        yield from _with_axes(child, path + place)


def _numbers(schedule: Schedule, path: Path) -> Iterator[tuple[Path, int]]:
    """The numbers in a schedule, and in those inside it, that are no defaults."""
    fields = type(schedule).model_fields
    for place, number in steps_of(schedule):
        if isinstance(number, int) and number != fields[str(place[0])].default:
            yield path + place, number
    for place, child in schedule.placed_children():
        yield from _numbers(child, path + place)
