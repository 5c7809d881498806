"""A glob that selects both a param group and its opposite.

`*decay` selects the groups `decay` and `no_decay`. Of such a pair, one group usually decays and the
other does not, and few targets are for both. A glob that selects a whole layer or part, such as
`layer_*` for `layer_01/decay` and `layer_01/no_decay`, is fine, and so is `*`.

Write the name of one group, list both names, or rename the groups so that neither contains the
other.

Bad:

```yaml
kind: HoldLR
also:
  - set: weight_decay
    groups: "*decay"
    schedule: {kind: RampLR, total_steps: 1000, end_factor: 10.0}
param_groups: [decay, no_decay]
```

Good:

```yaml
kind: HoldLR
also:
  - set: weight_decay
    groups: decay
    schedule: {kind: RampLR, total_steps: 1000, end_factor: 10.0}
param_groups: [decay, no_decay]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject
from olm.problem import Problem
from olm.spec.param_groups import matches

SCOPE = "document"


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each glob that selects a group and its opposite, by the first such pair."""
    names = subject.spec.group_names
    pairs = [(name, other) for name in names for other in names if _opposite(name, other)]
    for index, target in enumerate(subject.spec.also if pairs else ()):
        for place, pattern in enumerate(target.groups):
            pair = next((pair for pair in pairs if _selects_by_difference(pattern, *pair)), None)
            if pair is not None:
                message = f"`{pattern}` selects both `{pair[0]}` and `{pair[1]}`"
                path = ("also", index, "groups", *((place,) if len(target.groups) > 1 else ()))
                yield Problem("ambiguous-glob", message, path, severity="warning")


def _opposite(name: str, other: str) -> bool:
    """Whether the other name is that of a group with `no_` in front of a part of it."""
    return len(_differences(name, other)) == 1


def _differences(name: str, other: str) -> list[int]:
    """The positions of the parts with `no_`; none if the names differ in another way."""
    parts, others = name.split("/"), other.split("/")
    if len(parts) != len(others):
        return []
    differ = [at for at, pair in enumerate(zip(parts, others, strict=True)) if pair[0] != pair[1]]
    is_opposite = all(others[at] in (f"no_{parts[at]}", f"no-{parts[at]}") for at in differ)
    return differ if is_opposite else []


def _selects_by_difference(pattern: str, name: str, other: str) -> bool:
    """Whether a glob selects two groups by the part in which their names differ."""
    if not (matches(pattern, name) and matches(pattern, other)):
        return False
    [at] = _differences(name, other)
    if "/" in pattern:
        return bool(pattern.split("/")[at].strip("*"))
    shared = [part for place, part in enumerate(name.split("/")) if place != at]
    return bool(pattern.strip("*")) and not any(matches(pattern, part) for part in shared)
