"""The types of the fields of kinds: bounded steps, rates, factors, and lists."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, Self, TypeVar, overload

from pydantic import BaseModel, BeforeValidator, GetCoreSchemaHandler, Strict
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from olm.fields.durations import (
    SUCH_AS,
    UNITS,
    WHOLE_RUN_SUCH_AS,
    Duration,
    Rounding,
    duration,
    hint_of,
    pattern,
)
from olm.fields.errors import invalid
from olm.problem import SHOWN, Fix, found, quantity
from olm.text.scalars import for_every_reader

MAX_STEPS = 2**53
"""The longest schedule: the whole numbers up to here are exact in float64 and in JSON."""

TINY = 5e-324
"""The smallest number above 0."""

ALMOST_ONE = 1 - 2**-53
"""The largest number below 1."""

MAX_RATE = 1.7976931348623157e308
"""The largest rate or factor: any finite float64. A schema needs a maximum against infinities."""


_NUMBER_STARTS = frozenset("0123456789+-.")


@dataclass(frozen=True)
class Number:
    """The numbers that a field accepts. pydantic calls it to validate a value.

    Python's and numpy's numbers are valid, strings and bools are not. A whole number may be an
    integral float (``1e3``), as in JSON Schema.

    >>> Number(0, 10, whole=True)(1e1)
    10
    """

    minimum: int | float
    maximum: int | float
    whole: bool = False

    def __call__(self, value: Any) -> int | float:
        # Most numbers have these types, and the checks for other types are slow.
        if type(value) is int or (type(value) is float and not self.whole):
            number: int | float = value
            if self.minimum <= number <= self.maximum:
                return number if self.whole else number + 0.0
        number = self._converted(value)
        if number < self.minimum:
            least = "above 0" if self.minimum == TINY else f"at least {self.minimum:.17g}"
            raise invalid("range", f"must be {least}, found {found(value)}")
        if number > self.maximum:
            most = "below 1" if self.maximum == ALMOST_ONE else f"at most {self.maximum:.17g}"
            raise invalid("range", f"must be {most}, found {found(value)}")
        return number

    def _converted(self, value: Any) -> int | float:
        if isinstance(value, numbers.Integral) and not isinstance(value, bool):
            exact = int(value)
            # An int may be too large for a float. Its range is then checked as an int.
            return exact if self.whole or abs(exact) > MAX_RATE else float(exact)
        if isinstance(value, numbers.Real) and not isinstance(value, bool):
            number = float(value)
            if abs(number) <= MAX_RATE and (not self.whole or number.is_integer()):
                # Adding zero removes the sign of -0.0, which would be a second spelling of 0.0.
                return int(number) if self.whole else number + 0.0
        wanted = "a whole number" if self.whole else "a finite number"
        raise invalid("type", f"must be {wanted}, found {found(value)}", **self._instead(value))

    def _instead(self, value: Any) -> dict[str, Any]:
        """The hint and fix for a value that is not a valid number."""
        return _number_in(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        name = "integer" if self.whole else "number"
        return {"type": name, "minimum": self.minimum, "maximum": self.maximum}


class Quantity(Number):
    """A number that is kept as an int if it is whole."""

    def __call__(self, value: Any) -> int | float:
        number = super().__call__(value)
        return int(number) if number == int(number) else number

    def _converted(self, value: Any) -> int | float:
        number = super()._converted(value)
        # A whole number may be within the maximum while the nearest float is not.
        return int(value) if isinstance(value, numbers.Integral) else number


@dataclass(frozen=True)
class StepCount(Number):
    """A number or index of optimizer steps, or a `Duration` until a clock counts it.

    >>> StepCount(0, 10, whole=True)("3%")
    '3%'
    """

    whole: bool = True
    rest: bool = True
    """Whether it is a length, which may be ``rest``."""
    shares: bool = True
    """Whether it may be a share of the run."""

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._duration(value)
        if isinstance(value, Duration):
            return self._duration(value.text)
        return super().__call__(value)

    def _instead(self, value: Any) -> dict[str, Any]:
        return _share_in(value)

    def _duration(self, text: str) -> Duration:
        written = duration(text)
        if written is None:
            raise self._no_duration(text)
        if written.is_rest and not self.rest:
            raise invalid("duration", self._no_rest)
        if not self.shares and any(UNITS[suffix].is_share for _, suffix in written.terms):
            raise invalid("duration", f"must not be a share of itself, found {found(text)}")
        if text.startswith("-") and self.minimum >= 0:
            raise self._no_duration(text)
        if self.minimum > 0 and written.is_zero:
            raise invalid("duration", f"must be above 0, found {found(text)}")
        return written

    @property
    def _no_rest(self) -> str:
        return "must be a step, and `rest` is a length"

    @property
    def _such_as(self) -> str:
        return SUCH_AS

    def _no_duration(self, text: str) -> PydanticCustomError:
        if number := _number_in(text):
            value = float(number["fix"].text)
            instead = number if value.is_integer() else _share_in(value)
            return invalid("type", f"must be a whole number, found {found(text)}", **instead)
        hint, right = hint_of(text) if len(text) <= SHOWN else ("", None)
        wanted = f"must be a whole number or a duration such as {self._such_as}"
        if not right and text[:1] not in _NUMBER_STARTS:
            return invalid("type", f"must be a whole number, found {found(text)}", hint=hint)
        # A duration is a string and keeps its quotes; a number of steps does not.
        fix = Fix(right, in_quotes=not right.isdigit()) if right else None
        return invalid("duration", f"{wanted}, found {found(text)}", hint=hint, fix=fix)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        units = [unit for unit in UNITS.values() if self.shares or not unit.is_share]
        forms = [f"{unit.example} ({unit.plural})" for unit in units if unit.example]
        forms += ["rest (the remaining steps)"] if self.rest else []
        return {
            "description": f"In optimizer steps, or as {', '.join(forms[:-1])} or {forms[-1]}.",
            **super().__get_pydantic_json_schema__(schema, handler),
            "type": ["integer", "string"],
            "pattern": pattern(
                zero=self.minimum <= 0,
                negative=self.minimum < 0,
                rest=self.rest,
                shares=self.shares,
            ),
            # Editors show it for strings that do not match and for values of other types.
            "errorMessage": f"must be a whole number or a duration such as {self._such_as}",
        }


class RunLength(StepCount):
    """The length of a run: a number of steps, or a duration that is not a part of it."""

    @property
    def _no_rest(self) -> str:
        return "must be the length of the run, and `rest` is a part of it"

    @property
    def _such_as(self) -> str:
        return WHOLE_RUN_SUCH_AS


def _rounding(value: Any) -> Any:
    from olm.fields.rounding import rounding

    return rounding(value)


RoundingWord = Annotated[Rounding, BeforeValidator(_rounding)]
"""How durations are rounded."""

SHARE_INSTEAD = "a share of the base rate is the field `end_factor: {}` of the kind `WarmupDecayLR`"
"""The hint for a share in place of a final rate."""


class RateNumber(Number):
    """A learning rate, in absolute terms."""

    def _instead(self, value: Any) -> dict[str, Any]:
        return _share_of_the_base_rate(value) or super()._instead(value)


class FactorNumber(Number):
    """What the base rate is multiplied by."""


class Memory(Number):
    """A number that a metric-driven schedule keeps between metrics.

    It is part of the state, not of the schedule: the digest and the constructor of the torch class
    leave it out.
    """


if TYPE_CHECKING:
    # A field holds something else than its constructor takes. Type checkers know that of
    # descriptors, and the types of these fields are none at run time.
    Given = TypeVar("Given")
    Held = TypeVar("Held")
    Item = TypeVar("Item")

    class Converted(Generic[Given, Held]):
        """A field that converts what it is given."""

        @overload
        def __get__(self, model: None, owner: type) -> Self: ...
        @overload
        def __get__(self, model: BaseModel, owner: type) -> Held: ...
        def __get__(self, model: Any, owner: type) -> Any: ...
        def __set__(self, model: BaseModel, value: Given) -> None: ...

    Lasting = int | str | Duration
    Steps = Converted[Lasting, int]
    PositiveSteps = Converted[Lasting, int]
    StepIndex = Converted[Lasting, int]
    PositiveStepIndex = Converted[Lasting, int]
    OptionalPositiveSteps = Converted[Lasting | None, int | None]
    OptionalStepIndex = Converted[Lasting | None, int | None]
    Lengths = Converted[Sequence[Lasting], tuple[int, ...]]
    StepIndices = Converted[Sequence[Lasting], tuple[int, ...]]
    PositiveStepIndices = Converted[Sequence[Lasting], tuple[int, ...]]
    RunSteps = Converted[Lasting | None, int | None]
    Items = tuple[Item, ...]
    Listed = Converted[Sequence[Item], tuple[Item, ...]]
else:
    Item = TypeVar("Item")

    Steps = Annotated[int, StepCount(0, MAX_STEPS)]
    """A length in optimizer steps, 0 or more. A spec may specify it in another unit."""

    PositiveSteps = Annotated[int, StepCount(1, MAX_STEPS)]
    """A length in optimizer steps, 1 or more."""

    OptionalPositiveSteps = PositiveSteps | None
    """The same, or None where a field has no value."""

    StepIndex = Annotated[int, StepCount(0, MAX_STEPS, rest=False)]
    """The step at which something happens, the first of which is 0."""

    OptionalStepIndex = StepIndex | None
    """The same, or None where a field has no value."""

    PositiveStepIndex = Annotated[int, StepCount(1, MAX_STEPS, rest=False)]
    """The step at which something happens, which is not the first."""

    RunSteps = Annotated[int, RunLength(1, MAX_STEPS, rest=False, shares=False)] | None
    """The length of a run in optimizer steps. A clock may specify it in another unit."""

    Items = Annotated[tuple[Item, ...], Strict(False)]
    """A list, kept as a tuple so that a model can be hashed."""

    Listed = Items
    """A list in a schedule."""

    Lengths = Listed[PositiveSteps]
    """A list of lengths in optimizer steps."""

    StepIndices = Listed[StepIndex]
    """A list of the steps at which something happens."""

    PositiveStepIndices = Listed[PositiveStepIndex]
    """A list of the steps at which something happens, which is never the first."""


def default(value: Any) -> Any:
    """The default of a field that converts what it is given, of any type for type checkers.

    >>> default(5)
    5
    """
    return value


Count = Annotated[int, Number(0, MAX_STEPS, whole=True)]
"""A count of something other than optimizer steps, 0 or more."""

PositiveCount = Annotated[int, Number(1, MAX_STEPS, whole=True)]
"""A count of something other than optimizer steps, 1 or more."""

Rate = Annotated[float, RateNumber(0.0, MAX_RATE)]
"""A learning rate: absolute, whatever the base rate is."""

Factor = Annotated[float, FactorNumber(0.0, MAX_RATE)]
"""What the base rate is multiplied by."""

PositiveFactor = Annotated[float, FactorNumber(TINY, MAX_RATE)]
"""What the base rate is multiplied by, above 0."""

NonNegative = Annotated[float, Number(0.0, MAX_RATE)]
"""Any finite number of at least 0, such as a tolerance or a factor of the rate itself."""

Positive = Annotated[float, Number(TINY, MAX_RATE)]
"""Any finite number above 0."""

Share = Annotated[float, Number(0.0, 1.0)]
"""A part of a whole."""

PartialShare = Annotated[float, Number(0.0, ALMOST_ONE)]
"""A part of a whole that is not all of it."""

Exponent = Annotated[float, Number(0.0, MAX_RATE)]
"""The power to which a fraction is raised."""


class Length(NamedTuple):
    """The minimum length of a list: ``Annotated[Listed[Rate], Length(1)]``.

    pydantic's own ``min_length`` counts only the items that are valid.
    """

    minimum: int

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise invalid("type", f"must be a list, found {found(value)}")
        if len(value) < self.minimum:
            items = quantity(self.minimum, "item")
            raise invalid("range", f"must have at least {items}, found {len(value) or 'none'}")
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.__call__, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {**handler(schema), "minItems": self.minimum}


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass

    Signed = ModelMetaclass
else:

    class Signed(type(BaseModel)):
        """The metaclass of models whose signature has plain types, computed when it is asked for.

        pydantic's has the bounds and validators of every field, and none until it builds the model.
        """

        @property
        def __signature__(cls) -> Any:
            from olm.fields.signatures import signature_of_model

            return signature_of_model(cls)

        @__signature__.setter
        def __signature__(cls, other: Any) -> None:
            # pydantic sets its own, again at every rebuild.
            pass


@cache
def step_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model that are numbers of steps, or lists of them.

    >>> from olm.kinds import KINDS
    >>> step_fields(KINDS["WarmupCosineScheduler"])
    ('warmup_steps', 'total_steps')
    """
    return _fields_of(model, StepCount)


@cache
def memory_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model that are `Memory`.

    >>> from olm.kinds import KINDS
    >>> memory_fields(KINDS["ReduceLROnPlateau"])
    ('best', 'num_bad_epochs', 'cooldown_counter', 'num_reductions')
    """
    return _fields_of(model, Memory)


@cache
def rate_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model that are learning rates in absolute terms.

    >>> from olm.kinds import KINDS
    >>> rate_fields(KINDS["RampLR"])
    ('start_lr', 'end_lr')
    """
    return _fields_of(model, RateNumber)


def numbers_of(field: FieldInfo) -> Iterator[Number]:
    """The numbers that a field or the items of its list accept: usually one `Number`, or none."""

    def inside(annotation: Any, metadata: Iterable[Any]) -> Iterator[Number]:
        yield from (mark for mark in metadata if isinstance(mark, Number))
        for part in getattr(annotation, "__args__", ()):
            yield from inside(part, getattr(part, "__metadata__", ()))

    return inside(field.annotation, field.metadata)


def _fields_of(model: type[BaseModel], number: type[Number]) -> tuple[str, ...]:
    """The fields of a model for numbers of a type, or lists of them."""
    return tuple(
        name
        for name, field in model.model_fields.items()
        if any(isinstance(mark, number) for mark in numbers_of(field))
    )


def _number_in(text: Any) -> dict[str, Any]:
    """The hint and fix for a number in a string."""
    if not isinstance(text, str) or len(text) > SHOWN:
        return {}
    digits = text.replace("_", "").strip()
    try:
        number = for_every_reader(digits)
    except ValueError:
        return {}
    hint = "remove the quotes" if digits == text else f"write {digits}"
    return {"hint": hint, "fix": Fix(number)}


def _share_of_the_base_rate(value: Any) -> dict[str, Any]:
    """The hint for a per cent in place of a rate."""
    from olm.fields.durations import duration

    written = duration(value) if isinstance(value, str) else None
    if written is None or written.share is None:
        return {}
    return {"hint": SHARE_INSTEAD.format(f"{float(written.share):.10g}")}


def _share_in(value: Any) -> dict[str, Any]:
    """The hint for a number that may be meant as a share of the run."""
    if not isinstance(value, float) or not 0 < value < 1:
        return {}
    from olm.fields.quantities import percent

    share = percent(value)
    return {"hint": f"for a share of the run, write {share}"} if share else {}
