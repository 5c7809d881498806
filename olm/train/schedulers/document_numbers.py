"""What a document says of the optimizer, compared with the optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

from torch.optim import Optimizer

from olm.fields.errors import quoted
from olm.problem import Problem, SpecError, listed
from olm.spec.param_groups import suggestion
from olm.spec.rates import as_float, is_number
from olm.spec.spec import Spec
from olm.train.schedulers.group_names import names_of
from olm.train.schedulers.group_numbers import number_of
from olm.train.schedulers.groups import Group

TOLERANCE = 1e-6
"""How far a number of the optimizer may be from that of the document, as a share of it."""


def check_optimizer(spec: Spec, optimizer: Optimizer) -> None:
    """Check that the optimizer has the param groups and the numbers that a document lists.

    A number under `optimizer` must be that of some param group, since others may have their own;
    one under `param_groups` must be that of the param group of this name.

    Raises:
        SpecError: the optimizer differs.
    """
    if not (spec.param_groups or spec.optimizer):
        return
    groups, late = optimizer.param_groups, [group.name for group in spec.param_groups]
    names = names_of(optimizer, late)
    problems = [*_unlisted(late, names), *_other_numbers(spec, groups, names)]
    if problems:
        raise SpecError(problems)


def _unlisted(listed_names: Sequence[str], names: Sequence[str]) -> Iterator[Problem]:
    """The optimizer's param groups that the document does not list."""
    for name in names:
        if listed_names and name not in listed_names and not name.startswith("#"):
            text = f"the optimizer has a param group {quoted(name)}, which is not in the list"
            hint = suggestion(name, listed_names)
            yield Problem("no-group", text, ("param_groups",), hint=hint)


def _other_numbers(spec: Spec, groups: Sequence[Group], names: Sequence[str]) -> Iterator[Problem]:
    for key, wanted in spec.optimizer:
        own = [number for group in groups if (number := _initial(group, key)) is not None]
        if not any(isclose(number, wanted, rel_tol=TOLERANCE) for number in own):
            yield _other(("optimizer", key), key, wanted, own)
    for index, described in enumerate(spec.param_groups):
        for key, wanted in described.numbers:
            own = [
                number
                for name, group in zip(names, groups, strict=True)
                if name == described.name and (number := _initial(group, key)) is not None
            ]
            if described.name in names and not any(
                isclose(number, wanted, rel_tol=TOLERANCE) for number in own
            ):
                yield _other(("param_groups", index, key), key, wanted, own)


def _other(path: tuple[str | int, ...], key: str, wanted: float, own: list[float]) -> Problem:
    has = f"has {listed(f'{number:g}' for number in dict.fromkeys(own))}" if own else "has none"
    text = f"{key} is {wanted:g} in the document, and the optimizer {has}"
    hint = 'construct the optimizer with it, or pass base="any" to build'
    return Problem("expectation", text, path, hint=hint)


def _initial(group: Group, key: str) -> float | None:
    """A param group's own number."""
    number = group.get(f"initial_{key}", number_of(group, key))
    return as_float(number) if is_number(number) else None
