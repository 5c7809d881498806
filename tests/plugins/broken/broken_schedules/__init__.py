"""What is wrong here is wrong with single kinds; one of them is right."""

from enum import Enum
from typing import Literal, Self

from pydantic import model_validator

from olm.schedule import Array, Schedule


class Constant(Schedule):
    """What the kinds here have in common: no kind itself."""

    def formula(self, step: Array, base: Array) -> Array:
        return base + 0 * step


class Named(Constant):
    """The one that is right."""

    kind: Literal["broken.Named"] = "broken.Named"


class Plain(Constant):
    """One without a dot."""

    kind: Literal["Plain"] = "Plain"


class Open(Constant):
    """One with a field of a type that there is not."""

    kind: Literal["broken.Open"] = "broken.Open"
    field: "NoSuchType"  # noqa: F821  # that is what is wrong


class Colour(Enum):
    """What no field may be."""

    RED = "red"


class Coloured(Constant):
    """One that is valid, but of which no schema can be made."""

    kind: Literal["broken.Colour"] = "broken.Colour"
    colour: Colour = Colour.RED


class Validating(Constant):
    """One whose own check fails."""

    kind: Literal["broken.Validates"] = "broken.Validates"

    @model_validator(mode="after")
    def _asks(self) -> Self:
        raise ConnectionError("no route to host")


class Evaluating(Constant):
    """One whose formula fails."""

    kind: Literal["broken.Evaluates"] = "broken.Evaluates"

    def formula(self, step: Array, base: Array) -> Array:
        raise ZeroDivisionError("division by zero")


def function() -> None:
    """No model."""
