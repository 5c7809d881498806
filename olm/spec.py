"""A spec: what the root of a document says, a schedule and, in a state, where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Self, overload

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails

from olm import kinds as kinds  # every kind, before a document asks for one
from olm.durations import Duration, duration
from olm.fields import MAX_STEPS, Length, Listed, Number, Rate, memory_fields
from olm.plain import plain
from olm.problem import Problem, SpecError, few_guesses, found, path_of
from olm.schedule import ROOT_KEYS, STATE_KEYS, Schedule, validate
from olm.wording import at, mistake, problems_of, quoted, reworded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from olm.clock import Clock
    from olm.expectation import Expectation
    from olm.resolution import Plan
else:
    # pydantic asks for the types, which few specs need: `_expected` and `_clock` import them.
    Clock = Expectation = Any

_DIGEST = re.compile("^sha256:[0-9a-f]{64}$")


def _there(value: Any) -> Any:
    if value is None:
        raise mistake("type", "must be left out rather than null")
    return value


def _expected(value: Any) -> Expectation:
    from olm.expectation import expected

    return expected(_there(value))


def _clock(value: Any) -> Clock:
    from olm.clock import clock_of

    return clock_of(_there(value))


def _as_written(value: Any) -> tuple[tuple[str, str], ...]:
    """Durations with their paths, each as a list or tuple of two strings."""
    if not isinstance(value, list | tuple):
        raise mistake("type", f"must be a list, found {found(value)}")
    for pair in value:
        two = isinstance(pair, list | tuple) and len(pair) == 2
        if not (two and all(isinstance(text, str) for text in pair) and duration(pair[1])):
            raise mistake("type", f"must be pairs of a path and a duration, found {found(pair)}")
    return tuple((path, text) for path, text in value)


def _digest_text(value: Any) -> str:
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return value
    raise mistake("type", f"must be `sha256:` and 64 hexadecimal digits, found {found(value)}")


class Spec(BaseModel):
    """What the root of a document says: a schedule and, once it is a state, how far along it is.

    >>> spec = parse({"kind": "LinearLR", "total_steps": 10})
    >>> spec.schedule
    Linear(total_steps=10, end_lr=0.0, start_factor=1.0)
    >>> spec.lr(5, base=0.5)
    0.25
    >>> spec.model_dump()
    {'kind': 'LinearLR', 'total_steps': 10, 'end_lr': 0.0, 'start_factor': 1.0}
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schedule: Annotated[Schedule, PlainValidator(validate)]
    """The shape."""
    expect: Annotated[Expectation | None, PlainValidator(_expected)] = None
    """What the schedule is expected to do, which ``olm check`` holds it to."""
    clock: Annotated[Clock | None, PlainValidator(_clock)] = None
    """The run that the spec was written for; a run of its own that is built wins."""
    durations: Annotated[tuple[tuple[str, str], ...], PlainValidator(_as_written)] = ()
    """The durations as they were before they were steps, each with its path. A state has them."""
    last_epoch: Annotated[int | None, Number(-1, MAX_STEPS, whole=True)] = None
    """The step last taken; -1 before the first."""
    base_lrs: Annotated[Annotated[Listed[Rate], Length(1)] | None, BeforeValidator(_there)] = None
    """The base learning rates, one for each param group of the optimizer."""
    digest: Annotated[
        Annotated[str, Field(pattern=_DIGEST.pattern, max_length=71)] | None,
        BeforeValidator(_digest_text),
    ] = None
    """The `digest` of the schedule, which tells a mixture of two states from a state."""

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
            from olm.expectation import is_counted

            if not is_counted(self.expect):
                return False
        return not self.schedule.durations()

    def plan(self, clock: Clock | None = None) -> Plan[Schedule]:
        """The schedule in optimizer steps, and what was done to get there: see `Schedule.plan`.

        Args:
            clock: what the run is. It wins over the spec's own, which says what this one does not.

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
            clock: what the run is. It wins over the spec's own, which says what this one does not.

        Raises:
            SpecError: the clock does not know what a duration needs, or what comes out is not
                valid.
        """
        if self.is_counted:
            return self
        clock = self.clock_for(clock)
        plan, expect = self.schedule.plan(clock), self.expect
        if expect is not None:
            from olm.expectation import counted

            expect = counted(expect, clock)
        durations = self.durations + plan.durations
        update = {"schedule": plan.schedule, "expect": expect, "durations": durations}
        return self.model_copy(update=update)

    @property
    def written(self) -> Schedule:
        """The schedule with the durations in it as they were written, where those are known."""
        if not self.durations:
            return self.schedule
        from olm.resolution import rewritten

        texts = ((path_of(path), duration(text)) for path, text in self.durations)
        return rewritten(self.schedule, {path: text for path, text in texts if text})

    def clock_for(self, clock: Clock | None = None) -> Clock:
        """A clock, with what only the spec's own clock says."""
        from olm.clock import Clock

        return (clock or Clock()).over(self.clock)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed. It is validated, as every spec is."""
        fields = {**dict(self), **(update or {})}
        return type(self).model_validate(
            {name: value for name, value in fields.items() if value is not None}
        )

    @model_serializer(mode="plain")
    def _as_document(self) -> dict[str, Any]:
        document = self.schedule.model_dump(mode="json")
        if self.expect is not None:
            document["expect"] = self.expect.model_dump(mode="json")
        if self.clock is not None:
            document["clock"] = self.clock.known
        if self.durations:
            document["durations"] = [list(pair) for pair in self.durations]
        if self.last_epoch is not None and self.base_lrs is not None:
            document |= {
                "last_epoch": self.last_epoch,
                "base_lrs": list(self.base_lrs),
                "digest": self.digest,
            }
        return document

    @model_validator(mode="wrap")
    @classmethod
    def _from_document(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Tell the keys of the root from those of the schedule, and all that is wrong with both."""
        data = _parted(data)
        errors = _half_state(data) if isinstance(data, dict) else []
        try:
            made = handler(data)
            errors += [*_mixed_state(made), *_misplaced(made)] if not errors else []
        except ValidationError as error:
            details = error.errors(include_url=False)
            errors = [*(reworded(detail, "a spec", ()) for detail in details), *errors]
        if errors:
            raise ValidationError.from_exception_data("Spec", errors) from None
        return made


def _parted(data: Any) -> Any:
    """A document as the fields of a Spec; what is no document stays as it is."""
    if not isinstance(data, Mapping) or isinstance(data.get("schedule"), Schedule):
        return data
    rest = dict(data)
    root = {key: rest.pop(key) for key in ROOT_KEYS[1:] if key in rest}
    schema = rest.pop("$schema", "")
    if not isinstance(schema, str):
        error = at(
            ("$schema",), schema, mistake("type", f"must be a string, found {found(schema)}")
        )
        raise ValidationError.from_exception_data("Spec", [error])
    return {"schedule": rest, **root}


def _half_state(data: Mapping[str, Any]) -> list[InitErrorDetails]:
    """That some of the keys of a state are there, but not all."""
    there = [key for key in STATE_KEYS if key in data]
    if len(there) in (0, len(STATE_KEYS)):
        return []
    missing = ", ".join(f"`{key}`" for key in STATE_KEYS if key not in there)
    text = f"{there[0]} needs {missing} beside it: a state has them all, a spec none"
    return [at((there[0],), data[there[0]], mistake("half-state", text))]


def _mixed_state(spec: Spec) -> list[InitErrorDetails]:
    """That the digest is not that of the schedule."""
    if spec.is_state and (written := spec.schedule.durations()):
        text, hint = (
            "a state must be in optimizer steps, found {}",
            "`durations` says what they were",
        )
        return [
            at(path, one.text, mistake("duration", text.format(f"'{one}'"), hint=hint))
            for path, one in written
        ]
    if not spec.is_state or spec.digest == digest(spec.schedule):
        return []
    text = f"this is not the digest of the schedule, which is {digest(spec.schedule)}"
    hint = "the state mixes two schedules, or was edited: a spec has no digest"
    return [at(("digest",), spec.digest, mistake("digest", text, hint=hint))]


def _misplaced(spec: Spec) -> Iterator[InitErrorDetails]:
    """That `durations` has some where there are no steps, or that cannot stand there."""
    if not spec.durations:
        return
    from olm.resolution import places

    there = places(spec.schedule)
    for index, (path, text) in enumerate(spec.durations):
        try:
            known = path_of(path) in there
        except ValueError:
            known = False
        if not known:
            error = mistake("duration", f"there is no number of steps at {quoted(path)}")
            yield at(("durations", index), [path, text], error)
            return
    try:
        _ = spec.written
    except ValidationError as error:
        details = error.errors(include_url=False)
        yield at(("durations",), spec.durations, mistake("duration", details[0]["msg"]))


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


def digest(schedule: Schedule) -> str:
    """A short name for what a schedule says, the same whatever wrote it and wherever it runs.

    It is the sha256 of the canonical JSON of kind and fields, nested, without those that equal
    their default, so that a field added later with a default changes nothing; and without what a
    metric-driven schedule remembers.

    >>> digest(parse({"kind": "LinearLR", "total_steps": 10, "end_lr": 0}).schedule)[:15]
    'sha256:fcc3d00f'
    """
    import hashlib
    import json

    text = json.dumps(_canonical(schedule), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Schedule):
        fields = {
            name: (getattr(value, name), field.default)
            for name, field in type(value).model_fields.items()
            if name not in memory_fields(type(value))
        }
        said = {name: _canonical(now) for name, (now, default) in fields.items() if now != default}
        return said | {"kind": value.kind}
    if isinstance(value, Duration):
        return value.text
    return [_canonical(item) for item in value] if isinstance(value, tuple) else value


def _from_root(problem: Problem) -> Problem:
    """The problem in a document, whose root is both the schedule and the spec."""
    path = problem.path[1:] if problem.path[:1] == ("schedule",) else problem.path
    also = tuple(other[1:] if other[:1] == ("schedule",) else other for other in problem.also)
    hint = problem.hint
    if problem.code == "unknown-field" and len(path) > 1 and path[-1] in ROOT_KEYS:
        hint = "only the root of a document has it"
    return replace(problem, path=path, also=also, hint=hint)
