"""A first step that trains with a rate of 0.

Step 0 is the first optimizer step. Where a warm-up starts at 0 that step changes nothing, and its
batch is lost; many frameworks do so, and many published recipes. With weight decay that is not
multiplied by the rate, or with statistics that the optimizer keeps, it is not even nothing.

Start one rise up: with `WarmupLR`, `WarmupCosineScheduler`, an `offset: 1` of `RampLR`, or a
`start_factor` above 0. To train exactly as such a recipe did, leave it so and silence this.

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

HINTS = {
    "offset": "with `offset: 1` it trains one rise up",
    "start_factor": "give it a `start_factor` above 0",
}
"""A field that lets a warm-up start above 0 → what to write."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """That the first step trains with 0, at the innermost schedule that says so alone."""

    def is_zero(schedule: Schedule, step: int) -> bool:
        return bool((subject.rates(schedule, (step,)) == 0).all())

    if not is_zero(subject.spec.schedule, 0):
        return
    node = innermost(subject.spec.schedule, 0, is_zero)
    if not node.schedule.is_constant:
        message = "the first step trains with a rate of 0"
        hint = _hint(node.schedule)
        yield Problem("zero-first-step", message, node.path, hint=hint, severity="warning")


def _hint(schedule: Schedule) -> str:
    return next((hint for field, hint in HINTS.items() if field in type(schedule).model_fields), "")
