"""The part of a scheduler that writes the numbers of a document's targets to the param groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from olm.problem import OlmError, SpecError, found, listed
from olm.schedule.schedule import Schedule
from olm.spec.group_scales import scales
from olm.spec.hyperparameters import LR, split
from olm.spec.param_groups import ParamGroup
from olm.spec.rates import as_float
from olm.spec.spec import Spec
from olm.spec.target_curves import Curve, curve_of
from olm.spec.targets import Target, assign
from olm.train.schedulers.group_names import names_of
from olm.train.schedulers.group_numbers import (
    check_fits_tensors,
    number_of,
    write_items,
    write_number,
)
from olm.train.schedulers.groups import EVERY_TYPE_HOLDS, Group, check_fits
from olm.train.schedulers.numbers_ahead import Lane, NumbersAhead
from olm.train.schedulers.read_ahead import ReadAhead
from olm.train.schedulers.target_checks import check_not_shared, lacking

Own = dict[str, float]
"""A param group's own numbers, by hyperparameter."""


class TargetSetter:
    """Looks the numbers of targets up and writes them to the param groups of an optimizer.

    It is for the param groups that the optimizer has now; for others, make another one.

    Args:
        schedule: the schedule of the root, in steps.
        also: the targets, in steps.
        groups: the param groups.
        names: their names.
        own: the own numbers of each, as far as they are known; the others are read from the group.
        late: names of param groups that may be added later.

    Raises:
        SpecError: a glob names no param group, or a group lacks a hyperparameter. Nothing was
            changed.
        RateError: a number is a tensor that cannot be filled.
    """

    def __init__(
        self,
        schedule: Schedule,
        also: Sequence[Target],
        groups: Sequence[Group],
        names: Sequence[str],
        own: Sequence[Own] = (),
        late: Iterable[str] = (),
    ) -> None:
        self.also = tuple(target.with_bases(None) for target in also)
        self.names, self.late = list(names), list(late)
        self._assignment = assign(self.also, self.names, self.late)
        problems = self._assignment.problems + lacking(self.also, self._assignment, groups)
        if problems:
            raise SpecError(problems)
        self.own = [
            self._own_numbers(index, group, own[index] if own else {})
            for index, group in enumerate(groups)
        ]
        check_not_shared(self._assignment, groups)
        self._compile(schedule, groups)

    def _own_numbers(self, index: int, group: Group, known: Own) -> Own:
        numbers = dict(known)
        for key, owners in self._assignment.by_set.items():
            if key != LR and owners[index] is not None and key not in numbers:
                initial = group.get(f"initial_{key}")
                numbers[key] = as_float(number_of(group, key) if initial is None else initial)
        return numbers

    def _compile(self, schedule: Schedule, groups: Sequence[Group]) -> None:
        """Gather the numbers that are the same for several groups, so that each is one column."""
        curves = [curve_of(schedule, self.also, target) for target in self.also]
        lr = self._assignment.by_set.get(LR)
        self.lr_curves: tuple[Curve | None, ...] = ()
        if lr is not None:
            self.lr_curves = tuple(None if owner is None else curves[owner] for owner in lr)
        # The positions of groups, not the groups: an optimizer that loads a state replaces them.
        columns: dict[tuple[str, int, float], list[int]] = {}
        names: dict[tuple[str, int, float], str] = {}
        for key, owners in self._assignment.by_set.items():
            rows = zip(self.own, self.names, owners, strict=True)
            for position, (numbers, name, owner) in enumerate(rows):
                if owner is not None and key != LR:
                    column = (key, owner, numbers[key])
                    columns.setdefault(column, []).append(position)
                    names.setdefault(column, name)
        self._plan = [(*split(key), _picker(members)) for (key, _, _), members in columns.items()]
        self._values = [target.value for target in self.also if target.value is not None]
        of_values = [i for i, target in enumerate(self.also) if target.value is not None]
        lanes = [
            *(
                Lane(curves[column[1]], column[2], column[0], f"the {column[0]} of {name}")
                for column, name in names.items()
            ),
            *(
                Lane(curves[index], 1.0, "", f"the value {self.also[index].value}")
                for index in of_values
            ),
        ]
        self.ahead = NumbersAhead(schedule, lanes)
        self.has_tensors = any(
            isinstance(number_of(groups[position], key), Tensor)
            for (key, _, _), members in columns.items()
            for position in members
        )

    @property
    def metrics(self) -> set[str]:
        """The names of the metrics that targets observe."""
        return {target.metric for target in self.also if target.metric is not None}

    def targets_with_bases(self) -> tuple[Target, ...]:
        """The targets as a state has them, with each group's own number."""
        return tuple(
            target.with_bases(
                [self.own[group][target.set] for group in self._assignment.groups_of(index)]
            )
            if target.has_bases and target.set
            else target
            for index, target in enumerate(self.also)
        )

    def at(self, groups: Sequence[Group], step: int) -> list[float]:
        """The numbers of a step, to be written to the param groups by `write`.

        Raises:
            RateError: a number is out of range, or a tensor cannot hold it.
        """
        row = self.ahead.at(step)
        if self.has_tensors and self.ahead.most > EVERY_TYPE_HOLDS:
            self.check_holds(groups, row)
        return row

    def check_holds(self, groups: Sequence[Group], row: list[float]) -> None:
        """Check that every tensor can hold its number.

        Raises:
            RateError: a number is too large for the type of a tensor.
        """
        for number, (key, index, pick) in zip(row, self._plan):  # noqa: B905  # values come last
            check_fits_tensors(pick(groups), key, index, number)

    def write(self, groups: Sequence[Group], row: list[float]) -> None:
        """Write the numbers of a step, which are known to fit."""
        for number, (key, index, pick) in zip(row, self._plan):  # noqa: B905  # values come last
            if index is None:
                for group in pick(groups):
                    if group[key].__class__ is float:
                        group[key] = number
                    else:
                        write_number(group, key, number)
            else:
                write_items(pick(groups), key, index, number)

    def set_initial(self, groups: Sequence[Group], origins: Sequence[int | None]) -> None:
        """Write the own numbers of known param groups where they are missing.

        Args:
            groups: the param groups.
            origins: the positions that they had when this was made; None for groups that are new.
        """
        for group, origin in zip(groups, origins, strict=True):
            for key, number in self.own[origin].items() if origin is not None else ():
                group.setdefault(f"initial_{key}", number)

    def write_initial(self, groups: Sequence[Group]) -> None:
        """Write each param group's own numbers."""
        for group, numbers in zip(groups, self.own, strict=True):
            group.update((f"initial_{key}", number) for key, number in numbers.items())

    def values(self, step: int) -> dict[str, float]:
        """The values at a step, by name."""
        row = self.ahead.at(step)
        return dict(zip(self._values, row[len(self._plan) :], strict=True))

    def settings(self, groups: Sequence[Group]) -> dict[str, float]:
        """The hyperparameters that the groups have now, as far as they are scheduled."""
        return {
            f"{key}/{name}": as_float(number_of(group, key))
            for key, owners in self._assignment.by_set.items()
            for name, group, owner in zip(self.names, groups, owners, strict=True)
            if owner is not None and key != LR
        }

    @property
    def metric_driven(self) -> bool:
        """Whether a number depends on metrics."""
        return any(target.curve.metric_driven for target in self.also)

    def targeted(self) -> list[bool]:
        """Which groups have a target of their own for the learning rate."""
        owners = self._assignment.by_set.get(LR, [None] * len(self.names))
        return [owner is not None for owner in owners]

    def observe(
        self, metric: float | None, step: int, named: Mapping[str, float]
    ) -> tuple[Target, ...]:
        """The targets after metrics were measured.

        Args:
            metric: the metric of the targets without a name for theirs, if there is one.
            step: the current step.
            named: the metrics of targets that name theirs.
        """
        return tuple(
            target
            if (seen := metric if target.metric is None else named.get(target.metric)) is None
            else target.with_curve(target.curve.observe(seen, step))
            for target in self.also
        )

    def lr_curve(self, schedule: Schedule, name: str) -> Curve:
        """The curve of the rate of a param group, which may be new."""
        (owner,) = assign(self.also, [name], self.names).by_set.get(LR, [None])
        return curve_of(schedule, self.also, None if owner is None else self.also[owner])

    def again(
        self, schedule: Schedule, groups: Sequence[Group], *, also: Sequence[Target] | None = None
    ) -> TargetSetter:
        """The same for another schedule or other targets of the same numbers."""
        targets = self.also if also is None else also
        return TargetSetter(schedule, targets, groups, self.names, self.own, self.late)


def _picker(members: list[int]) -> Callable[[Sequence[Group]], Sequence[Group]]:
    """A function that returns the param groups at some positions. A loop takes longer."""
    first, end = members[0], members[-1] + 1
    return itemgetter(slice(first, end)) if end - first == len(members) else itemgetter(*members)


def lr_curves(
    schedule: Schedule, groups: Sequence[Group], setter: TargetSetter | None
) -> tuple[Curve | None, ...]:
    """The curve of each param group's rate; None for the root's, and nothing if it is all."""
    curves = () if setter is None else setter.lr_curves
    factors = scales(groups)
    if not factors:
        return curves
    scaled: dict[tuple[int, float], Curve] = {}
    for curve, factor in zip_longest(curves, factors):
        own = replace(curve or Curve(schedule), scale=factor)
        scaled.setdefault((id(curve), factor), own)
    return tuple(scaled[id(curve), factor] for curve, factor in zip_longest(curves, factors))


def own_numbers(also: Sequence[Target], names: Sequence[str]) -> list[Own]:
    """Each param group's own numbers in a state, by hyperparameter."""
    own: list[Own] = [{} for _ in names]
    assignment = assign(also, names)
    for index, target in enumerate(also):
        if target.set is not None and target.bases is not None:
            for group, number in zip(assignment.groups_of(index), target.bases, strict=True):
                own[group][target.set] = number
    return own


def setter_for(
    optimizer: Optimizer, spec: Spec, late: Sequence[str] | None = None
) -> TargetSetter | None:
    """What sets the targets of a spec in an optimizer; None if it has none.

    Args:
        optimizer: the optimizer.
        spec: the spec, in steps. A state has each group's own numbers; otherwise the optimizer has.
        late: the names of param groups that may be added later; by default those of the spec.
    """
    if not spec.also:
        return None
    late = spec.group_names if late is None else late
    names = names_of(optimizer, late)
    own = own_numbers(spec.also, names) if spec.is_state else ()
    return TargetSetter(spec.schedule, spec.also, optimizer.param_groups, names, own, late)


def in_optimizer(spec: Spec, optimizer: Optimizer) -> Spec:
    """A spec whose targets have the own numbers of an optimizer's param groups, as a state has."""
    names = names_of(optimizer, spec.group_names)
    if not spec.also:
        groups_now = tuple(map(ParamGroup, names))
        return Spec.trusted(spec.schedule, param_groups=groups_now, **spec.origin)
    groups = optimizer.param_groups
    setter = TargetSetter(spec.schedule, spec.also, groups, names, late=spec.group_names)
    return Spec.trusted(spec.schedule, **in_state(setter), **spec.origin)


def in_state(setter: TargetSetter | None) -> dict[str, Any]:
    """What a state has of targets, and of the names of param groups."""
    if setter is None:
        return {}
    names = tuple(map(ParamGroup, setter.names))
    return {"also": setter.targets_with_bases(), "param_groups": names}


def check_numbers(
    groups: Sequence[Group], ahead: ReadAhead, setter: TargetSetter | None, step: int
) -> None:
    """Check that all numbers of a step can be written.

    Raises:
        RateError: a number is out of range, or a tensor cannot hold it.
    """
    check_fits(groups, ahead.at(step))
    if setter is not None:
        setter.at(groups, step)


def check_metrics(setter: TargetSetter | None, named: Mapping[str, float]) -> None:
    """Refuse metrics that no target observes.

    Raises:
        OlmError: a name is unknown.
    """
    known = setter.metrics if setter is not None else set()
    if unknown := [name for name in named if name not in known]:
        there = f"they are {listed(sorted(known))}" if known else "none names its metric"
        raise OlmError(f"no target observes the metric {found(unknown[0])}: {there}")
