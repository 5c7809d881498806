"""A batch, or a sequence length, that changes during a run: the ramps and stages of a clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails

from olm.fields.durations import EPOCH, SAMPLE, SHARE, STEP, TOKEN, Duration, exact
from olm.fields.errors import as_spec_error, at, below, invalid
from olm.fields.rules import Rule, rule, ruled
from olm.fields.types import MAX_STEPS, PositiveCount, Quantity, StepCount
from olm.problem import Path, found
from olm.schedule.units_per_step import (
    MOST_STAGES,
    Disorder,
    Exact,
    Threshold,
    UnitsPerStep,
    ramp_thresholds,
    run_through,
    whole,
)

if TYPE_CHECKING:
    from olm.schedule.clock_fields import ClockFields

Place = Annotated[int, StepCount(0, MAX_STEPS, rest=False)]
"""How far into the run: a number of steps, or a duration."""

Stretch = Annotated[int, StepCount(1, MAX_STEPS, rest=False)]
"""A part of the run: a number of steps, or a duration."""


class _PartOfClock(BaseModel):
    """A mapping inside a clock, with rules between its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    rules: ClassVar[tuple[Rule, ...]] = ()
    noun: ClassVar[str]

    if not TYPE_CHECKING:
        # For a type checker, pydantic declares a constructor with the fields as its arguments.
        def __init__(self, /, **fields: Any) -> None:
            with as_spec_error():
                super().__init__(**fields)

        __init__.__pydantic_base_init__ = True

    def as_document(self) -> dict[str, Any]:
        """The fields with a value, as a document has them."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @model_validator(mode="wrap")
    @classmethod
    def _report_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return ruled(cls, cls.noun, cls.rules, data, handler)


def single(place: int | Duration) -> bool:
    """Whether a place is in one unit, so that others can be compared with it."""
    return isinstance(place, int) or len(place.terms) == 1


@rule(
    "start",
    "end",
    holds=lambda start, end: start != end,
    message="{start} must differ from {end}: for a constant batch, use samples_per_step",
)
@rule(
    "by",
    "start",
    "end",
    holds=lambda by, start, end: abs(end - start) % by == 0,
    message="{by} must divide the difference between {start} and {end}",
)
@rule(
    "by",
    "start",
    "end",
    holds=lambda by, start, end: abs(end - start) // by <= MOST_STAGES,
    message=f"{{by}} must make at most {MOST_STAGES:,} stages from {{start}} to {{end}}",
)
@rule("over", holds=single, message="{over} must be in one unit, without + and -")
class BatchRamp(_PartOfClock):
    """A batch that grows, or shrinks, in equal stages over a part of the run.

    >>> [stage.at for stage in BatchRamp(start=16, end=64, by=16, over="30sp").thresholds(30, "sp")]
    [0, 10, 20, 30]

    Source: Megatron-LM, ``--rampup-batch-size``: ``start``, ``by`` and ``over`` in samples.
    """

    noun = "a batch ramp"

    start: PositiveCount
    """Samples per step at the start."""
    end: PositiveCount
    """Samples per step at the end of the ramp and after it."""
    by: PositiveCount
    """By how many samples the batch changes from stage to stage."""
    over: Stretch
    """How long the ramp lasts: at its end, the batch is `end`."""

    def thresholds(self, over: Exact, unit: str) -> list[Threshold]:
        """Where each stage begins, for a ramp over a number of units."""
        return ramp_thresholds(self.start, self.end, self.by, over, unit)


class _Stage(_PartOfClock):
    """A part of the run with a constant number of something."""

    noun = "a stage"

    from_: Place = Field(alias="from")
    """When the stage begins: a step, or a duration since the start of the run."""


@rule(
    "samples",
    "tokens",
    holds=lambda samples, tokens: samples is None or tokens is None,
    message="give {samples} or {tokens}, not both",
)
@rule(
    "samples",
    "tokens",
    holds=lambda samples, tokens: samples is not None or tokens is not None,
    message="a stage needs samples or tokens: how many each step takes",
)
class BatchStage(_Stage):
    """A part of the run with a constant batch."""

    samples: PositiveCount | None = None
    """Samples per step, over all micro-batches and processes."""
    tokens: PositiveCount | None = None
    """Tokens per step, over all micro-batches and processes."""


class SequenceStage(_Stage):
    """A part of the run with a constant sequence length."""

    tokens: PositiveCount
    """Tokens per sample."""


Item = TypeVar("Item", bound=_Stage)

_LENGTH = Quantity(1, MAX_STEPS)


def batch_ramp(value: Any) -> BatchRamp:
    """The batch ramp that a mapping describes.

    Raises:
        ValidationError: with all errors.
    """
    return BatchRamp.model_validate(value)


def batch_stages(value: Any) -> tuple[BatchStage, ...]:
    """The stages that a list of mappings describes.

    Raises:
        ValidationError: with all errors.
    """
    stages = _listed(value, BatchStage)
    units = [stage.samples is None for stage in stages]
    if True in units and False in units:
        index = units.index(not units[0])
        name, other = ("tokens", "samples")[:: 1 if units[index] else -1]
        text = f"{name} must be {other}, as in the first stage: all stages have the same unit"
        error = at((index, name), getattr(stages[index], name), invalid("rule", text))
        raise ValidationError.from_exception_data("BatchStage", [error])
    return stages


def tokens_per_sample(value: Any) -> int | float | tuple[SequenceStage, ...]:
    """The sequence length, or its stages.

    Raises:
        ValidationError: with all errors.
    """
    if isinstance(value, list | tuple):
        return _listed(value, SequenceStage)
    return _LENGTH(value)


def _listed(value: Any, model: type[Item]) -> tuple[Item, ...]:
    """The stages of a list, in ascending order, the first at 0."""
    if not isinstance(value, list | tuple):
        raise invalid("type", f"must be a list, found {found(value)}")
    if not value:
        raise invalid("range", "must have at least 1 item, found none")
    stages: list[Item] = []
    errors: list[InitErrorDetails] = []
    for index, item in enumerate(value):
        try:
            stages.append(model.model_validate(item))
        except ValidationError as error:
            errors += below(error, (index,))
    errors += () if errors else _disordered(stages)
    if errors:
        raise ValidationError.from_exception_data(model.__name__, errors)
    return tuple(stages)


def _disordered(stages: Sequence[_Stage]) -> Iterator[Any]:
    """The first stage that does not begin after the one before it, where units allow to tell."""
    first = stages[0].from_
    if single(first) and _amount(first)[0]:
        text = f"from must be 0 in the first stage, found {first}"
        yield at((0, "from"), str(first), invalid("rule", text))
        return
    for index, stage in enumerate(stages):
        if not single(stage.from_):
            text = f"from must be in one unit, without + and -, found {stage.from_}"
            yield at((index, "from"), str(stage.from_), invalid("rule", text))
            return
    for index, (one, other) in enumerate(pairwise(stages), 1):
        if not _begins_before(one.from_, other.from_):
            text = f"from must be above that of the stage before, found {other.from_}"
            hint = f"the stage before begins at {one.from_}"
            yield at((index, "from"), str(other.from_), invalid("rule", text, hint=hint))
            return


def _begins_before(one: int | Duration, other: int | Duration) -> bool:
    """Whether a place is before another, as far as their units allow to tell."""
    pairs = [_amount(place) for place in (one, other)]
    (mine, unit), (theirs, other_unit) = pairs
    return theirs > 0 if unit != other_unit else mine < theirs


def _amount(place: int | Duration) -> tuple[Exact, str]:
    if isinstance(place, int):
        return place, STEP.suffix
    ((amount, unit),) = place.terms
    return amount, unit


class Lacking(LookupError):
    """A clock lacks a field, of this name."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def units_of(clock: ClockFields) -> dict[str, UnitsPerStep]:
    """The samples and tokens per step of a run, as far as a clock knows them.

    Raises:
        Lacking: the clock lacks a field for where a stage begins.
    """
    samples, tokens = clock.samples_per_step, clock.tokens_per_step
    if samples is not None and tokens is not None:
        return {"samples": _constant(samples), "tokens": _constant(tokens)}
    batch, in_tokens = _batch(clock)
    if not batch:
        return {}
    return run_through(batch, per_sample=_per_sample(clock), in_tokens=in_tokens)


def _constant(size: float) -> UnitsPerStep:
    return UnitsPerStep.of_stages([(0, whole(exact(size)))])


def _batch(clock: ClockFields) -> tuple[list[Threshold], bool]:
    """The stages of the batch, and whether they are in tokens."""
    if (ramp := clock.batch_ramp) is not None:
        return ramp.thresholds(*place_of(clock, ramp.over)), False
    if (stages := clock.batch_stages) is not None:
        in_tokens = stages[0].tokens is not None
        sizes = [stage.samples or stage.tokens or 0 for stage in stages]
        begins = [place_of(clock, stage.from_) for stage in stages]
        return [Threshold(*at, size) for at, size in zip(begins, sizes, strict=True)], in_tokens
    size = clock.samples_per_step if clock.tokens_per_step is None else clock.tokens_per_step
    constant = [] if size is None else [Threshold(0, "steps", whole(exact(size)))]
    return constant, clock.samples_per_step is None


def _per_sample(clock: ClockFields) -> list[Threshold]:
    """The stages of the sequence length."""
    length = clock.tokens_per_sample
    if length is None:
        return []
    if isinstance(length, int | float):
        return [Threshold(0, "steps", whole(exact(length)))]
    return [Threshold(*place_of(clock, stage.from_), stage.tokens) for stage in length]


def place_of(clock: ClockFields, place: int | Duration) -> tuple[Exact, str]:
    """A place in a run, in steps, samples or tokens, with the name of the unit.

    Raises:
        Lacking: the clock lacks a field for it.
    """
    amount, suffix = _amount(place)
    if suffix == SHARE.suffix:
        if (total := clock.total) is None:
            raise Lacking(SHARE.needs)
        whole_run, suffix = _amount(total)
        amount *= whole_run
    if suffix == EPOCH.suffix:
        if clock.samples_per_epoch is None:
            raise Lacking("samples_per_epoch")
        return whole(amount * exact(clock.samples_per_epoch)), "samples"
    name = {STEP.suffix: "steps", SAMPLE.suffix: "samples", TOKEN.suffix: "tokens"}[suffix]
    known = {"steps", "tokens" if clock.batch_is_in_tokens else "samples"}
    if name not in known and clock.tokens_per_sample is None:
        raise Lacking("tokens_per_sample")
    return whole(Fraction(amount)), name


def invalid_parts(clock: ClockFields) -> Iterator[InitErrorDetails]:
    """What is wrong with the ramps and stages of a clock, each part of which is valid."""
    for path, place in _places(clock):
        if isinstance(place, Duration) and any(suffix == SHARE.suffix for _, suffix in place.terms):
            total = clock.total
            if isinstance(total, int) or (total is not None and not single(total)):
                text = (
                    f"a share of the run, {place}, needs total_steps in samples, tokens or epochs"
                )
                yield at(path, place.text, invalid("clock", f"{text}, found {total}"))
                return
    varies = isinstance(clock.tokens_per_sample, tuple)
    if varies and clock.tokens_per_step is not None and clock.steps_per_epoch is not None:
        text = "steps_per_epoch changes with tokens_per_sample: use samples_per_epoch"
        yield at(("steps_per_epoch",), clock.steps_per_epoch, invalid("rule", text))
        return
    try:
        units_of(clock)
    except Lacking:
        return
    except Disorder as error:
        field = "tokens_per_sample" if error.of_length else "batch_stages"
        text = "from must be reached after that of the stage before"
        yield at((field, error.index, "from"), None, invalid("rule", text))


def _places(clock: ClockFields) -> Iterator[tuple[Path, int | Duration]]:
    """The places in the ramps and stages of a clock, each with its path."""
    if clock.batch_ramp is not None:
        yield ("batch_ramp", "over"), clock.batch_ramp.over
    for name in ("batch_stages", "tokens_per_sample"):
        stages = getattr(clock, name)
        for index, stage in enumerate(stages if isinstance(stages, tuple) else ()):
            yield (name, index, "from"), stage.from_
