"""Rules between the fields of a kind: declared, so that they can be listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from operator import ge, gt
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails

from olm.fields.durations import THE_REST, Duration, duration
from olm.fields.errors import at, invalid, reworded_all
from olm.fields.types import step_fields
from olm.problem import clipped, found


class Rule(NamedTuple):
    """A condition on the fields of a schedule, which a JSON Schema cannot express."""

    fields: tuple[str, ...]
    holds: Callable[..., bool]
    message: str
    spot: Callable[[Any], int | None] | None = None
    """The position of the error in a list: the index of the second of two contradicting items."""

    def contradiction(self, values: Mapping[str, Any]) -> InitErrorDetails | None:
        """The error, if all the fields have values and the condition is false."""
        try:
            values_of_fields = [values[name] for name in self.fields]
        except KeyError:
            return None
        try:
            if self.holds(*values_of_fields):
                return None
        except TypeError:
            if any(map(_has_durations, values_of_fields)):
                # Durations and numbers cannot be compared. The rule is applied after counting.
                return None
            raise
        message = self.message.format(
            **{name: f"{name} ({_short(values[name])})" for name in self.fields}
        )
        first, *others = self.fields
        spot = self.spot(values[first]) if self.spot else None
        if spot is None:
            return at((first,), values[first], invalid("rule", message, also=others))
        return at((first, spot), values[first][spot], invalid("rule", message, also=[spot - 1]))


class Ruled(Protocol):
    """A model with rules."""

    rules: ClassVar[tuple[Rule, ...]]


class Fit(NamedTuple):
    """The fields of the first and the last stage of a schedule, and of its end."""

    first: str
    last: str
    into: str


class Staged(Ruled, Protocol):
    """A model with stages that follow one another."""

    stages: ClassVar[tuple[str, ...]]
    rising: ClassVar[tuple[str, ...]]
    fit: ClassVar[Fit | None]


Model = TypeVar("Model", bound=type[Ruled])
StagedModel = TypeVar("StagedModel", bound=type[Staged])
Made = TypeVar("Made", bound=BaseModel)


def rule(*fields: str, holds: Callable[..., bool], message: str) -> Callable[[Model], Model]:
    """Declare a condition on the fields of a kind.

    Args:
        fields: the fields of the rule, which is applied once all of them are valid.
        holds: the condition, a function of the values of the fields in this order.
        message: the error message, with each field in braces, which its name and value replace.
    """

    def declare(model: Model) -> Model:
        model.rules = (*model.rules, Rule(fields, holds, message))
        return model

    return declare


def ascending(field: str, *, strictly: bool = True) -> Callable[[StagedModel], StagedModel]:
    """Declare that a list is in ascending order, with or without equal neighbours."""
    wrong = ge if strictly else gt

    def spot(values: Any) -> int | None:
        pairs = enumerate(pairwise(values), 1)
        return next((index for index, (first, second) in pairs if wrong(first, second)), None)

    def declare(model: StagedModel) -> StagedModel:
        each = "each above the one before" if strictly else "none below the one before"
        message = f"{{{field}}} must be in ascending order, {each}"
        new = Rule((field,), lambda values: spot(values) is None, message, spot)
        model.rules = (*model.rules, new)
        if strictly:
            model.rising = (*model.rising, field)
        return model

    return declare


def ruled(
    model: type[Made],
    name: str,
    rules: Iterable[Rule],
    data: Any,
    handler: ModelWrapValidatorHandler[Made],
) -> Made:
    """The model of some data. Its rules are applied even if there are other errors.

    Args:
        model: the model.
        name: its name in messages.
        rules: the rules between its fields.
        data: the data.
        handler: pydantic's validator of the data.

    Raises:
        ValidationError: with every error, reworded.
    """
    errors: list[InitErrorDetails] = []
    try:
        made = handler(data)
        values = made.__dict__
    except ValidationError as error:
        details = error.errors(include_url=False)
        errors += reworded_all(details, name, model.model_fields)
        wrong = {detail["loc"][0] for detail in details if detail["loc"]}
        values = {name: value for name, value in _written(model, data) if name not in wrong}
    errors += filter(None, (rule.contradiction(values) for rule in rules))
    if errors:
        raise ValidationError.from_exception_data(model.__name__, errors) from None
    return made


def _written(model: type[BaseModel], data: Any) -> Iterator[tuple[str, Any]]:
    """The fields with their values in the data or their defaults, even the invalid ones."""
    if not isinstance(data, Mapping):
        return
    steps = step_fields(model)
    for name, field in model.model_fields.items():
        value = data.get(name, field.default)
        yield name, _as_durations(value) if name in steps else value


def _as_durations(value: Any) -> Any:
    if _is_list(value):
        return [_as_durations(item) for item in value]
    return duration(value) or value if isinstance(value, str) else value


def stages(*fields: str) -> Callable[[StagedModel], StagedModel]:
    """Declare the fields, or lists, that specify the lengths of consecutive stages.

    If they are durations, the ends of the stages are rounded to whole steps, not their lengths,
    and one may be ``rest``: those after it are counted back from the end.
    """

    def holds(*values: Any) -> bool:
        lengths = [item for value in values for item in (value if _is_list(value) else [value])]
        return lengths.count(THE_REST) < 2

    def declare(model: StagedModel) -> StagedModel:
        names = " and ".join(
            filter(None, (", ".join(f"{{{name}}}" for name in fields[:-1]), f"{{{fields[-1]}}}"))
        )
        model.stages = fields
        model.rules = (*model.rules, Rule(fields, holds, f"only one of {names} can be `rest`"))
        return model

    return declare


def fits(first: str, last: str = "", *, into: str) -> Callable[[StagedModel], StagedModel]:
    """Declare the first and the last stage of a schedule, and the field of its end.

    The last stage is counted back from the end. Stages that fit as written fit in whole steps: if
    rounding makes them too long together, the last becomes shorter, or the first if the last is 1
    step. Without a last stage, at least 1 step follows the first.

    Args:
        first: the field of the length of the first stage.
        last: the field of the length of the last stage, if there is one.
        into: the field of the end, which is defined before `last`.
    """

    def declare(model: StagedModel) -> StagedModel:
        model.fit = Fit(first, last, into)
        return model

    return declare


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _has_durations(value: Any) -> bool:
    items = value if _is_list(value) else [value]
    return any(isinstance(item, Duration) for item in items)


def _short(value: Any) -> str:
    """A value for the message of a rule; for a list of schedules only their number."""
    if value is None:
        return "left out"
    if isinstance(value, Duration):
        return value.text
    if isinstance(value, str):
        return f"'{clipped(value)}'"
    if isinstance(value, BaseModel):
        return "a mapping"
    if not isinstance(value, list | tuple):
        return found(value)
    if any(isinstance(item, Mapping | BaseModel) for item in value):
        return str(len(value))
    return ", ".join([*map(_short, value[:6]), *("…" for _ in value[6:7])])
