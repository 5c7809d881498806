"""The numbers that a document has of the param groups themselves, which factors multiply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from olm.spec.hyperparameters import LR
from olm.spec.targets import Target, assign

if TYPE_CHECKING:
    from olm.spec.spec import Spec


def own_numbers(
    spec: Spec, number: str, target: Target | None, group: str | None = None
) -> tuple[float, ...]:
    """The different numbers that the factors of a target multiply; none if one is unknown.

    They are those of the target itself, else of the state, else of `param_groups` and `optimizer`.

    >>> from olm.spec.spec import parse
    >>> spec = parse({"kind": "HoldLR", "optimizer": {"lr": 0.1},
    ...               "param_groups": ["body", {"name": "head", "lr": 0.5}]})
    >>> own_numbers(spec, "lr", None), own_numbers(spec, "lr", None, "head")
    ((0.1, 0.5), (0.5,))

    Args:
        spec: the document.
        number: the hyperparameter or value.
        target: the target that schedules the number; None for the root.
        group: the name of the param group; by default all that the target sets.
    """
    if target is not None and (target.base is not None or target.value is not None):
        return (1.0 if target.base is None else target.base,)
    numbers = dict(zip(*covered(spec, number, target), strict=True))
    if group is not None:
        found = [numbers[group]] if group in numbers else [dict(spec.optimizer).get(number)]
    else:
        found = list(dict.fromkeys(numbers.values()))
    known = [own for own in found if own is not None]
    return tuple(known) if len(known) == len(found) else ()


def covered(spec: Spec, number: str, target: Target | None) -> tuple[list[str], list[float | None]]:
    """The groups that a target sets, each with its own number where that is known."""
    names = spec.group_names
    optimizer = dict(spec.optimizer)
    if not names:
        bases: list[float | None] = [*(spec.base_lrs or ())] if number == LR else []
        own = bases or [optimizer.get(number)]
        return [f"#{index}" for index in range(len(own))], own
    owners = assign(spec.also, names).by_set.get(number, [None] * len(names))
    index = None if target is None else spec.also.index(target)
    places = [place for place, owner in enumerate(owners) if owner == index]
    if target is not None and target.bases is not None:
        of_state: list[float | None] = [*target.bases]
    elif number == LR and spec.base_lrs is not None:
        # A state by hand may have fewer rates than names.
        rates = dict(enumerate(spec.base_lrs))
        of_state = [rates.get(place) for place in places]
    else:
        groups = [spec.param_groups[place] for place in places]
        of_state = [dict(group.numbers).get(number, optimizer.get(number)) for group in groups]
    return [names[place] for place in places], of_state
