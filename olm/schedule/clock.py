"""The clock of a run: its length in steps, and what a step is in epochs, samples and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import replace
from fractions import Fraction
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler

from olm.fields.durations import SHARE, SUCH_AS, UNITS, Duration, duration
from olm.fields.errors import as_spec_error, at, invalid, null, reworded
from olm.fields.rules import Rule, rule, ruled
from olm.fields.types import MAX_STEPS, Number, PositiveCount
from olm.problem import OlmError, SpecError, found
from olm.schedule.run import Run


class Quantity(Number):
    """A number that is kept as an int if it is whole."""

    def __call__(self, value: Any) -> int | float:
        number = super().__call__(value)
        return int(number) if number == int(number) else number

    def _converted(self, value: Any) -> int | float:
        number = super()._converted(value)
        # A whole number may be within the maximum while the nearest float is not.
        return int(value) if isinstance(value, Integral) else number


Quotient = Annotated[float, Quantity(1e-6, MAX_STEPS)]
"""A mean number of steps, below 1 if a step takes several epochs."""

Several = Annotated[float, Quantity(1, MAX_STEPS)]
"""A mean number of at least 1."""


@rule(
    "tokens_per_step",
    "samples_per_step",
    holds=lambda tokens, samples: None in (tokens, samples) or tokens >= samples,
    message="{tokens_per_step} must not be below {samples_per_step}: a sample has at least 1 token",
)
class Clock(BaseModel):
    """The known numbers of a run, by which durations are converted to its steps.

    >>> clock = Clock(total_steps=1000, steps_per_epoch=250)
    >>> [clock.steps(duration) for duration in ("3%", "2ep")]
    [Fraction(30, 1), Fraction(500, 1)]

    A step is an optimizer step: one update of the weights, whatever the number of micro-batches and
    processes.

    Raises:
        SpecError: a field is unknown or not valid, or two fields contradict each other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    rules: ClassVar[tuple[Rule, ...]] = ()

    total_steps: PositiveCount | None = None
    """The run length in optimizer steps."""
    steps_per_epoch: Quotient | None = None
    """Optimizer steps per epoch; not a whole number if a step can span two epochs."""
    samples_per_step: Several | None = None
    """Samples per step, over all micro-batches and processes."""
    tokens_per_step: Several | None = None
    """Tokens per step, over all micro-batches and processes."""

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
        return cls(**{name: getattr(run, name) for name in cls.model_fields})

    def steps(self, lasting: Duration | str) -> Fraction:
        """The exact number of steps of a duration.

        Raises:
            OlmError: the text is not a duration or is ``rest``, or the clock lacks a field for it.
        """
        written = duration(lasting) if isinstance(lasting, str) else lasting
        if written is None:
            raise OlmError(f"must be a duration such as {SUCH_AS}, found {found(lasting)}")
        if written.is_rest:
            raise OlmError("the length of `rest` depends on where it starts")
        if lacks := self.lacks(written):
            raise OlmError(f"{written} needs a clock with {lacks}")
        units = ((amount, UNITS[suffix]) for amount, suffix in written.terms)
        steps = (unit.steps(n, getattr(self, unit.needs, 1)) for n, unit in units)
        return sum(steps, Fraction(0))

    def lacks(self, written: Duration) -> str:
        """The first missing field that a duration needs; empty if the clock can count it.

        >>> Clock(total_steps=1000).lacks(duration("3%+1ep"))
        'steps_per_epoch'
        """
        units = [SHARE] if written.is_rest else [UNITS[suffix] for _, suffix in written.terms]
        fields = (unit.needs for unit in units if unit.needs)
        return next((field for field in fields if getattr(self, field) is None), "")

    def over(self, other: Clock | None) -> Clock:
        """This clock, with the fields that only the other one has.

        Raises:
            SpecError: the fields of the two contradict each other.
        """
        if other is None or other.known.keys() <= self.known.keys():
            return self
        try:
            return type(self)(**{**other.known, **self.known})
        except SpecError as error:
            problems = error.problems
        hint = "one is from this run, the other from the spec"
        raise SpecError(replace(problem.under(("clock",)), hint=hint) for problem in problems)

    def differences(self, other: Clock) -> list[str]:
        """The fields in which another clock differs, a line for each.

        >>> Clock(total_steps=500).differences(Clock(total_steps=1000, steps_per_epoch=100))
        ['total_steps: the spec was written for 1,000, this run has 500']
        """
        return [
            f"{name}: the spec was written for {value:,}, this run has {self.known[name]:,}"
            for name, value in other.known.items()
            if self.known.get(name, value) != value
        ]

    @property
    def known(self) -> dict[str, Any]:
        """The known numbers, by the names of the fields."""
        return {name: value for name, value in self if value is not None}

    def __repr_args__(self) -> Any:
        return [(name, value) for name, value in super().__repr_args__() if value is not None]

    __str__ = BaseModel.__repr__

    @model_validator(mode="wrap")
    @classmethod
    def _report_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return ruled(cls, "a clock", cls.rules, data, handler)


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
