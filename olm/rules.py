"""Rules between the fields of a kind: declared, so that they can be listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from operator import ge, gt
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel
from pydantic_core import InitErrorDetails

from olm.problem import clipped, found
from olm.wording import at, mistake


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
        if self.holds(*these):
            return None
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


Model = TypeVar("Model", bound=type[Ruled])


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


def _short(value: Any) -> str:
    """A value in the message of a rule; of a list of schedules only how many they are."""
    if value is None:
        return "left out"
    if isinstance(value, str):
        return f"'{clipped(value)}'"
    if not isinstance(value, list | tuple):
        return found(value)
    if any(isinstance(item, Mapping | BaseModel) for item in value):
        return str(len(value))
    return ", ".join([*(found(item) for item in value[:6]), *("…" for _ in value[6:7])])
