"""The state of a spec at a step that is known, for a run that saved no scheduler state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any

from olm.fields.types import MAX_STEPS
from olm.problem import OlmError, SpecError, found
from olm.spec.hyperparameters import LR
from olm.spec.param_groups import ParamGroup
from olm.spec.spec import Spec
from olm.spec.targets import assign

Numbers = Mapping[str, float]
"""A param group's own numbers, by hyperparameter."""


def updates_taken(step: Any) -> int:
    """A number of updates that a caller passes.

    >>> updates_taken(400)
    400

    Raises:
        OlmError: it is not a whole number from 0 to the last step that a state may have.
    """
    try:
        # A float is refused even if it is integral, and so is what torch would round.
        number = -1 if isinstance(step, bool) else index(step)
    except TypeError:
        number = -1
    if not 0 <= number <= MAX_STEPS:
        text = f"a whole number of updates from 0 to {MAX_STEPS:,}"
        raise OlmError(f"step must be {text}, found {found(step)}")
    return number


def check_begin(spec: Spec, step: int) -> None:
    """Check that the numbers of a spec follow from a step.

    Raises:
        OlmError: they depend on metrics, or the spec is a state, which has a step.
    """
    if spec.is_state:
        raise OlmError(
            f"this is a state, at step {spec.last_epoch:,} already: only a spec can begin at "
            "another step"
        )
    if not step:
        return
    for place, schedule in spec.placed_schedules():
        if schedule.metric_driven:
            where = f"also[{place[1]}]" if place else "the schedule"
            raise OlmError(
                f"{where} is metric-driven ({schedule.kind}) and cannot begin at step {step:,}: "
                "only a state has what it remembers of its metrics"
            )


def needed(spec: Spec, names: Sequence[str]) -> list[list[str]]:
    """The hyperparameters whose own number a state needs, for each param group.

    >>> from olm.spec.spec import parse
    >>> ramp = {"kind": "LinearLR", "total_steps": 4}
    >>> decay = {"set": "weight_decay", "groups": "body", "schedule": ramp}
    >>> needed(parse({"kind": "HoldLR", "also": [decay]}), ["body", "head"])
    [['lr', 'weight_decay'], ['lr']]

    Raises:
        SpecError: a target names no param group.
    """
    keys = [[LR] for _ in names]
    assignment = assign(spec.also, names, spec.group_names)
    if assignment.problems:
        raise SpecError(assignment.problems)
    for number, target in enumerate(spec.also):
        for group in assignment.groups_of(number) if target.has_bases else ():
            assert target.set is not None
            keys[group].append(target.set)
    return keys


def documented(spec: Spec, name: str, key: str) -> float | None:
    """A param group's own number by the document; None if the document does not list it.

    >>> from olm.spec.spec import parse
    >>> groups = ["body", {"name": "head", "lr": 0.5}]
    >>> spec = parse({"kind": "HoldLR", "optimizer": {"lr": 0.1}, "param_groups": groups})
    >>> documented(spec, "body", "lr"), documented(spec, "head", "lr")
    (0.1, 0.5)
    """
    own = listed_for_group(spec, name, key)
    return dict(spec.optimizer).get(key) if own is None else own


def listed_for_group(spec: Spec, name: str, key: str) -> float | None:
    """A number that `param_groups` lists for a param group; None if it lists none."""
    numbers = (dict(group.numbers) for group in spec.param_groups if group.name == name)
    return next((group.get(key) for group in numbers), None)


def state_at(spec: Spec, step: int, names: Sequence[str], own: Sequence[Numbers]) -> Spec:
    """The state of a spec after some updates.

    >>> from olm.spec.spec import parse
    >>> spec = parse({"kind": "LinearLR", "total_steps": 1000})
    >>> state = state_at(spec, 400, ["#0"], [{"lr": 1.0}])
    >>> state.lr([400, 401], state.base_lrs[0])
    array([0.6  , 0.599])

    Args:
        spec: the spec, in steps; see `check_begin`.
        step: the updates taken.
        names: the names of the param groups.
        own: the own numbers of each, all that are `needed`.
    """
    assignment = assign(spec.also, names)
    also = tuple(
        target.with_bases([own[group][target.set] for group in assignment.groups_of(number)])
        if target.has_bases and target.set
        else target
        for number, target in enumerate(spec.also)
    )
    return Spec.trusted(
        spec.schedule,
        also=also,
        # Only targets need the names, as in the state of a scheduler.
        param_groups=tuple(map(ParamGroup, names)) if also else (),
        **spec.origin,
        last_epoch=step,
        base_lrs=[numbers[LR] for numbers in own],
    )
