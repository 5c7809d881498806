"""The run that a run branches from, whose state at one step is also a state of the branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from olm.fields.errors import invalid, reworded_all
from olm.fields.types import MAX_STEPS, Number
from olm.kinds.continuing import Continue
from olm.problem import Path, StateError, found, path_of
from olm.schedule.schedule import Schedule
from olm.spec.digest import digest
from olm.spec.memory import remembered
from olm.spec.root_keys import DIGEST, digest_text
from olm.spec.spec import Spec

if TYPE_CHECKING:
    from olm.spec.agreement import OnChange
    from olm.spec.targets import Target
    from olm.spec.written_durations import Durations


class Parent(BaseModel):
    """The run that a run branches from, and the step at which it does."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    digest: Annotated[
        str, Field(pattern=DIGEST, max_length=len("sha256:") + 64), BeforeValidator(digest_text)
    ]
    """The `digest` of its states."""
    step: Annotated[int, Number(1, MAX_STEPS, whole=True)]
    """The step of the state that the branch starts from."""

    def as_document(self) -> dict[str, Any]:
        """The mapping as it is written."""
        return {"digest": self.digest, "step": self.step}


def parent_of(value: Any) -> Parent:
    """The parent in the mapping that a document has.

    Raises:
        ValidationError: with all errors.
    """
    if not isinstance(value, Mapping | Parent):
        raise invalid("type", f"must be a mapping with digest and step, found {found(value)}")
    try:
        return Parent.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        errors = [*reworded_all(details, "a parent", Parent.model_fields)]
    raise ValidationError.from_exception_data("Parent", errors)


def branched(state: Spec, own: Spec, on_change: OnChange = "error") -> Spec:
    """A state; as a state of this spec, if it is that of the parent where the spec branches.

    Args:
        state: the state.
        own: the spec of a scheduler, with the own numbers of its targets.
        on_change: which side the caller of the scheduler chose.

    Raises:
        StateError: the state is of the parent at another step, and the caller chose no side.
    """
    parent = own.parent
    if parent is None:
        return state
    theirs = digest(state.schedule, state.also)
    if theirs != parent.digest or theirs == digest(own.schedule, own.also):
        return state
    if state.last_epoch != parent.step:
        if on_change != "error":
            return state
        raise StateError(
            f"this state is at step {state.last_epoch:,} of the run that this schedule branches "
            f"from at step {parent.step:,}: load that run's state at step {parent.step:,}, or "
            "write a branch from this state with `olm branch`; to continue with this schedule at "
            f'step {state.last_epoch:,}: on_change="spec"'
        )
    also = {target.identity: target for target in state.also}
    return Spec.trusted(
        _remembering(own.schedule, state.schedule),
        also=tuple(_target(target, also.get(target.identity)) for target in own.also),
        param_groups=state.param_groups or own.param_groups,
        **own.origin,
        last_epoch=state.last_epoch,
        base_lrs=state.base_lrs,
    )


def _target(own: Target, parent: Target | None) -> Target:
    """A target with the groups' own numbers and the memory of the parent's target."""
    if parent is None:
        return own
    bases = own.bases if parent.bases is None else parent.bases
    return own.with_curve(_remembering(own.curve, parent.curve)).with_bases(bases)


def _remembering(own: Schedule, past: Schedule) -> Schedule:
    """A schedule with the memory of the parent's, which is its first parts or the same."""
    if not own.metric_driven or not isinstance(own, Continue):
        return remembered(own, past)
    first, *_ = own.schedulers
    flat = isinstance(past, Continue) and not isinstance(first, Continue)
    parts = past.schedulers if flat and isinstance(past, Continue) else (past,)
    count = min(len(parts), len(own.schedulers))
    new = [*map(remembered, own.schedulers[:count], parts[:count]), *own.schedulers[count:]]
    return own.model_copy(update={"schedulers": tuple(new)})


def own_durations(spec: Spec) -> Durations:
    """The durations of a spec without those of its parent, which another run does not change."""
    if spec.parent is None:
        return spec.durations
    step = spec.parent.step
    placed = spec.placed_schedules()
    return tuple(
        (text, duration)
        for text, duration in spec.durations
        if any(_is_new(schedule, rest, step) for schedule, rest in _inside(placed, path_of(text)))
    )


def _inside(placed: list[tuple[Path, Schedule]], path: Path) -> Iterator[tuple[Schedule, Path]]:
    """The schedule in which a path is, and the path in it."""
    for place, schedule in reversed(placed):
        if path[: len(place)] == place:
            yield schedule, path[len(place) :]
            return


def _is_new(schedule: Schedule, path: Path, step: int) -> bool:
    """Whether a path is that of a part after the step, or of the milestone where one starts."""
    if not isinstance(schedule, Continue) or len(path) < 2:
        return False
    field, index = path[0], int(path[1])
    start = (0, *schedule.milestones)[index] if field == "schedulers" else None
    return schedule.milestones[index] > step if start is None else start >= step
