"""A warm-up that takes more than half of the run.

The rate rises for more than half of the length of the schedule. Most runs warm up for 1 to 10 % of
their steps. Probably the warm-up was not changed when the run was made shorter, or it is in samples
or tokens instead of optimizer steps.

Make the warm-up shorter, or correct the length of the schedule.

Bad:

```yaml
kind: WarmupCosineScheduler
warmup_steps: 2000
total_steps: 3000
```

Good:

```yaml
kind: WarmupCosineScheduler
warmup_steps: 200
total_steps: 3000
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.checking.lint._walk import Node
from olm.problem import Path, Problem

SCOPE = "rates"


def warnings(subject: Subject) -> Iterator[Problem]:
    """The warm-up of the root, and that of each kind that has a warm-up and an end of its own."""
    reported: set[Path] = set()
    for node in subject.nodes:
        if node.path and node.children:
            # A composition inside another one is not the whole run.
            continue
        # Most schedules have no warm-up, and some ends take long to compute.
        if (warm_up := node.schedule.warm_up()) is None:
            continue
        problem = _long(node, *warm_up)
        if problem and problem.path not in reported:
            reported.add(problem.path)
            yield problem


def _long(node: Node, path: Path, steps: float) -> Problem | None:
    end = node.schedule.ends_at()
    if end is None or 2 * steps <= end:
        return None
    # A share of the steps need not be a whole number of them.
    shown = int(steps) if steps == int(steps) else round(steps, 1)
    message = f"the warm-up takes {shown:,} of {end:,} {node.unit}s, more than half of the run"
    return Problem("warmup-too-long", message, node.path + path, severity="warning")
