"""A warm-up that another schedule cuts off in mid-rise.

A part of a `SequentialLR` or `PhasesLR` takes over before the warm-up before it is done, and starts
at another rate: the rate jumps, where the warm-up was meant to prevent exactly that. Probably one
of two numbers that belong together was changed, the length of the warm-up and the milestone. If
less than 1 % of the rise is left, or the next part goes on at the rate that the warm-up had
reached, nothing is reported. In a `ContinueLR` the next part always does.

Make the warm-up as long as its part, or let the next part take over where the warm-up ends.

Bad:

```yaml
kind: SequentialLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: RampLR
    total_steps: 950
milestones: [50]
```

Good:

```yaml
kind: SequentialLR
schedulers:
  - kind: WarmupLR
    warmup_steps: 100
  - kind: RampLR
    total_steps: 900
milestones: [100]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.checking.lint._walk import Child, Node, over_at
from olm.problem import Path, Problem

SCOPE = "numbers"

NEGLIGIBLE = 0.01
"""The share of a rise that may be left, or by which the next part may be off."""


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each part with a warm-up that is not done where the next part takes over."""
    for node in subject.nodes:
        if node.schedule.continues:
            continue
        end = over_at(node)
        starts = {child.start: child for child in reversed(node.children) if child.start < end}
        for child in node.children:
            following = starts.get(child.end)
            if child.start < child.end and following and child.end > node.first:
                yield from _cut_off(subject, node, child, following)


def _cut_off(subject: Subject, node: Node, child: Child, following: Child) -> Iterator[Problem]:
    warm_up, last = child.schedule.warm_up(), child.end - child.start
    if warm_up is None or warm_up[1] <= last:
        return
    path, length = warm_up
    first, reached, top = subject.rates(child.schedule, (0, last, round(length)))
    [goes_on] = subject.rates(node.schedule, (child.end,))
    rise = NEGLIGIBLE * (top - first)
    if not ((top - reached > rise) & (abs(goes_on - reached) > rise)).all():
        return
    takes_over = following.schedule.kind
    whole = child.start + round(length)
    message = (
        f"the warm-up of {child.schedule.kind} is cut off at "
        f"{node.steps(child.end, child.end)}, where {takes_over} takes over: "
        f"it would end at {node.steps(whole, whole)}"
    )
    hint = f"let {takes_over} take over at {node.steps(whole, whole)}"
    if shorter := _shorter(child, path, round(length) - last):
        hint = f"{shorter}, or {hint}"
    where = node.path + child.path + path
    yield Problem("warmup-cut-off", message, where, hint=hint, severity="warning")


def _shorter(child: Child, path: Path, steps: int) -> str:
    """What makes a warm-up some steps shorter; empty if its field is not a number of steps."""
    value = child.schedule.at(path)
    return f"write `{path[-1]}: {value - steps}`" if isinstance(value, int) else ""
