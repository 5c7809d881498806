"""What a spec expects of itself: rates at steps, the schedule's own unit test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isclose
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import InitErrorDetails

from olm.fields.errors import invalid, reworded_all
from olm.fields.types import Length, Listed, PartialShare, Rate, StepIndex
from olm.problem import Problem, RateError, found

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.schedule.schedule import Schedule

NEGLIGIBLE = 1e-12
"""The part of the base rate that is as good as 0: cosines do not end at it exactly."""


class ExpectedRate(BaseModel):
    """The rate that a step is expected to train with."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    step: StepIndex
    """The step, counted from 0."""
    lr: Rate
    """The rate that it trains with."""


class Expectation(BaseModel):
    """What ``expect:`` says at the root of a spec: the rates that it must have at some steps.

    >>> from olm.spec.spec import parse
    >>> spec = parse({"kind": "LinearLR", "total_steps": 4,
    ...               "expect": {"base_lr": 0.5, "rates": [{"step": 1, "lr": 0.3}]}})
    >>> print(*unmet(spec.expect, spec.schedule))
    expect.rates[0].lr: error[expectation]: at step 1 the rate is 0.375, expected 0.3
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    base_lr: Rate
    """The base rate for which the rates are stated."""
    rates: Annotated[Listed[ExpectedRate], Length(1)]
    """The rates that are expected, each at a step."""
    tolerance: PartialShare = 1e-6
    """How far a rate may be from the expected one, as a share of it."""


def expected(value: Any) -> Expectation:
    """The expectation that a mapping says.

    Raises:
        ValidationError: with every problem that there is.
    """
    if not isinstance(value, Mapping | Expectation):
        raise invalid("type", f"must be a mapping with base_lr and rates, found {found(value)}")
    try:
        return Expectation.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    errors: list[InitErrorDetails] = []
    for parent in dict.fromkeys(detail["loc"][:-1] for detail in details):
        fields = (ExpectedRate if "rates" in parent else Expectation).model_fields
        there = [detail for detail in details if detail["loc"][:-1] == parent]
        errors += reworded_all(there, "an expectation", fields)
    raise ValidationError.from_exception_data("Expectation", errors)


def counted(expect: Expectation, clock: Clock) -> Expectation:
    """The same expectation with every step as a number.

    Raises:
        SpecError: the clock does not know what a step needs.
    """
    from olm.schedule.counting import steps_at

    steps = steps_at(
        {("expect", "rates", index, "step"): one.step for index, one in enumerate(expect.rates)},
        clock,
    )
    rates = tuple(
        ExpectedRate(step=step, lr=one.lr) for step, one in zip(steps, expect.rates, strict=True)
    )
    return Expectation(base_lr=expect.base_lr, rates=rates, tolerance=expect.tolerance)


def is_counted(expect: Expectation) -> bool:
    """Whether every step is a number."""
    return all(isinstance(one.step, int) for one in expect.rates)


def unmet(expect: Expectation, schedule: Schedule) -> Iterator[Problem]:
    """What the schedule does otherwise, a problem for each rate.

    Args:
        expect: what is expected.
        schedule: of which it is.
    """
    for index, (one, rate) in enumerate(zip(expect.rates, _rates(expect, schedule), strict=True)):
        path, start = ("expect", "rates", index, "lr"), f"at step {one.step:,} "
        if isinstance(rate, RateError):
            yield Problem("expectation", f"{start}there is no rate: {rate}", path)
        elif not _is_near(rate, one.lr, expect):
            yield Problem("expectation", f"{start}the rate is {rate!r}, expected {one.lr!r}", path)


def _is_near(rate: float, expected: float, expect: Expectation) -> bool:
    negligible = NEGLIGIBLE * expect.base_lr
    return isclose(rate, expected, rel_tol=expect.tolerance, abs_tol=negligible)


def _rates(expect: Expectation, schedule: Schedule) -> Iterable[float | RateError]:
    """The rate at each step, all at once unless one of them is none."""
    steps = [one.step for one in expect.rates]
    try:
        rates: list[float] = schedule.lr(steps, expect.base_lr).tolist()
    except RateError:
        return (_rate(step, expect, schedule) for step in steps)
    return rates


def _rate(step: int, expect: Expectation, schedule: Schedule) -> float | RateError:
    try:
        return schedule.lr(step, expect.base_lr)
    except RateError as error:
        return error
