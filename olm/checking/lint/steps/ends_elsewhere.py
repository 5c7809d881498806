"""A schedule that is not as long as the run.

The run length is known, from the spec's `clock` or from an option such as `--total-steps`, and the
schedule ends at another step. If the schedule is longer, the run stops during the decay and never
trains with the lowest rates. If it is shorter, the run goes on with the last rate of the schedule.
Probably one of the two numbers was changed and the other one was not. A schedule without an end,
such as `HoldLR` or `WarmupLR` alone, is fine. So is a target in `also` that is no learning rate and
keeps its last number for the rest of the run.

Write the length as a share of the run, `100%`, or as `rest`, or correct one of the numbers. If the
run is stopped early on purpose, silence the warning with a comment.

Bad:

```yaml
kind: WarmupCosineScheduler
warmup_steps: 3%
total_steps: 9ep
min_lr: 1.0e-5
clock: {total_steps: 10000, steps_per_epoch: 1000}
```

Good:

```yaml
kind: WarmupCosineScheduler
warmup_steps: 3%
total_steps: 100%
min_lr: 1.0e-5
clock: {total_steps: 10000, steps_per_epoch: 1000}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.fields.durations import Duration
from olm.problem import Problem

SCOPE = "numbers"


def warnings(subject: Subject) -> Iterator[Problem]:
    """The warning that the schedule and the run have different lengths."""
    total, schedule = subject.total_steps, subject.schedule
    if total is None:
        return
    end, path = schedule.ends_at(), schedule.length_path()
    rise = None if subject.is_rate else schedule.warm_up()
    if end is None and rise is not None:
        # No schedule follows the rise of a target, as one follows a warm-up.
        path, end = rise[0], int(rise[1])
    is_rounded = subject.clock is not None and isinstance(subject.clock.total, Duration)
    if is_rounded and schedule.has_axis and end == total + 1:
        # The run was rounded down: the curve along samples or tokens ends within the next step.
        return
    # A hyperparameter often keeps its last number for the rest of the run.
    if end is not None and (end > total or (end < total and subject.is_rate)):
        message = f"the schedule ends at step {end:,}, but the run at step {total:,}"
        also = (("clock", "total_steps"),)
        yield Problem("ends-elsewhere", message, path, also=also, severity="warning")
