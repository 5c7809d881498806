"""Where a new scheduler begins after a known number of updates, and with which base numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose
from typing import Literal

from torch.optim import Optimizer

from olm.fields.errors import quoted
from olm.problem import OlmError, RateError, found, listed
from olm.spec.begin import Numbers, documented, listed_for_group, needed, state_at
from olm.spec.hyperparameters import LR
from olm.spec.param_groups import names_in_words
from olm.spec.rates import as_float, is_number
from olm.spec.spec import Spec
from olm.train.schedulers.document_numbers import TOLERANCE, check_optimizer
from olm.train.schedulers.group_names import names_of
from olm.train.schedulers.group_numbers import number_of
from olm.train.schedulers.groups import Group, check_bases, group_rates
from olm.train.schedulers.read_ahead import ReadAhead
from olm.train.schedulers.target_setter import TargetSetter, lr_curves, setter_for

Own = list[dict[str, float]]


def begin_at(
    spec: Spec,
    optimizer: Optimizer,
    step: int,
    base: Literal["spec", "any"],
) -> tuple[Spec, TargetSetter | None]:
    """The state of a spec after a number of updates, and what sets its targets in an optimizer.

    A group's own number is its ``initial_<key>``, else that of the document. It is never the
    current one, which may be decayed already.

    Args:
        spec: the spec, in steps.
        optimizer: the optimizer. It is not changed.
        step: the updates taken.
        base: ``"any"`` if the numbers of the document do not apply to the optimizer.

    Raises:
        OlmError: a number is unknown.
        SpecError: the optimizer has other numbers than the document lists, or lacks what a target
            sets.
        RateError: a number is unusable.
    """
    group_rates(optimizer)
    # This raises if an optimizer lacks what a target sets.
    setter_for(optimizer, spec)
    names, groups = names_of(optimizer, spec.group_names), optimizer.param_groups
    own: Own = []
    missing: dict[str, list[str]] = {}
    for name, group, keys in zip(names, groups, needed(spec, names), strict=True):
        own.append(initial := _initial_numbers(group, name, keys))
        for key in keys:
            known = documented(spec, name, key) if base != "any" else None
            if key not in initial and known is None:
                missing.setdefault(key, []).append(name)
            elif known is not None:
                initial.setdefault(key, known)
    if missing:
        raise OlmError(_unknown(step, missing, base))
    if base != "any":
        check_optimizer(spec, optimizer, own)
    check_bases([numbers[LR] for numbers in own])
    state = state_at(spec, step, names, own)
    targets = setter_for(optimizer, state, spec.group_names)
    if problems := [*_neither_base_nor_current(spec, state, groups, names, own, targets)]:
        raise OlmError("\n".join(problems))
    if targets is not None:
        targets.ahead.check_run()
    return state, targets


def _initial_numbers(group: Group, name: str, keys: Sequence[str]) -> dict[str, float]:
    """The own numbers that a param group has kept."""
    numbers: dict[str, float] = {}
    for key in keys:
        if (number := group.get(f"initial_{key}")) is None:
            continue
        if not is_number(number):
            text = f"initial_{key} must be a number, found {found(number)}"
            raise RateError(f"param group {name}: {text}")
        numbers[key] = as_float(number)
    return numbers


def _unknown(step: int, missing: dict[str, list[str]], base: str) -> str:
    """The message about own numbers that neither a param group nor the document has."""
    lines = [
        f"  {key}: no `initial_{key}` in {names_in_words(names)}" for key, names in missing.items()
    ]
    keys = listed(f"{key}: ..." for key in missing)
    what = "base rate" if [*missing] == [LR] else "base numbers"
    first = next(iter(missing))
    document = f"list them in the document (`optimizer: {{{keys}}}`)"
    if base == "any":
        document += ' and leave out base="any"'
    return "\n".join(
        [
            f"step={step} needs the {what} of every param group: the current numbers may have "
            "changed since step 0",
            *lines,
            f"load the optimizer's state first if it has them, {document}, or set "
            f'group["initial_{first}"] = ... in each',
        ]
    )


def _neither_base_nor_current(
    spec: Spec,
    state: Spec,
    groups: Sequence[Group],
    names: Sequence[str],
    own: Sequence[Numbers],
    targets: TargetSetter | None,
) -> Iterator[str]:
    """The param groups that apparently have a number of their own in place of `optimizer`'s.

    Where the current numbers of the groups differ, each must be the one under `optimizer`, or the
    one that follows from it at this step or the one before.
    """
    for key in dict(spec.optimizer):
        members = [
            place
            for place, numbers in enumerate(own)
            if key in numbers
            and f"initial_{key}" not in groups[place]
            and listed_for_group(spec, names[place], key) is None
        ]
        now = {place: as_float(number_of(groups[place], key)) for place in members}
        if len(set(now.values())) < 2:
            continue
        expected = _numbers_now(state, groups, names, own, targets, key)
        for place, number in now.items():
            fits = (own[place][key], *(row[place] for row in expected))
            if not any(isclose(number, other, rel_tol=TOLERANCE) for other in fits):
                yield (
                    f"param group {quoted(names[place])} has the {key} {number:g}, which is "
                    f"neither the {own[place][key]:g} under `optimizer` nor its {key} at step "
                    f"{state.last_epoch:,}: list its {key} under `param_groups`, or set its "
                    f"initial_{key}"
                )


def _numbers_now(
    state: Spec,
    groups: Sequence[Group],
    names: Sequence[str],
    own: Sequence[Numbers],
    targets: TargetSetter | None,
    key: str,
) -> list[list[float]]:
    """A hyperparameter of each param group at the step of a state, and at the step before."""
    step = state.last_epoch or 0
    steps = [step, max(step - 1, 0)]
    if key == LR:
        ahead = ReadAhead(
            state.schedule, state.base_lrs or (), lr_curves(state.schedule, groups, targets)
        )
        return [ahead.at(number) for number in steps]
    return [
        [
            state.of(key, number, base=numbers[key], group=name) if key in numbers else 0.0
            for name, numbers in zip(names, own, strict=True)
        ]
        for number in steps
    ]
