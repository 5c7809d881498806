"""Kinds with errors, and one valid kind."""

from enum import Enum
from typing import Literal, Self

from pydantic import model_validator

from olm.schedule import Array, Schedule


class Constant(Schedule):
    """The base class of the kinds here; it is no kind."""

    def formula(self, step: Array, base: Array) -> Array:
        return base + 0 * step


class Named(Constant):
    """The valid kind."""

    kind: Literal["broken.Named"] = "broken.Named"


class Plain(Constant):
    """A kind without a dot."""

    kind: Literal["Plain"] = "Plain"


class Open(Constant):
    """A kind with a field of an undefined type."""

    kind: Literal["broken.Open"] = "broken.Open"
    field: "NoSuchType"  # noqa: F821  # that is what is wrong


class Colour(Enum):
    """A type that no field may have."""

    RED = "red"


class Coloured(Constant):
    """A kind that is valid but has no schema."""

    kind: Literal["broken.Colour"] = "broken.Colour"
    colour: Colour = Colour.RED


class Validating(Constant):
    """A kind whose validator raises."""

    kind: Literal["broken.Validates"] = "broken.Validates"

    @model_validator(mode="after")
    def _asks(self) -> Self:
        raise ConnectionError("no route to host")


class Evaluating(Constant):
    """A kind whose formula raises."""

    kind: Literal["broken.Evaluates"] = "broken.Evaluates"

    def formula(self, step: Array, base: Array) -> Array:
        raise ZeroDivisionError("division by zero")


def function() -> None:
    """Not a model."""
