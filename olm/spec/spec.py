"""A spec: what the root of a document says, a schedule and, in a state, where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, overload

from pydantic import (
    ConfigDict,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails

from olm.fields.errors import problems_of, reworded
from olm.problem import Problem, SpecError, few_guesses, found
from olm.schedule.schedule import Schedule
from olm.spec.root_keys import ROOT_KEYS, Root, half_state, parted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from olm.schedule.clock import Clock
    from olm.schedule.counting import Plan
    from olm.spec.written_durations import Durations


class Spec(Root):
    """What the root of a document says: a schedule and, once it is a state, how far along it is.

    >>> spec = parse({"kind": "LinearLR", "total_steps": 10})
    >>> spec.schedule
    Linear(total_steps=10, end_lr=0.0, start_factor=1.0)
    >>> spec.lr(5, base=0.5)
    0.25
    >>> spec.model_dump()
    {'kind': 'LinearLR', 'total_steps': 10, 'end_lr': 0.0, 'start_factor': 1.0}
    """

    model_config = ConfigDict(defer_build=False)

    @classmethod
    def trusted(
        cls,
        schedule: Schedule,
        *,
        durations: Durations = (),
        last_epoch: int | None = None,
        base_lrs: Sequence[float] | None = None,
    ) -> Spec:
        """A spec, or a state, of parts that are known to be valid: nothing is validated.

        It is for what this package made itself. The digest is computed when the spec is written.
        """
        bases = None if base_lrs is None else tuple(base_lrs)
        return cls.model_construct(
            schedule=schedule, durations=durations, last_epoch=last_epoch, base_lrs=bases
        )

    @overload
    def lr(self, step: int, base: float) -> float: ...
    @overload
    def lr(self, step: ArrayLike, base: ArrayLike) -> Any: ...
    def lr(self, step: ArrayLike, base: ArrayLike) -> Any:
        """The learning rate at a step or an array of steps, as `Schedule.lr` gives it.

        Durations are counted by the spec's own clock.
        """
        return self.resolve().schedule.lr(step, base)

    @property
    def is_state(self) -> bool:
        """Whether it says where the schedule stands."""
        return self.last_epoch is not None

    @property
    def is_counted(self) -> bool:
        """Whether all that it says is in optimizer steps."""
        if self.expect is not None:
            from olm.spec.expectation import is_counted

            if not is_counted(self.expect):
                return False
        return self.schedule.is_counted

    def plan(self, clock: Clock | None = None) -> Plan[Schedule]:
        """The schedule in optimizer steps, and what was done to get there: see `Schedule.plan`.

        Args:
            clock: the run length and units. Its fields override those of the spec's own clock.

        Raises:
            SpecError: the clock does not know what a duration needs, or what comes out is not
                valid.
        """
        return self.schedule.plan(self.clock_for(clock))

    def resolve(self, clock: Clock | None = None) -> Self:
        """The same spec in optimizer steps, with the `durations` as they were; itself if it is.

        >>> spec = parse({"kind": "WarmupLR", "warmup_steps": "3%", "clock": {"total_steps": 1000}})
        >>> spec.resolve().schedule
        Warmup(warmup_steps=30, start_lr=0.0)

        Args:
            clock: the run length and units. Its fields override those of the spec's own clock.

        Raises:
            SpecError: the clock does not know what a duration needs, or what comes out is not
                valid.
        """
        if self.is_counted:
            return self
        clock = self.clock_for(clock)
        plan, expect = self.schedule.plan(clock), self.expect
        if expect is not None:
            from olm.spec.expectation import counted

            expect = counted(expect, clock)
        # What is counted is valid, and takes long to be validated again.
        update = {"schedule": plan.schedule, "expect": expect}
        return super().model_copy(update=update | {"durations": self.durations + plan.durations})

    @property
    def written(self) -> Schedule:
        """The schedule with the durations in it as they were written, where those are known."""
        if not self.durations:
            return self.schedule
        from olm.spec.written_durations import as_written

        return as_written(self.schedule, self.durations)

    def clock_for(self, clock: Clock | None = None) -> Clock:
        """A clock, with what only the spec's own clock says."""
        from olm.schedule.clock import Clock

        return clock.over(self.clock) if clock else self.clock or Clock()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed. It is validated, as every spec is."""
        fields = {**dict(self), **(update or {})}
        return type(self).model_validate(
            {name: value for name, value in fields.items() if value is not None}
        )

    def _contradictions(self) -> Iterator[InitErrorDetails]:
        """What does not fit together in a document, each of whose parts is valid."""
        for _, key, value in self.keys_there():
            if key.check is not None:
                yield from key.check(self.schedule, value)

    @model_serializer(mode="plain")
    def _as_document(self) -> dict[str, Any]:
        document = self.schedule.model_dump(mode="json")
        document |= {name: key.write(value) for name, key, value in self.keys_there()}
        if self.is_state and self.digest is None:
            from olm.spec.digest import digest

            document["digest"] = digest(self.schedule)
        return document

    @model_validator(mode="wrap")
    @classmethod
    def _from_document(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Tell the keys of the root from those of the schedule, and all that is wrong with both."""
        data = parted(data)
        errors = half_state(data) if isinstance(data, dict) else []
        try:
            made = handler(data)
            errors += made._contradictions() if not errors else []
        except ValidationError as error:
            details = error.errors(include_url=False)
            errors = [*(reworded(detail, "a spec", {}) for detail in details), *errors]
        if errors:
            raise ValidationError.from_exception_data("Spec", errors) from None
        return made


def parse(mapping: Mapping[str, Any] | Schedule | Spec) -> Spec:
    """The spec that a mapping says: a document as read from YAML, or a ``state_dict()``.

    Args:
        mapping: any Mapping of plain values, lists and mappings, OmegaConf's too. A Schedule or
            Spec is taken as it is.

    Raises:
        SpecError: with every problem that there is.
    """
    if isinstance(mapping, Spec):
        return mapping
    if isinstance(mapping, Schedule):
        return Spec(schedule=mapping)
    from olm.spec.plain_values import plain

    return parse_plain(plain(mapping))


def parse_plain(document: Any) -> Spec:
    """The spec that a document says, of which it is known that it is plain and not too large.

    Raises:
        SpecError: with every problem that there is.
    """
    if not isinstance(document, dict):
        message = f"a spec must be a mapping with the key `kind`, found {found(document)}"
        raise SpecError([Problem("type", message)])
    try:
        with few_guesses():
            return Spec.model_validate(document)
    except ValidationError as error:
        problems = [_from_root(problem) for problem in problems_of(error)]
    raise SpecError(problems)


def _from_root(problem: Problem) -> Problem:
    """The problem in a document, whose root is both the schedule and the spec."""
    path = problem.path[1:] if problem.path[:1] == ("schedule",) else problem.path
    also = tuple(other[1:] if other[:1] == ("schedule",) else other for other in problem.also)
    hint = problem.hint
    if problem.code == "unknown-field" and len(path) > 1 and path[-1] in ROOT_KEYS:
        hint = "only the root of a document has it"
    return replace(problem, path=path, also=also, hint=hint)
