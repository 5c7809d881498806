"""A floor above the base rate.

The lowest rate of the schedule is above the base rate: the decay is a rise, or the floor hides the
rest of the schedule. Probably one of the two numbers has a wrong exponent, or the floor is meant as
a share of the base rate. The rule needs a base rate, from `--base-lr`, from `expect`, or from a
state. With the base rates of a state, the rule checks each param group: with layer decay, the rate
of a low layer rises to an absolute floor.

Lower the floor, or give the floor of `HoldLR` as a `factor`.

Bad:

```yaml
kind: CosineAnnealingLR
T_max: 1000
eta_min: 0.1
expect:
  base_lr: 0.01
  rates: [{step: 0, lr: 0.01}]
```

Good:

```yaml
kind: CosineAnnealingLR
T_max: 1000
eta_min: 0.001
expect:
  base_lr: 0.01
  rates: [{step: 0, lr: 0.01}]
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from olm.checking.lint._subject import Subject
from olm.checking.lint._walk import Node
from olm.problem import Problem, distinct, listed

SCOPE = "rates"

SHOWN = 4
"""How many base rates a message lists."""


# It evaluates no rates, but it is about them, and so it is applied together with these rules.
def warnings(subject: Subject) -> Iterator[Problem]:
    """Each floor above a base rate."""
    bases = subject.known_bases
    for node in subject.nodes if bases else ():
        name = _floor(node)
        if name and (floor := getattr(node.schedule, name)) > min(bases):
            message = _message(name, floor, bases)
            path = (*node.path, name)
            yield Problem("floor-above-base", message, path, severity="warning")


def _message(name: str, floor: float, bases: Sequence[float]) -> str:
    below = sorted({base for base in bases if base < floor}, reverse=True)
    # Their highest is the nearest to the floor.
    [value], [nearest] = distinct([floor], below[:1])
    texts = [nearest, *(f"{base:g}" for base in below[1:SHOWN])]
    more = f" and {len(below) - SHOWN:,} more" if len(below) > SHOWN else ""
    noun = "base rate" if len(below) == 1 else "base rates"
    return f"{name} is {value}, above the {noun} {listed(texts)}{more}"


def _floor(node: Node) -> str | None:
    """The field that specifies the floor of a schedule, if it has one."""
    # A constant rate is a floor only where the highest rate of several is taken.
    if node.schedule.is_constant and not (node.above and node.above[-1].takes_highest):
        return None
    return node.schedule.floor()
