"""A first step that trains with a rate of 0.

Step 0 is the first optimizer step. If a warm-up starts at 0, this step does not change the weights,
and its batch is lost; many frameworks and published recipes do so. The step can still have an
effect, through weight decay that the rate does not scale, or through the optimizer's statistics.

Start one increment above 0: with `WarmupLR`, `WarmupCosineScheduler`, `offset: 1` of `RampLR`, or a
`start_factor` above 0. To reproduce such a recipe exactly, keep the schedule and silence the
warning.

Bad:

```yaml
kind: WarmupDecayLR
warmup_steps: 100
total_steps: 1000
```

Good:

```yaml
kind: WarmupDecayLR
warmup_steps: 100
total_steps: 1000
start_factor: 0.01
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.checking.lint._walk import innermost
from olm.problem import Problem
from olm.schedule.schedule import Schedule

SCOPE = "rates"

HINTS = {
    "offset": "with `offset: 1` it starts one increment above 0",
    "start_factor": "give a `start_factor` above 0",
}
"""A field that lets a warm-up start above 0 → the hint."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """The warning that step 0 has a rate of 0, at the innermost schedule that causes it."""

    def is_zero(schedule: Schedule, step: int) -> bool:
        return bool((subject.rates(schedule, (step,)) == 0).all())

    if not is_zero(subject.schedule, 0):
        return
    node = innermost(subject.schedule, 0, is_zero)
    if not node.schedule.is_constant:
        message = "the first step trains with a rate of 0"
        hint = _hint(node.schedule)
        yield Problem("zero-first-step", message, node.path, hint=hint, severity="warning")


def _hint(schedule: Schedule) -> str:
    return next((hint for field, hint in HINTS.items() if field in type(schedule).model_fields), "")
