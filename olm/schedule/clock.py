"""What a run is: how many steps it has, and what a step is in epochs, samples and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import replace
from fractions import Fraction
from numbers import Integral
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler

from olm.fields.durations import REST, SUCH_AS, UNITS, Duration, duration
from olm.fields.errors import at, mistake, problems_of, reworded
from olm.fields.rules import Rule, rule, ruled
from olm.fields.types import MAX_STEPS, Number, PositiveCount
from olm.problem import OlmError, SpecError, found
from olm.schedule.run import Run


class Quantity(Number):
    """A number that is kept as an int where it is whole."""

    def __call__(self, value: Any) -> int | float:
        number = super().__call__(value)
        return int(number) if number == int(number) else number

    def _converted(self, value: Any) -> int | float:
        number = super()._converted(value)
        # The float nearest to a whole number that is too large may not be.
        return int(value) if isinstance(value, Integral) else number


Quotient = Annotated[float, Quantity(1e-6, MAX_STEPS)]
"""How many there are in the mean; fewer than one, if it takes several epochs."""

Several = Annotated[float, Quantity(1, MAX_STEPS)]
"""How many there are in the mean, at least 1."""


@rule(
    "tokens_per_step",
    "samples_per_step",
    holds=lambda tokens, samples: None in (tokens, samples) or tokens >= samples,
    message="{tokens_per_step} must not be below {samples_per_step}: a sample has a token at least",
)
class Clock(BaseModel):
    """What a run is, as far as it is known, so that durations can be counted in its steps.

    >>> clock = Clock(total_steps=1000, steps_per_epoch=250)
    >>> [clock.steps(duration) for duration in ("3%", "2ep")]
    [Fraction(30, 1), Fraction(500, 1)]

    A step is an optimizer step: one update of the weights, however many micro-batches and
    processes it takes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    rules: ClassVar[tuple[Rule, ...]] = ()

    total_steps: PositiveCount | None = None
    """How many optimizer steps the run has."""
    steps_per_epoch: Quotient | None = None
    """How many optimizer steps an epoch has; not a whole number, if a step may span two epochs."""
    samples_per_step: Several | None = None
    """How many samples a step sees, over all micro-batches and processes."""
    tokens_per_step: Several | None = None
    """How many tokens a step sees, over all micro-batches and processes."""

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
        """The clock of a run, from what a training script knows.

        >>> Clock.of_run(dataset_size=1000, epochs=3, batch_size=16, accumulate=4, world_size=2)
        Clock(total_steps=24, steps_per_epoch=8, samples_per_step=128)

        An epoch ends with a step, also where fewer micro-batches than `accumulate` are left, as in
        transformers, Lightning and Accelerate; a broken number of epochs ends with the step that
        reaches it.

        Args:
            dataset_size: how many samples the data set has.
            dataloader: in its place, what gives the batches of one process: its length, batch size
                and `drop_last` are taken from it.
            epochs: how often the data are seen.
            max_steps: in its place, how many optimizer steps the run has.
            batch_size: how many samples are in a batch: the micro-batch of one process.
            accumulate: how many micro-batches make a step.
            world_size: how many processes there are, each with a share of the data.
            sequence_length: how many tokens a sample has.
            drop_last: whether a last batch that is not full is left out; if not told, it is not.
                Several processes then share as by torch's DistributedSampler; Accelerate's may
                have a batch less: give its prepared `dataloader`.

        Raises:
            ValidationError: something contradicts something else, or is missing; it names both.
        """
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
        """How many steps a duration is, exactly.

        Raises:
            OlmError: it is none, or the rest, or the clock does not know what it needs.
        """
        this = duration(lasting) if isinstance(lasting, str) else lasting
        if this is None:
            raise OlmError(f"a duration is written such as {SUCH_AS}, found {found(lasting)}")
        if this.unit == REST:
            raise OlmError("how long the rest is depends on where it begins")
        value = getattr(self, this.needs)
        if value is None:
            raise OlmError(f"{this} needs the clock's {this.needs}")
        return UNITS[this.unit].steps(this.amount, value)

    def over(self, other: Clock | None) -> Clock:
        """This clock, with what only the other one knows.

        Raises:
            SpecError: what the other one knows contradicts this one.
        """
        if other is None or other.known.keys() <= self.known.keys():
            return self
        try:
            return type(self)(**{**other.known, **self.known})
        except ValidationError as error:
            problems = problems_of(error)
        hint = "one of them is this run's, the other the spec's"
        raise SpecError(replace(problem.under(("clock",)), hint=hint) for problem in problems)

    def differences(self, other: Clock) -> list[str]:
        """What another clock says otherwise, a line a field.

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
        """What is known, by the names of the fields."""
        return {name: value for name, value in self if value is not None}

    def __repr_args__(self) -> Any:
        return [(name, value) for name, value in super().__repr_args__() if value is not None]

    __str__ = BaseModel.__repr__

    @model_validator(mode="wrap")
    @classmethod
    def _tell_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return ruled(cls, "a clock", cls.rules, data, handler)


def clock_of(value: Any) -> Clock:
    """The clock that a mapping says.

    Raises:
        ValidationError: with every problem that there is.
    """
    if isinstance(value, Clock):
        return value
    if not isinstance(value, Mapping):
        raise mistake("type", f"must be a mapping such as total_steps: 1000, found {found(value)}")
    left_out = [name for name in Clock.model_fields if value.get(name, 0) is None]
    errors = [
        at((name,), None, mistake("type", "must be left out rather than null")) for name in left_out
    ]
    try:
        clock = Clock.model_validate({key: one for key, one in value.items() if one is not None})
    except ValidationError as error:
        details = error.errors(include_url=False)
        errors += (reworded(detail, "a clock", Clock.model_fields) for detail in details)
    if errors:
        raise ValidationError.from_exception_data("Clock", errors)
    return clock
