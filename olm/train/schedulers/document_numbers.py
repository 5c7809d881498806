"""The names and numbers that a document lists for the optimizer, compared with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

from torch.optim import Optimizer

from olm.fields.errors import quoted
from olm.problem import Path, Problem, SpecError, listed
from olm.spec.begin import Numbers
from olm.spec.param_groups import suggestion
from olm.spec.rates import as_float, is_number
from olm.spec.spec import Spec
from olm.train.schedulers.group_names import names_of
from olm.train.schedulers.group_numbers import number_of
from olm.train.schedulers.groups import Group

TOLERANCE = 1e-6
"""How far a number of the optimizer may be from that of the document, as a share of it."""


def check_optimizer(spec: Spec, optimizer: Optimizer, own: Sequence[Numbers] = ()) -> None:
    """Check that the optimizer has the param groups and the numbers that a document lists.

    A number under `optimizer` must be that of some param group, since others may have their own;
    one under `param_groups` must be that of the param group of this name.

    Args:
        spec: the document.
        optimizer: the optimizer.
        own: what is known of each param group's own numbers; the others are the group's.

    Raises:
        SpecError: the optimizer differs.
    """
    if not (spec.param_groups or spec.optimizer):
        return
    names = names_of(optimizer, spec.group_names)
    groups = optimizer.param_groups
    own = own or [{} for _ in groups]
    problems = [*_unlisted(spec.group_names, names), *_other_numbers(spec, groups, names, own)]
    if problems:
        raise SpecError(problems)


def _unlisted(listed_names: Sequence[str], names: Sequence[str]) -> Iterator[Problem]:
    """The optimizer's param groups that the document does not list."""
    for name in names:
        if listed_names and name not in listed_names and not name.startswith("#"):
            text = f"the optimizer has a param group {quoted(name)}, which is not in the list"
            hint = suggestion(name, listed_names)
            yield Problem("no-group", text, ("param_groups",), hint=hint)


def _other_numbers(
    spec: Spec, groups: Sequence[Group], names: Sequence[str], known: Sequence[Numbers]
) -> Iterator[Problem]:
    """The numbers that the document lists and the optimizer does not have."""
    places = {name: place for place, name in enumerate(names)}
    wanted: list[tuple[Path, str, float, Sequence[int]]] = [
        (("optimizer",), key, number, range(len(groups))) for key, number in spec.optimizer
    ]
    for index, described in enumerate(spec.param_groups):
        # A group that is not there may be added later.
        if (place := places.get(described.name)) is not None:
            where = ("param_groups", index)
            wanted += ((where, key, number, [place]) for key, number in described.numbers)
    for path, key, number, members in wanted:
        initial = (known[place].get(key, _initial(groups[place], key)) for place in members)
        own = [each for each in initial if each is not None]
        if not any(isclose(each, number, rel_tol=TOLERANCE) for each in own):
            yield _other((*path, key), key, number, own)


def _other(path: Path, key: str, wanted: float, own: list[float]) -> Problem:
    has = f"has {listed(f'{number:g}' for number in dict.fromkeys(own))}" if own else "has none"
    text = f"{key} is {wanted:g} in the document, and the optimizer {has}"
    hint = 'construct the optimizer with it, or pass base="any" to build'
    return Problem("expectation", text, path, hint=hint)


def _initial(group: Group, key: str) -> float | None:
    """A param group's own number."""
    number = group.get(f"initial_{key}", number_of(group, key))
    return as_float(number) if is_number(number) else None
