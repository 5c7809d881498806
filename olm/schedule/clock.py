"""The clock of a run: its length in steps, and what a step is in epochs, samples and tokens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails

from olm.fields.durations import (
    EPOCH,
    SAMPLE,
    SHARE,
    STEP,
    SUCH_AS,
    TOKEN,
    Duration,
    duration,
    exact,
    rounded,
)
from olm.fields.errors import as_spec_error, at, invalid, null, reworded
from olm.fields.imported import ImportedType
from olm.fields.rules import Rule, rule, ruled
from olm.fields.types import MAX_STEPS, Quantity, RoundingWord, RunLength
from olm.problem import OlmError, SpecError, found
from olm.schedule.run import Run

if TYPE_CHECKING:
    from olm.schedule.batches import BatchRamp, BatchStage, SequenceStage
    from olm.schedule.units_per_step import Exact, UnitsPerStep

    BatchStages = tuple[BatchStage, ...]
    PerSample = float | tuple[SequenceStage, ...]
else:
    _STAGES = {"type": "array", "minItems": 1}
    _HOME = "olm.schedule.batches"
    BatchRamp = ImportedType(_HOME, "BatchRamp", "batch_ramp", {"type": "object"})
    BatchStages = ImportedType(_HOME, "BatchStage", "batch_stages", _STAGES)
    PerSample = ImportedType(
        _HOME,
        "SequenceStage",
        "tokens_per_sample",
        {**_STAGES, "type": ["number", "array"], "minimum": 1, "maximum": MAX_STEPS},
    )


Quotient = Annotated[float, Quantity(1e-6, MAX_STEPS)]
"""A mean number of steps, below 1 if a step takes several epochs."""

Several = Annotated[float, Quantity(1, MAX_STEPS)]
"""A mean number of at least 1."""

LENGTH = ("total_steps", "rounding")
BATCH = ("samples_per_step", "tokens_per_step", "batch_ramp", "batch_stages")
EPOCHS = ("steps_per_epoch", "samples_per_epoch")
"""The fields that answer one question about a run."""

_PLANS = ("batch_ramp", "batch_stages")

_Model = TypeVar("_Model", bound=type[BaseModel])


def _either(first: str, second: str, why: str = "") -> Callable[[Any], Any]:
    """Declare that only one of two fields may have a value."""
    return rule(
        first,
        second,
        holds=lambda one, other: one is None or other is None,
        message=f"give {{{first}}} or {{{second}}}, not both{why}",
    )


@rule(
    "tokens_per_step",
    "samples_per_step",
    holds=lambda tokens, samples: None in (tokens, samples) or tokens >= samples,
    message="{tokens_per_step} must not be below {samples_per_step}: a sample has at least 1 token",
)
@rule(
    "tokens_per_step",
    "samples_per_step",
    "tokens_per_sample",
    holds=lambda tokens, samples, each: (
        None in (tokens, samples, each)
        or (isinstance(each, int | float) and exact(samples) * exact(each) == exact(tokens))
    ),
    message="{tokens_per_step} must be {samples_per_step} times {tokens_per_sample}",
)
@_either("batch_ramp", "batch_stages")
@_either("batch_ramp", "samples_per_step", ": the ramp says how large the batch is")
@_either("batch_ramp", "tokens_per_step", ": the ramp says how large the batch is")
@_either("batch_ramp", "steps_per_epoch", ": use samples_per_epoch, since the batch changes")
@_either("batch_stages", "samples_per_step", ": the stages say how large the batch is")
@_either("batch_stages", "tokens_per_step", ": the stages say how large the batch is")
@_either("batch_stages", "steps_per_epoch", ": use samples_per_epoch, since the batch changes")
@_either("samples_per_epoch", "steps_per_epoch")
class Clock(BaseModel):
    """The known numbers of a run, by which durations are converted to its steps.

    >>> clock = Clock(total_steps=1000, steps_per_epoch=250)
    >>> [clock.steps(duration) for duration in ("3%", "2ep")]
    [Fraction(30, 1), Fraction(500, 1)]

    A step is an optimizer step: one update of the weights, whatever the number of micro-batches and
    processes. The batch may change in the course of the run:

    >>> ramp = {"start": 16, "end": 1536, "by": 16, "over": "12e9tok"}
    >>> clock = Clock(total_steps="300e9tok", tokens_per_sample=2048, batch_ramp=ramp)
    >>> clock.total_steps, clock.batch_at(10_000), clock.tokens_at(10_000)
    (111355, 128, 885293056)

    Raises:
        SpecError: a field is unknown or not valid, or two fields contradict each other.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        ignored_types=(cached_property,),
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    total_steps: Annotated[int, RunLength(1, MAX_STEPS)] | None = None
    """The run length in optimizer steps, or a duration such as ``300e9tok``, which is counted."""
    rounding: RoundingWord | None = None
    """How a `total_steps` in another unit is rounded to a step: by default to the nearest one."""
    steps_per_epoch: Quotient | None = None
    """Optimizer steps per epoch; not a whole number if a step can span two epochs."""
    samples_per_epoch: Several | None = None
    """Samples per epoch: the size of the data set. It replaces `steps_per_epoch`."""
    samples_per_step: Several | None = None
    """Samples per step, over all micro-batches and processes."""
    tokens_per_step: Several | None = None
    """Tokens per step, over all micro-batches and processes."""
    tokens_per_sample: PerSample | None = None
    """Tokens per sample: the sequence length, or a list of the stages in which it changes."""
    batch_ramp: BatchRamp | None = None
    """A batch that changes in equal stages, in place of `samples_per_step`."""
    batch_stages: BatchStages | None = None
    """The stages of a batch that changes, in place of `samples_per_step`."""

    _total: Duration | None = PrivateAttr(None)
    """The run length as written, if that is a duration."""

    if not TYPE_CHECKING:
        # For a type checker, pydantic declares a constructor with the fields as its arguments.
        def __init__(self, /, **fields: Any) -> None:
            with as_spec_error():
                super().__init__(**fields)

        # As on BaseModel itself: a clock inside a document is validated without the constructor.
        __init__.__pydantic_base_init__ = True

    @classmethod
    def of_run(
        cls,
        *,
        dataset_size: int | None = None,
        dataloader: Sized | None = None,
        epochs: float | None = None,
        max_steps: int | None = None,
        batch_size: int | None = None,
        accumulate: int = 1,
        world_size: int = 1,
        sequence_length: int | None = None,
        drop_last: bool | None = None,
    ) -> Self:
        """The clock of a run, from the numbers in a training script.

        >>> Clock.of_run(dataset_size=1000, epochs=3, batch_size=16, accumulate=4, world_size=2)
        Clock(total_steps=24, steps_per_epoch=8, samples_per_step=128)

        An epoch ends with a step, even if fewer micro-batches than `accumulate` are left, as in
        transformers, Lightning and Accelerate. A fractional number of epochs ends with the step
        that reaches it.

        Args:
            dataset_size: the number of samples in the data set.
            dataloader: the loader of one process, in place of `dataset_size`. Its length, batch
                size and `drop_last` are used.
            epochs: the number of epochs.
            max_steps: the number of optimizer steps, in place of `epochs`.
            batch_size: the number of samples in the micro-batch of one process.
            accumulate: the number of micro-batches per step.
            world_size: the number of processes, each with a share of the data.
            sequence_length: the number of tokens per sample.
            drop_last: whether an incomplete last batch is dropped; by default it is not. Several
                processes share the data as with torch's DistributedSampler. With Accelerate a
                process may have a batch less: pass its prepared `dataloader`.

        Raises:
            SpecError: arguments are invalid, contradict each other or are missing; the message
                names them.
        """
        with as_spec_error():
            run = Run(
                dataset_size=dataset_size,
                dataloader=dataloader,
                epochs=epochs,
                max_steps=max_steps,
                batch_size=batch_size,
                accumulate=accumulate,
                world_size=world_size,
                sequence_length=sequence_length,
                drop_last=drop_last,
            )
        known = (*LENGTH[:1], *BATCH[:2], *EPOCHS[:1])
        return cls(**{name: getattr(run, name) for name in known})

    def lacks(self, written: Duration) -> str:
        """The field that the clock lacks to count a duration; empty if it can count it."""
        terms = written.terms or ((Fraction(1), SHARE.suffix),)
        lacking = (self._lacks(suffix) for _, suffix in terms)
        return next(filter(None, lacking), "")

    def steps(self, lasting: Duration | str, start: int | Fraction = 0) -> Fraction:
        """The exact number of steps of a duration.

        Args:
            lasting: the duration.
            start: the step at which it starts, which matters if the batch changes.

        Raises:
            OlmError: the text is not a duration or is ``rest``, or the clock lacks a field for it.
        """
        place = Fraction(start)
        for amount, suffix in self._terms(lasting):
            place = self.moved(place, amount, suffix)
        return place - start

    def steps_until(self, end: int | Fraction, lasting: Duration | str) -> Fraction:
        """The exact number of steps of a duration that ends at a step.

        Raises:
            OlmError: as `steps` does.
        """
        place = Fraction(end)
        for amount, suffix in reversed(self._terms(lasting)):
            place = self.moved(place, -amount, suffix)
        return end - place

    def step_at(self, place: Duration | str) -> Fraction:
        """The step that is reached with a duration since the start, with its fraction.

        >>> Clock(batch_stages=[{"from": 0, "samples": 8}, {"from": 10, "samples": 16}]).step_at(
        ...     "104sp")
        Fraction(23, 2)

        Raises:
            OlmError: as `steps` does.
        """
        return self.steps(place)

    def batch_at(self, step: int) -> Exact:
        """The number of samples that a step takes: an int, or a Fraction if it is a mean.

        Raises:
            OlmError: the clock lacks a field for it, or the step is negative.
        """
        return self.units("samples").at(_checked(step))

    def samples_at(self, step: int) -> Exact:
        """The number of samples that all steps before a step take.

        Raises:
            OlmError: the clock lacks a field for it, or the step is negative.
        """
        return self.units("samples").before(_checked(step))

    def tokens_at(self, step: int) -> Exact:
        """The number of tokens that all steps before a step take.

        Raises:
            OlmError: the clock lacks a field for it, or the step is negative.
        """
        return self.units("tokens").before(_checked(step))

    def tokens_per_sample_at(self, step: int) -> Exact:
        """The number of tokens of a sample at a step: the sequence length.

        Raises:
            OlmError: the clock lacks a field for it, or the step is negative.
        """
        tokens, samples = (self.units(unit).at(_checked(step)) for unit in ("tokens", "samples"))
        return Fraction(tokens) / samples if tokens % samples else int(tokens // samples)

    def accumulate_at(self, step: int, *, micro_batch: int, world_size: int = 1) -> int:
        """The number of micro-batches of each process that make the batch of a step.

        >>> stages = [{"from": 0, "samples": 64}, {"from": 100, "samples": 128}]
        >>> clock = Clock(batch_stages=stages)
        >>> [clock.accumulate_at(step, micro_batch=8, world_size=4) for step in (99, 100)]
        [2, 4]

        Args:
            step: the step.
            micro_batch: the number of samples in the micro-batch of one process.
            world_size: the number of processes.

        Raises:
            OlmError: the batch is not a multiple of what all processes take at once, the clock
                lacks a field for it, or a number is invalid.
        """
        at_once = _checked(micro_batch, 1) * _checked(world_size, 1)
        batch = self.batch_at(step)
        if batch % at_once:
            text = f"the batch of step {step:,}, {_number(batch)}, is not a multiple of {at_once:,}"
            raise OlmError(f"{text}: micro_batch {micro_batch:,} times world_size {world_size:,}")
        return int(batch // at_once)

    def lacks_of(self, unit: str) -> str:
        """The field that the clock lacks to count ``samples`` or ``tokens``; empty if none."""
        return self._lacks({"samples": SAMPLE, "tokens": TOKEN}[unit].suffix)

    def values_at(self, step: int) -> dict[str, int | float]:
        """The numbers that change in the course of the run, at a step, by name.

        >>> clock = Clock(batch_stages=[{"from": 0, "samples": 8}, {"from": 9, "samples": 16}])
        >>> clock.values_at(9)
        {'batch_size': 16}
        """
        numbers: dict[str, Exact] = {}
        if self.varies and not self.lacks_of("samples"):
            numbers["batch_size"] = self.batch_at(step)
        elif self.varies and not self.lacks_of("tokens"):
            numbers["tokens_per_step"] = self.units("tokens").at(step)
        if numbers and self._has_plan("tokens_per_sample"):
            numbers["tokens_per_sample"] = self.tokens_per_sample_at(step)
        return {name: as_number(number) for name, number in numbers.items()}

    def units(self, unit: str) -> UnitsPerStep:
        """How many ``samples`` or ``tokens`` each step takes.

        Raises:
            OlmError: the clock lacks a field for it.
        """
        if lacking := self.lacks_of(unit):
            raise OlmError(f"the number of {unit} in a step needs a clock with {lacking}")
        return self._units[0][unit]

    @property
    def varies(self) -> bool:
        """Whether the batch or the sequence length changes in the course of the run."""
        return any(map(self._has_plan, (*_PLANS, "tokens_per_sample")))

    @property
    def counts(self) -> str:
        """What it counts, as `AxisClock` has it."""
        return "steps"

    @property
    def has_constant_length(self) -> bool:
        """Whether the sequence length is known to be constant."""
        if self.tokens_per_sample is None:
            return not self.varies
        return isinstance(self.tokens_per_sample, int | float)

    def is_linear(self, written: Duration) -> bool:
        """Whether a duration is equally many steps wherever it starts."""
        return all(
            suffix in (STEP.suffix, SHARE.suffix)
            or (suffix == EPOCH.suffix and self.steps_per_epoch is not None)
            or self.units("tokens" if suffix == TOKEN.suffix else "samples").is_constant
            for _, suffix in written.terms
        )

    @property
    def total(self) -> Duration | int | None:
        """The run length as written."""
        return self.total_steps if self._total is None else self._total

    @property
    def batch_is_in_tokens(self) -> bool:
        """Whether the batch is known in tokens, not in samples."""
        if self.batch_stages is not None:
            return self.batch_stages[0].samples is None
        return self.batch_ramp is None and self.samples_per_step is None

    def _has_plan(self, field: str) -> bool:
        return not isinstance(getattr(self, field), int | float | None)

    def _terms(self, lasting: Duration | str) -> tuple[tuple[Fraction, str], ...]:
        """The terms of a duration that the clock can count."""
        written = duration(lasting) if isinstance(lasting, str) else lasting
        if written is None:
            raise OlmError(f"must be a duration such as {SUCH_AS}, found {found(lasting)}")
        if written.is_rest:
            raise OlmError("the length of `rest` depends on where it starts")
        if lacking := self.lacks(written):
            raise OlmError(f"{written} needs a clock with {lacking}")
        return written.terms

    def moved(self, place: Fraction, amount: Fraction, suffix: str) -> Fraction:
        """The step that is an amount of a unit after another one."""
        if suffix == STEP.suffix:
            return place + amount
        if suffix == SHARE.suffix:
            return place + amount * (self.total_steps or 0)
        if suffix == EPOCH.suffix:
            if self.steps_per_epoch is not None:
                return place + amount * exact(self.steps_per_epoch)
            amount *= exact(self.samples_per_epoch or 0)
        units = self._units[0]["tokens" if suffix == TOKEN.suffix else "samples"]
        return units.step_at(units.before(place) + amount)

    def _lacks(self, suffix: str) -> str:
        """The field that is missing for a unit; empty if none is."""
        units, lacking = self._units
        if suffix == SHARE.suffix:
            known = self.total_steps is not None
            return "" if known else (self.lacks(self._total) if self._total else SHARE.needs)
        if suffix == EPOCH.suffix and self.steps_per_epoch is None:
            if self.samples_per_epoch is None:
                return "samples_per_epoch" if self.varies else EPOCH.needs
            suffix = SAMPLE.suffix
        if suffix == SAMPLE.suffix and "samples" not in units:
            per_sample = self.tokens_per_step is not None or self.batch_stages is not None
            return lacking or ("tokens_per_sample" if per_sample else SAMPLE.needs)
        if suffix == TOKEN.suffix and "tokens" not in units:
            return lacking or ("tokens_per_sample" if self.varies else TOKEN.needs)
        return ""

    @cached_property
    def _units(self) -> tuple[Mapping[str, UnitsPerStep], str]:
        """The samples and tokens per step, as far as they are known, and the field that lacks."""
        from olm.schedule.batches import Lacking, units_of

        try:
            return units_of(self), ""
        except Lacking as error:
            return {}, error.field

    def over(self, other: Clock | None) -> Clock:
        """This clock, with the fields that only the other one has.

        A question that this clock answers is not answered by the other: a ramp replaces a constant
        batch and the steps of an epoch, and `samples_per_epoch` replaces `steps_per_epoch`.

        Raises:
            SpecError: the fields of the two contradict each other.
        """
        if other is None or other.known.keys() <= self.known.keys():
            return self
        if self._yields and other.plans_batch:
            known = self.known.items()
            mine = {name: value for name, value in known if name not in (*BATCH, *EPOCHS)}
            return type(self)(**mine).over(other)
        settled = {name for name in self._settled() if name not in self.known}
        if other.plans_batch and any(name in self.known for name in BATCH):
            settled |= {*BATCH}
        theirs = {name: value for name, value in other.known.items() if name not in settled}
        try:
            made = type(self)(**{**theirs, **self.known})
        except SpecError as error:
            problems = error.problems
        else:
            own = any(name in self.known for name in (*BATCH, *EPOCHS))
            return made.yielding() if other._yields and not own else made
        hint = "one is from this run, the other from the spec"
        raise SpecError(replace(problem.under(("clock",)), hint=hint) for problem in problems)

    def _settled(self) -> Iterator[str]:
        """The fields of questions that this clock answers, each of which excludes the others."""
        if self.total_steps is not None or self._total is not None:
            yield from LENGTH
        if self.plans_batch:
            yield from (*BATCH, "steps_per_epoch")
        if self.samples_per_epoch is not None or self.steps_per_epoch is not None:
            yield from EPOCHS

    def yielding(self) -> Clock:
        """The same clock as a trainer knows it: a batch that another clock plans overrides its own.

        >>> plan = Clock(batch_stages=[{"from": 0, "samples": 8}])
        >>> Clock(total_steps=9, samples_per_step=4).yielding().over(plan).batch_at(0)
        8
        """
        copy = self.model_copy()
        # Not a field: two clocks with the same numbers are equal.
        copy.__dict__["_yields"] = True
        return copy

    @property
    def _yields(self) -> bool:
        return "_yields" in self.__dict__

    @property
    def plans_batch(self) -> bool:
        """Whether it plans a batch that changes."""
        return any(map(self._has_plan, _PLANS))

    def differences(self, other: Clock) -> list[str]:
        """The fields in which another clock differs, a line for each.

        >>> Clock(total_steps=500).differences(Clock(total_steps=1000, steps_per_epoch=100))
        ['total_steps: the spec was written for 1,000, this run has 500']
        """
        return [
            f"{name}: the spec was written for {_in_words(value)}, "
            f"this run has {_in_words(self.known[name])}"
            for name, value in other.known.items()
            if self.known.get(name, value) != value
        ]

    @property
    def known(self) -> dict[str, Any]:
        """The known numbers as plain values, by the names of the fields."""
        written = {"total_steps": self._total.text} if self._total is not None else {}
        values = {name: _plain(value) for name, value in self if value is not None}
        return {
            name: written.get(name, values.get(name))
            for name in type(self).model_fields
            if name in written or name in values
        }

    def __repr_args__(self) -> Any:
        return list(self.known.items())

    __str__ = BaseModel.__repr__

    @model_validator(mode="wrap")
    @classmethod
    def _report_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        made = ruled(cls, "a clock", cls.rules, data, handler)
        if isinstance(made.total_steps, Duration):
            made._total, made.__dict__["total_steps"] = made.total_steps, None
        if made.varies or made._total is not None:
            from olm.schedule.batches import invalid_parts

            errors = [*invalid_parts(made)] or [*made._count_total()]
            if errors:
                raise ValidationError.from_exception_data(cls.__name__, errors)
        return made

    def _count_total(self) -> Iterator[InitErrorDetails]:
        """Count the run length, if it is a duration and the clock knows its unit."""
        if self._total is None or self.lacks(self._total):
            return
        exactly = self.steps(self._total)
        if 0 < exactly <= MAX_STEPS:
            steps = rounded(exactly, self.rounding or "nearest")
            self.__dict__["total_steps"] = max(steps, 1)
        else:
            is_steps = f"{self._total}, which is {float(exactly):,.10g} steps"
            text = f"must be from 1 to {MAX_STEPS:,} steps, found {is_steps}"
            yield at(("total_steps",), self._total.text, invalid("range", text))


def clock_of(value: Any) -> Clock:
    """The clock in a mapping.

    Raises:
        ValidationError: with all errors.
    """
    if isinstance(value, Clock):
        return value
    if not isinstance(value, Mapping):
        raise invalid("type", f"must be a mapping such as total_steps: 1000, found {found(value)}")
    left_out = [name for name in Clock.model_fields if value.get(name, 0) is None]
    errors = [at((name,), None, null()) for name in left_out]
    try:
        clock = Clock.model_validate(
            {key: number for key, number in value.items() if number is not None}
        )
    except ValidationError as error:
        details = error.errors(include_url=False)
        errors += (reworded(detail, "a clock", Clock.model_fields) for detail in details)
    if errors:
        raise ValidationError.from_exception_data("Clock", errors)
    return clock


def _checked(number: int, least: int = 0) -> int:
    """A step or a count, if it is a whole number.

    Raises:
        OlmError: it is none, or too small.
    """
    if not isinstance(number, Integral) or isinstance(number, bool) or number < least:
        raise OlmError(f"must be a whole number of at least {least}, found {found(number)}")
    return int(number)


def as_number(number: Exact) -> int | float:
    """A number as plain JSON has it."""
    return number if isinstance(number, int) else float(number)


def _number(number: Exact) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{float(number):,g}"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.as_document() if hasattr(value, "as_document") else value


def _in_words(value: Any) -> str:
    """A value of a field in a message."""
    if isinstance(value, int | float):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value)
