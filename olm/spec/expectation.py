"""What a spec expects of itself: numbers at steps, the schedule's own unit test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isclose
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, InitErrorDetails

from olm.fields.durations import Rounding
from olm.fields.errors import at, invalid, reworded_all
from olm.fields.imported import there
from olm.fields.types import MAX_RATE, Items, Length, Number, PartialShare, Rate, StepIndex
from olm.problem import Path, Problem, RateError, found, only_near
from olm.spec.hyperparameters import LR, NUMBER_SCHEMA, number_name
from olm.spec.param_groups import GROUP_SCHEMA, group_name
from olm.spec.root_keys import Root

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.schedule.schedule import Schedule
    from olm.spec.spec import Spec

NEGLIGIBLE = 1e-12
"""The part of the base rate that is as good as 0: cosines do not end at it exactly."""

OwnNumber = Annotated[float, Number(0.0, MAX_RATE)]


class ExpectedRate(BaseModel):
    """The rate that a step is expected to train with."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    step: StepIndex
    """The step, counted from 0."""
    lr: Rate
    """The rate that it trains with."""


class ExpectedValue(BaseModel):
    """A number that a target, or the root, is expected to give at a step."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    step: StepIndex
    """The step, counted from 0."""
    of: Annotated[str, Field(json_schema_extra=NUMBER_SCHEMA), BeforeValidator(number_name)]
    """The hyperparameter, such as `weight_decay`, or the value."""
    group: Annotated[
        Annotated[str, Field(json_schema_extra=GROUP_SCHEMA)] | None, BeforeValidator(group_name)
    ] = None
    """The param group; by default those that no target names."""
    base: Annotated[OwnNumber | None, BeforeValidator(there)] = None
    """The group's own number, where neither the target nor `optimizer` has it."""
    is_: OwnNumber = Field(alias="is")
    """The number that is expected."""


class Expectation(BaseModel):
    """What ``expect:`` says at the root of a spec: the numbers that it must have at some steps.

    >>> from olm.spec.spec import parse
    >>> spec = parse({"kind": "LinearLR", "total_steps": 4,
    ...               "expect": {"base_lr": 0.5, "rates": [{"step": 1, "lr": 0.3}]}})
    >>> print(*unmet(spec))
    expect.rates[0].lr: error[expectation]: at step 1 the rate is 0.375, expected 0.3
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        json_schema_extra={"if": {"required": ["values"]}, "else": {"required": ["rates"]}},
    )

    base_lr: Annotated[Rate | None, BeforeValidator(there)] = None
    """The base rate for which the rates are stated; by default the `lr` of `optimizer`."""
    rates: Annotated[Items[ExpectedRate], Length(1)] = ()
    """The rates that are expected, each at a step."""
    values: Annotated[Items[ExpectedValue], Length(1)] = ()
    """The numbers that are expected of the targets in `also`, each at a step."""
    tolerance: PartialShare = 1e-6
    """How far a number may be from the expected one, as a share of it."""

    def as_document(self) -> dict[str, Any]:
        """The expectation as plain values, without what it does not specify."""
        document = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {name: value for name, value in document.items() if value != []}


def expected(value: Any) -> Expectation:
    """The expectation that a mapping says.

    Raises:
        ValidationError: with every problem that there is.
    """
    if not isinstance(value, Mapping | Expectation):
        text = f"must be a mapping with rates or values, found {found(value)}"
        raise invalid("type", text)
    details = [*_missing(value)] if isinstance(value, Mapping) else []
    try:
        made = Expectation.model_validate(value)
    except ValidationError as error:
        details += error.errors(include_url=False)
    if not details:
        return made
    errors: list[InitErrorDetails] = []
    for parent in dict.fromkeys(detail["loc"][:-1] for detail in details):
        model = _MODELS.get(str(*parent[:1]), Expectation)
        here = [detail for detail in details if detail["loc"][:-1] == parent]
        errors += reworded_all(here, "an expectation", _fields(model))
    raise ValidationError.from_exception_data("Expectation", errors)


_MODELS: dict[str, type[BaseModel]] = {"rates": ExpectedRate, "values": ExpectedValue}
"""The models of the items of lists."""


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the names that a document has for them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _missing(value: Mapping[str, Any]) -> Iterator[ErrorDetails]:
    """The field that is missing: `rates`, unless there are `values`.

    It is an error of pydantic, as for fields that are always required.
    """
    meant = {*value, *(only_near(str(name), Expectation.model_fields) for name in value)}
    if "values" not in meant and "rates" not in value:
        yield {"type": "missing", "loc": ("rates",), "input": value, "msg": ""}


def contradictions(root: Root, expect: Expectation) -> Iterator[InitErrorDetails]:
    """The base rate that an expectation lacks, or has otherwise than the rest of the document."""
    own = dict(root.optimizer).get(LR)
    if expect.base_lr is None:
        if expect.rates and own is None:
            text = "rates need `base_lr`, or `lr` under `optimizer`"
            yield at(("expect", "rates"), expect.rates, invalid("expectation", text))
    elif own is not None and own != expect.base_lr:
        text = f"base_lr is {expect.base_lr!r}, and lr under `optimizer` is {own!r}"
        hint = "leave base_lr out"
        yield at(("expect", "base_lr"), expect.base_lr, invalid("expectation", text, hint=hint))


def needs() -> dict[str, Any]:
    """The JSON Schema of what a document with expected rates has beside them."""
    without_base = {"required": ["rates"], "not": {"required": ["base_lr"]}}
    return {
        "if": {"type": "object", "required": ["kind"], "properties": {"expect": without_base}},
        "then": {"required": ["optimizer"], "properties": {"optimizer": {"required": [LR]}}},
    }


def counted(expect: Expectation, clock: Clock, rounding: Rounding) -> Expectation:
    """The same expectation with every step as a number.

    Raises:
        SpecError: the clock does not know what a step needs.
    """
    from olm.schedule.counting import steps_at

    lists: dict[str, tuple[ExpectedRate | ExpectedValue, ...]]
    lists = {"rates": expect.rates, "values": expect.values}
    placed: dict[Path, ExpectedRate | ExpectedValue] = {
        ("expect", name, index): item
        for name, expected in lists.items()
        for index, item in enumerate(expected)
    }
    steps = steps_at({(*path, "step"): item.step for path, item in placed.items()}, clock, rounding)
    update: dict[str, Any] = {"rates": (), "values": ()}
    for path, item, step in zip(placed, placed.values(), steps, strict=True):
        update[str(path[1])] += (item.model_copy(update={"step": step}),)
    return expect.model_copy(update=update)


def is_counted(expect: Expectation) -> bool:
    """Whether every step is a number."""
    steps = [*(item.step for item in expect.rates), *(item.step for item in expect.values)]
    return all(isinstance(step, int) for step in steps)


def unmet(spec: Spec) -> Iterator[Problem]:
    """Where a spec in steps differs from what it expects, a problem for each number."""
    expect = spec.expect
    if expect is None:
        return
    base = base_rate(spec, expect)
    rates = _rates(spec.schedule, [item.step for item in expect.rates], base)
    for index, (item, rate) in enumerate(zip(expect.rates, rates, strict=True)):
        path, start = ("expect", "rates", index, "lr"), f"at step {item.step:,} "
        if isinstance(rate, RateError):
            yield Problem("expectation", f"{start}there is no rate: {rate}", path)
        elif not is_near(rate, item.lr, expect, base):
            yield Problem("expectation", f"{start}the rate is {rate!r}, expected {item.lr!r}", path)
    if expect.values:
        from olm.spec.expected_values import unmet_values

        yield from unmet_values(spec, expect)


def is_near(number: float, expected: float, expect: Expectation, base: float) -> bool:
    """Whether a number is as expected, within the tolerance."""
    return isclose(number, expected, rel_tol=expect.tolerance, abs_tol=NEGLIGIBLE * base)


def base_rate(root: Root, expect: Expectation) -> float:
    """The base rate for which the rates are stated; 0 if there is none, and then no rate either."""
    return dict(root.optimizer).get(LR, 0.0) if expect.base_lr is None else expect.base_lr


def _rates(schedule: Schedule, steps: list[Any], base: float) -> Iterable[float | RateError]:
    """The rate at each step, all at once unless one of them is none."""
    if not steps:
        return ()
    try:
        rates: list[float] = schedule.lr(steps, base).tolist()
    except RateError:
        return (_rate(step, base, schedule) for step in steps)
    return rates


def _rate(step: int, base: float, schedule: Schedule) -> float | RateError:
    try:
        return schedule.lr(step, base)
    except RateError as error:
        return error
