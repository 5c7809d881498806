"""A spec: what the root of a document says, a schedule and, in a state, where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
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
from olm.problem import Problem, SpecError, clipped, found, with_few_guesses
from olm.schedule.schedule import Schedule
from olm.schedule.step_fields import is_counted
from olm.spec.root_keys import ROOT_KEYS, Root, half_state, parted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from olm.fields.durations import Rounding
    from olm.schedule.clock import Clock
    from olm.schedule.counting import Counted, Plan
    from olm.spec.parent import Parent
    from olm.spec.root_keys import ParamGroups, Targets
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
        also: Targets = (),
        param_groups: ParamGroups = (),
        durations: Durations = (),
        rounding: Rounding = "nearest",
        parent: Parent | None = None,
        clock: Clock | None = None,
        last_epoch: int | None = None,
        base_lrs: Sequence[float] | None = None,
    ) -> Spec:
        """A spec, or a state, of parts that are known to be valid: nothing is validated.

        It is for what this package made itself. The digest is computed when the spec is written.
        """
        bases = None if base_lrs is None else tuple(base_lrs)
        return cls.model_construct(
            schedule=schedule,
            also=also,
            param_groups=param_groups,
            durations=durations,
            rounding=rounding,
            parent=parent,
            clock=clock,
            last_epoch=last_epoch,
            base_lrs=bases,
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

    def value(self, name: str, step: ArrayLike) -> Any:
        """A value that the training loop asks for, at a step or an array of steps.

        >>> hold = {"kind": "HoldLR", "factor": 0.999}
        >>> parse({"kind": "HoldLR", "also": [{"value": "ema", "schedule": hold}]}).value("ema", 7)
        0.999

        Raises:
            OlmError: the document has no such value.
        """
        from olm.spec.target_curves import curve_of, value_target

        spec = self.resolve()
        target = value_target(spec, name)
        return curve_of(spec.schedule, spec.also, target).at(step, 1.0)

    def of(self, number: str, step: ArrayLike, *, base: ArrayLike, group: str | None = None) -> Any:
        """A hyperparameter at a step or an array of steps.

        >>> decay = {"kind": "LinearLR", "total_steps": 4}
        >>> spec = parse({"kind": "HoldLR", "also": [{"set": "weight_decay", "schedule": decay}]})
        >>> spec.of("weight_decay", 1, base=0.04)
        0.03

        Args:
            number: the hyperparameter, such as ``weight_decay`` or ``betas[0]``.
            step: optimizer steps, counted from 0.
            base: the group's own number, with which the optimizer was constructed.
            group: the name of the param group; by default one that no target names.

        Raises:
            OlmError: the document does not schedule the hyperparameter of that group.
        """
        from olm.spec.target_curves import curve_of, target_of

        spec = self.resolve()
        target = target_of(spec, number, group)
        return curve_of(spec.schedule, spec.also, target).at(step, base)

    @property
    def is_state(self) -> bool:
        """Whether it says where the schedule stands."""
        return self.last_epoch is not None

    @property
    def is_counted(self) -> bool:
        """Whether all that it says is in optimizer steps."""
        if self.expect is not None:
            from olm.spec import expectation

            if not expectation.is_counted(self.expect):
                return False
        return is_counted(self.schedule) and all(is_counted(target.curve) for target in self.also)

    def plan(self, clock: Clock | Mapping[str, Any] | None = None) -> Plan[Schedule]:
        """The schedule in optimizer steps, and what was done to get there: see `Schedule.plan`.

        Args:
            clock: the run length and units: a Clock, or a mapping such as
                ``{"total_steps": 160}``. Its fields override those of the spec's own clock.

        Raises:
            SpecError: the clock does not know what a duration needs, or what comes out is not
                valid.
        """
        clock = self.clock_for(clock)
        from olm.schedule.counting import Plan

        (root, *_), counted = self._in_steps(clock)
        return Plan(root, counted, clock)

    def resolve(self, clock: Clock | Mapping[str, Any] | None = None) -> Self:
        """The same spec in optimizer steps, with the `durations` as they were; itself if it is.

        >>> spec = parse({"kind": "WarmupLR", "warmup_steps": "3%", "clock": {"total_steps": 1000}})
        >>> spec.resolve().schedule
        Warmup(warmup_steps=30, start_lr=0.0)

        Args:
            clock: the run length and units: a Clock, or a mapping such as
                ``{"total_steps": 160}``. Its fields override those of the spec's own clock.

        Raises:
            SpecError: the clock does not know what a duration needs, or what comes out is not
                valid.
        """
        if self.is_counted:
            if clock is not None:
                from olm.schedule.clock import clock_given

                # What is no clock is refused, although there is nothing to count.
                clock_given(clock)
            return self
        clock = self.clock_for(clock)
        (root, *others), durations = self._in_steps(clock)
        expect = self.expect
        if expect is not None:
            from olm.spec import expectation

            expect = expectation.counted(expect, clock, self.rounding)
        # What is counted is valid, and takes long to be validated again.
        written = self.durations + tuple(item.as_written for item in durations)
        update = {"schedule": root, "also": self._with_curves(others), "expect": expect}
        return super().model_copy(update=update | {"durations": written})

    def _in_steps(self, clock: Clock) -> tuple[list[Schedule], tuple[Counted, ...]]:
        """Each schedule of the document in steps, and the durations of all of them."""
        schedules: list[Schedule] = []
        counted: list[Counted] = []
        problems: list[Problem] = []
        for place, schedule in self.placed_schedules():
            try:
                plan = schedule.plan(clock, self.rounding)
            except SpecError as error:
                problems += (problem.under(place) for problem in error.problems)
                continue
            schedules.append(plan.schedule)
            counted += (replace(item, path=place + item.path) for item in plan.counted)
        if problems:
            raise SpecError(problems)
        return schedules, tuple(counted)

    def _with_curves(self, schedules: Iterable[Schedule]) -> Targets:
        pairs = zip(self.also, schedules, strict=True)
        return tuple(target.with_curve(schedule) for target, schedule in pairs)

    @property
    def written(self) -> Self:
        """The same spec with its durations as they were written, where those are known."""
        from olm.schedule.step_fields import has_plan

        if not self.durations and not any(has_plan(one) for _, one in self.placed_schedules()):
            return self
        from olm.spec.written_durations import as_written, below

        root, *others = (
            as_written(schedule, below(self.durations, place))
            for place, schedule in self.placed_schedules()
        )
        update = {"schedule": root, "also": self._with_curves(others), "durations": ()}
        return super().model_copy(update=update)

    def clock_for(self, clock: Clock | Mapping[str, Any] | None = None) -> Clock:
        """A clock, with what only the spec's own clock says."""
        from olm.schedule.clock import Clock, clock_given

        known = clock_given(clock)
        return known.over(self.clock) if known else self.clock or Clock()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed. It is validated, as every spec is."""
        fields = {**dict(self), **(update or {})}
        return type(self).model_validate(
            {name: value for name, value in fields.items() if value is not None}
        )

    def plot(
        self,
        ax: Any = None,
        *,
        steps: int | None = None,
        base: float | None = None,
        targets: Sequence[str] | None = None,
    ) -> Any:
        """Draw the curves on axes of matplotlib's.

        Args:
            ax: the axes, or one for each target; by default those of a new figure.
            steps: the last step; by default the end of the run, or of the schedule.
            base: the base rate; by default that of the spec, else shares of it are drawn.
            targets: the numbers that are drawn, ``lr`` and labels of `also`; by default all, on
                given axes the rate.

        Returns:
            The axes, or a list of them if several numbers are drawn.

        Raises:
            ImportError: matplotlib is not installed.
            SpecError: the spec has durations that its clock cannot count.
            OlmError: it does not schedule one of the targets.
        """
        from olm.spec.showing import plot

        return plot(self, ax, steps, base, targets)

    def table(self, *, steps: int | None = None, base: float | None = None) -> Any:
        """Every step with its numbers as a DataFrame of pandas.

        Args:
            steps: the last step; by default the end of the run, or of the schedule.
            base: the base rate; by default that of the spec, else shares of it are listed.

        Raises:
            ImportError: pandas is not installed.
            SpecError: the spec has durations that its clock cannot count.
        """
        from olm.spec.showing import table

        return table(self, steps, base)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            if name == "schedule":
                yield None, value
            elif name and value != fields[name].default:
                yield name, value

    def _repr_html_(self) -> str:
        from olm.spec.showing import html

        return html(self)

    def _contradictions(self) -> Iterator[InitErrorDetails]:
        """What does not fit together in a document, each of whose parts is valid."""
        for _, key, value in self.keys_there():
            if key.check is not None:
                yield from key.check(self, value)

    @model_serializer(mode="plain")
    def _as_document(self) -> dict[str, Any]:
        document = self.schedule.model_dump(mode="json")
        document |= {name: key.write(value) for name, key, value in self.keys_there()}
        if self.is_state and self.digest is None:
            from olm.spec.digest import digest

            document["digest"] = digest(self.schedule, self.also)
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
            if isinstance(data, dict) and "also" in data:
                from olm.spec.targets import contradictions_despite

                errors += contradictions_despite(data)
        if errors:
            raise ValidationError.from_exception_data("Spec", errors) from None
        return made


def parse(mapping: Mapping[str, Any] | Schedule | Spec) -> Spec:
    """The spec that a mapping says: a document as read from YAML, or a ``state_dict()``.

    Args:
        mapping: any Mapping of plain values, lists and mappings, OmegaConf's too. A Schedule or
            Spec is taken as it is.

    Raises:
        SpecError: with every problem that there is. For a text or a path, it names the function
            that reads it.
    """
    if isinstance(mapping, Spec):
        return mapping
    if isinstance(mapping, Schedule):
        return Spec(schedule=mapping)
    if isinstance(mapping, str | PathLike):
        raise _no_mapping(mapping)
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
        return with_few_guesses(Spec.model_validate, document)
    except ValidationError as error:
        problems = [_from_root(problem) for problem in problems_of(error)]
    raise SpecError(problems)


def _no_mapping(given: str | PathLike[str]) -> SpecError:
    """The error for a text or a path, with the function that reads it."""
    # A text of YAML has a colon before a space or a line's end; a path seldom has.
    is_text = isinstance(given, str) and re.search(r":\s|:$|^\s*[{[]|\n", given)
    call = "olm.loads(text)" if is_text else f"olm.load({clipped(str(given))!r})"
    message = f"a spec must be a mapping with the key `kind`, found {found(given)}"
    return SpecError([Problem("type", message, hint=f"{call} reads it")])


def _from_root(problem: Problem) -> Problem:
    """The problem in a document, whose root is both the schedule and the spec."""
    path = problem.path[1:] if problem.path[:1] == ("schedule",) else problem.path
    also = tuple(other[1:] if other[:1] == ("schedule",) else other for other in problem.also)
    hint = problem.hint
    if problem.code == "unknown-field" and len(path) > 1 and path[-1] in ROOT_KEYS:
        hint = "only the root of a document has it"
    return problem._replace(path=path, also=also, hint=hint)
