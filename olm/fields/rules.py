"""Rules between the fields of a kind: declared, so that they can be listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from operator import ge, gt
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails

from olm.fields.durations import THE_REST, Duration, duration
from olm.fields.errors import at, mistake, retold
from olm.fields.types import step_fields
from olm.problem import clipped, found


@dataclass(frozen=True)
class Rule:
    """What must hold between the fields of a schedule, which a JSON Schema cannot say."""

    fields: tuple[str, ...]
    holds: Callable[..., bool]
    message: str
    spot: Callable[[Any], int | None] | None = None
    """Where in a list the mistake is: the index of the later one of two items that do not fit."""

    def contradiction(self, values: Mapping[str, Any]) -> InitErrorDetails | None:
        """The error, if all the fields are there and do not fit together."""
        try:
            these = [values[name] for name in self.fields]
        except KeyError:
            return None
        try:
            if self.holds(*these):
                return None
        except TypeError:
            if any(map(_waits, these)):
                # Numbers are not compared with durations: the rule waits for a clock.
                return None
            raise
        message = self.message.format(
            **{name: f"{name} ({_short(values[name])})" for name in self.fields}
        )
        first, *others = self.fields
        spot = self.spot(values[first]) if self.spot else None
        if spot is None:
            return at((first,), values[first], mistake("rule", message, also=others))
        return at((first, spot), values[first][spot], mistake("rule", message, also=[spot - 1]))


class Ruled(Protocol):
    """What rules are declared for."""

    rules: ClassVar[tuple[Rule, ...]]


@dataclass(frozen=True)
class Fit:
    """The fields of a first and a last stage, and of the end that both come before."""

    first: str
    last: str
    into: str


class Staged(Ruled, Protocol):
    """What has stages that follow one another."""

    stages: ClassVar[tuple[str, ...]]
    fit: ClassVar[Fit | None]


Model = TypeVar("Model", bound=type[Ruled])
StagedModel = TypeVar("StagedModel", bound=type[Staged])
Made = TypeVar("Made", bound=BaseModel)


def rule(*fields: str, holds: Callable[..., bool], message: str) -> Callable[[Model], Model]:
    """Declare what must hold between fields of a kind.

    Args:
        fields: the fields that the rule is about; it is tried once all of them are valid.
        holds: takes the values of the fields, in this order, and tells whether they fit together.
        message: what to say if not, with each field in braces, where it appears with its value.
    """

    def declare(model: Model) -> Model:
        model.rules = (*model.rules, Rule(fields, holds, message))
        return model

    return declare


def ascending(field: str, *, strictly: bool = True) -> Callable[[Model], Model]:
    """Declare that a list is in ascending order, with or without equal neighbours."""
    wrong = ge if strictly else gt

    def spot(values: Any) -> int | None:
        pairs = enumerate(pairwise(values), 1)
        return next((index for index, (one, next_) in pairs if wrong(one, next_)), None)

    def declare(model: Model) -> Model:
        each = "each above the one before" if strictly else "none below the one before"
        message = f"{{{field}}} must be in ascending order, {each}"
        new = Rule((field,), lambda values: spot(values) is None, message, spot)
        model.rules = (*model.rules, new)
        return model

    return declare


def ruled(
    model: type[Made],
    name: str,
    rules: Iterable[Rule],
    data: Any,
    handler: ModelWrapValidatorHandler[Made],
) -> Made:
    """What a model makes of some data. Its rules are tried also when something else is wrong.

    Args:
        model: the model.
        name: what it is called in messages.
        rules: what must hold between its fields.
        data: what it is made of.
        handler: makes it.

    Raises:
        ValidationError: with every error in our words.
    """
    errors: list[InitErrorDetails] = []
    try:
        made = handler(data)
        values = made.__dict__
    except ValidationError as error:
        details = error.errors(include_url=False)
        errors += retold(details, name, model.model_fields)
        wrong = {detail["loc"][0] for detail in details if detail["loc"]}
        values = {name: value for name, value in _written(model, data) if name not in wrong}
    errors += filter(None, (rule.contradiction(values) for rule in rules))
    if errors:
        raise ValidationError.from_exception_data(model.__name__, errors) from None
    return made


def _written(model: type[BaseModel], data: Any) -> Iterator[tuple[str, Any]]:
    """The fields that some data gives or leaves to their defaults, not all of which are valid."""
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
    """Declare which fields, or lists, say how long stages last that follow one another.

    Where they are durations, it is the ends of the stages that are rounded to whole steps, not
    their lengths, and the last may be the rest.
    """

    def holds(*values: Any) -> bool:
        lengths = [one for value in values for one in (value if _is_list(value) else [value])]
        return THE_REST not in lengths[:-1]

    def declare(model: StagedModel) -> StagedModel:
        names = " and ".join(
            filter(None, (", ".join(f"{{{name}}}" for name in fields[:-1]), f"{{{fields[-1]}}}"))
        )
        model.stages = fields
        model.rules = (*model.rules, Rule(fields, holds, f"only the last of {names} can be `rest`"))
        return model

    return declare


def fits(first: str, last: str = "", *, into: str) -> Callable[[StagedModel], StagedModel]:
    """Declare which stages come first and last in a schedule that a field ends.

    The last stage is counted back from the end. What fits as it is written fits in whole steps:
    where rounding both makes them too long, the last becomes shorter, or the first if that is one
    step. Without a last stage, at least one step follows the first.

    Args:
        first: the field that specifies how long the first stage is.
        last: the field that specifies how long the last one is, if there is one.
        into: the field that specifies the end, which stands before `last`.
    """

    def declare(model: StagedModel) -> StagedModel:
        model.fit = Fit(first, last, into)
        return model

    return declare


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _waits(value: Any) -> bool:
    return any(isinstance(one, Duration) for one in (value if _is_list(value) else [value]))


def _short(value: Any) -> str:
    """A value in the message of a rule; of a list of schedules only how many they are."""
    if value is None:
        return "left out"
    if isinstance(value, Duration):
        return value.text
    if isinstance(value, str):
        return f"'{clipped(value)}'"
    if not isinstance(value, list | tuple):
        return found(value)
    if any(isinstance(item, Mapping | BaseModel) for item in value):
        return str(len(value))
    return ", ".join([*map(_short, value[:6]), *("…" for _ in value[6:7])])
