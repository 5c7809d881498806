"""The clock of a run: its length in steps, and what a step is in epochs, samples and tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Any, Self

from pydantic import (
    ValidationError,
)

from olm.fields.errors import as_spec_error, at, invalid, null, problems_of, reworded
from olm.problem import OlmError, SpecError, found
from olm.schedule.clock_fields import BATCH, EPOCHS, LENGTH
from olm.schedule.run import Run
from olm.schedule.run_units import RunUnits

if TYPE_CHECKING:
    from olm.fields.types import RunSteps, default


class Clock(RunUnits):
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

    if TYPE_CHECKING:
        # pydantic's plugin for mypy forgets the types of inherited fields.
        total_steps: RunSteps = default(None)

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

    def over(self, other: Clock | None) -> Clock:
        """This clock, with the fields that only the other one has.

        A question that this clock answers is not answered by the other: a ramp replaces a constant
        batch and the steps of an epoch, and `samples_per_epoch` replaces `steps_per_epoch`.

        Raises:
            SpecError: the fields of the two contradict each other.
        """
        if other is None or other is self or other.known.keys() <= self.known.keys():
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
        raise SpecError(problem.under(("clock",))._replace(hint=hint) for problem in problems)

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


def clock_given(clock: Any) -> Clock | None:
    """The clock that a caller passes: a Clock, or a mapping of its fields.

    >>> clock_given({"total_steps": 160})
    Clock(total_steps=160)

    Raises:
        OlmError: it is neither.
        SpecError: a field of the mapping is invalid.
    """
    if clock is None or isinstance(clock, Clock):
        return clock
    if not isinstance(clock, Mapping):
        whole = isinstance(clock, int) and not isinstance(clock, bool)
        example = f"clock=olm.Clock(total_steps={clock if whole else 1000})"
        raise OlmError(f"clock must be an olm.Clock, such as {example}, found {found(clock)}")
    try:
        return clock_of(clock)
    except ValidationError as error:
        problems = [problem.under(("clock",)) for problem in problems_of(error)]
    raise SpecError(problems)


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


def _in_words(value: Any) -> str:
    """A value of a field in a message."""
    if isinstance(value, int | float):
        return f"{value:,}"
    if isinstance(value, str):
        return value
    # Few checks need it.
    import json

    return json.dumps(value)
