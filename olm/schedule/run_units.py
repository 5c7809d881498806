"""The steps of a run in epochs, samples and tokens, and back, by the fields of a clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

from pydantic import (
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
from olm.fields.errors import at, invalid
from olm.fields.rules import ruled
from olm.fields.types import MAX_STEPS
from olm.problem import OlmError, found
from olm.schedule.clock_fields import ClockFields

if TYPE_CHECKING:
    from olm.schedule.units_per_step import Exact, UnitsPerStep


class RunUnits(ClockFields):
    """The known numbers of a run, with the conversions that follow from them."""

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
        place = start if type(start) is Fraction else Fraction(start)
        for amount, suffix in self._terms(lasting):
            place = self.moved(place, amount, suffix)
        return place - start if start else place

    def steps_until(self, end: int | Fraction, lasting: Duration | str) -> Fraction:
        """The exact number of steps of a duration that ends at a step.

        Raises:
            OlmError: as `steps` does.
        """
        place = end if type(end) is Fraction else Fraction(end)
        for amount, suffix in reversed(self._terms(lasting)):
            place = self.moved(place, -amount, suffix)
        return end - place

    def step_at(self, place: Duration | str) -> Fraction:
        """The step that is reached with a duration since the start, with its fraction.

        >>> from olm.schedule.clock import Clock
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
        return self.units("samples").at(_checked("step", step))

    def samples_at(self, step: int) -> Exact:
        """The number of samples that all steps before a step take.

        Raises:
            OlmError: the clock lacks a field for it, or the step is negative.
        """
        return self.units("samples").before(_checked("step", step))

    def tokens_at(self, step: int) -> Exact:
        """The number of tokens that all steps before a step take.

        Raises:
            OlmError: the clock lacks a field for it, or the step is negative.
        """
        return self.units("tokens").before(_checked("step", step))

    def tokens_per_sample_at(self, step: int) -> Exact:
        """The number of tokens of a sample at a step: the sequence length.

        Raises:
            OlmError: the clock lacks a field for it, or the step is negative.
        """
        step = _checked("step", step)
        tokens, samples = (self.units(unit).at(step) for unit in ("tokens", "samples"))
        return Fraction(tokens) / samples if tokens % samples else int(tokens // samples)

    def accumulate_at(self, step: int, *, micro_batch: int, world_size: int = 1) -> int:
        """The number of micro-batches of each process that make the batch of a step.

        >>> from olm.schedule.clock import Clock
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
        at_once = _checked("micro_batch", micro_batch, 1) * _checked("world_size", world_size, 1)
        batch = self.batch_at(step)
        if batch % at_once:
            text = f"the batch of step {step:,}, {_number(batch)}, is not a multiple of {at_once:,}"
            raise OlmError(f"{text}: micro_batch {micro_batch:,} times world_size {world_size:,}")
        return int(batch // at_once)

    def check_batches(self, *, micro_batch: int, world_size: int = 1) -> None:
        """Check that the batch of every stage is a multiple of what all processes take at once.

        Call it before the run: `accumulate_at` finds a stage that is none only when it begins.

        Args:
            micro_batch: the number of samples in the micro-batch of one process.
            world_size: the number of processes.

        Raises:
            OlmError: the batch of a stage is none; the message names its first step.
        """
        for first in self.units("samples").firsts:
            self.accumulate_at(first, micro_batch=micro_batch, world_size=world_size)

    def lacks_of(self, unit: str) -> str:
        """The field that the clock lacks to count ``samples`` or ``tokens``; empty if none."""
        return self._lacks({"samples": SAMPLE, "tokens": TOKEN}[unit].suffix)

    def values_at(self, step: int) -> dict[str, int | float]:
        """The numbers that change in the course of the run, at a step, by name.

        >>> from olm.schedule.clock import Clock
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
        from olm.schedule.units_per_step import as_number

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
    def counts(self) -> str:
        """What it counts, as `AxisClock` has it."""
        return "steps"

    def is_linear(self, written: Duration) -> bool:
        """Whether a duration is equally many steps wherever it starts."""
        return all(
            suffix in (STEP.suffix, SHARE.suffix)
            or (suffix == EPOCH.suffix and self.steps_per_epoch is not None)
            or self.units("tokens" if suffix == TOKEN.suffix else "samples").is_constant
            for _, suffix in written.terms
        )

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
        if suffix == SHARE.suffix:
            known = self.total_steps is not None
            return "" if known else (self.lacks(self._total) if self._total else SHARE.needs)
        if suffix == EPOCH.suffix:
            if self.steps_per_epoch is not None:
                return ""
            if self.samples_per_epoch is None:
                return "samples_per_epoch" if self.varies else EPOCH.needs
            suffix = SAMPLE.suffix
        units, lacking = self._units
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


def _checked(name: str, number: int, least: int = 0) -> int:
    """A step or a count, if it is a whole number.

    Raises:
        OlmError: it is none, or too small.
    """
    if not isinstance(number, Integral) or isinstance(number, bool) or number < least:
        raise OlmError(f"{name} must be a whole number of at least {least}, found {found(number)}")
    return int(number)


def _number(number: Exact) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{float(number):,g}"
