"""A field without effect, because of the choice in another field.

The `power` of a `RampLR` counts only with an `ease` of `polynomial` or `power`, the `decay_ratio`
of a `WarmupStableDecayLR` only with the `decay` `exponential`, and the `gamma` of a `CyclicLR` only
with the `mode` `exp_range`. With another choice the field does nothing: probably the choice was
forgotten, or the field was meant in another framework's sense, such as torchtitan's `decay_ratio`,
which is a share of the run.

Set the choice that uses the field, or remove the field.

Bad:

```yaml
kind: RampLR
total_steps: 1000
power: 3.0
```

Good:

```yaml
kind: RampLR
total_steps: 1000
ease: polynomial
power: 3.0
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.checking.lint._walk import Node
from olm.problem import Problem

SCOPE = "numbers"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each field that is written and has no effect."""
    for node in subject.nodes:
        yield from _unused(node)


def _unused(node: Node) -> Iterator[Problem]:
    schedule = node.schedule
    for name, (choice, uses) in type(schedule).counts_with.items():
        chosen = getattr(schedule, choice)
        default = type(schedule).model_fields[name].default
        if chosen not in uses and getattr(schedule, name) != default:
            wanted = " or ".join(uses)
            message = f"{name} has no effect: it counts only with `{choice}: {wanted}`"
            yield Problem(
                "unused-field",
                f"{message}, found {chosen}",
                (*node.path, name),
                severity="warning",
            )
