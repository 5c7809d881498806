"""What param groups must have so that the targets of a document can be set in them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from olm.problem import Problem, RateError, clipped, found, listed, nearest
from olm.spec.rates import is_number
from olm.spec.targets import Assignment, Target
from olm.train.schedulers.group_numbers import number_of, numbers_of
from olm.train.schedulers.groups import Group, why_unusable


def lacking(
    also: Sequence[Target], assignment: Assignment, groups: Sequence[Group]
) -> list[Problem]:
    """The hyperparameters that a target sets and its param groups do not have."""
    problems: dict[tuple[int, str], Problem] = {}
    for key, owners in assignment.by_set.items():
        for name, group, owner in zip(assignment.names, groups, owners, strict=True):
            if owner is None:
                continue
            number = number_of(group, key)
            if number is None:
                has = f"param group `{clipped(name)}` has no `{key}`"
                text = f"{has}; its numbers are {listed(numbers_of(group))}"
                hint = _instead(key, assignment.names, groups)
                problem = Problem("no-hyperparameter", text, ("also", owner, "set"), hint=hint)
            elif not is_number(number):
                what = "has several numbers" if isinstance(number, tuple | list) else ""
                what = what or f"is {found(number)} in param group `{clipped(name)}`"
                text = f"{key} {what}, and a schedule gives one number"
                problem = Problem("not-a-number", text, ("also", owner, "set"))
            elif isinstance(number, Tensor) and (why := why_unusable(number)):
                raise RateError(f"param group {name}: {key} is a tensor {why}: use a float")
            else:
                continue
            problems.setdefault((owner, problem.code), problem)
    return list(problems.values())


def _instead(key: str, names: Sequence[str], groups: Sequence[Group]) -> str:
    """What to write for a hyperparameter that a param group lacks."""
    having = [
        name for name, group in zip(names, groups, strict=True) if number_of(group, key) is not None
    ]
    if having:
        globs = dict.fromkeys(f"{name.split('/')[0]}/*" if "/" in name else name for name in having)
        return f"write `groups: {next(iter(globs))}`" if len(globs) == 1 else "name its groups"
    if key == "momentum" and all("betas" in group for group in groups):
        return "write `betas[0]`, which is Adam's"
    meant = nearest(key, {number for group in groups for number in numbers_of(group)})
    return f"did you mean `{meant}`?" if meant else ""


def check_not_shared(assignment: Assignment, groups: Sequence[Group]) -> None:
    """Refuse a tensor that two param groups share: it cannot have the numbers of both."""
    for key, owners in assignment.by_set.items():
        first: dict[int, int] = {}
        for index, (group, owner) in enumerate(zip(groups, owners, strict=True)):
            number = None if owner is None else number_of(group, key)
            if isinstance(number, Tensor):
                earlier = first.setdefault(id(number), index)
                if earlier != index:
                    raise RateError(
                        f"param_groups[{earlier}] and param_groups[{index}] share one tensor as "
                        f'their {key}: give each its own, such as group["{key}"].clone()'
                    )
