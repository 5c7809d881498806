"""Errors of pydantic, reworded: each names what was found and what is valid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from olm.problem import (
    LISTED,
    MAX_PROBLEMS,
    Fix,
    Problem,
    SpecError,
    dotted,
    found,
    nearest,
    only_near,
)

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_TRUTH = dict.fromkeys(("true", "yes", "on"), "true") | dict.fromkeys(
    ("false", "no", "off"), "false"
)
"""A word that is a boolean in YAML 1.1 → the boolean."""


def invalid(code: str, message: str, **more: Any) -> PydanticCustomError:
    """An error to raise in a validator; `more` are further fields of its `Problem`."""
    return PydanticCustomError(code, "{message}", {"message": message, **more})


def at(loc: tuple[str | int, ...], value: Any, error: PydanticCustomError) -> InitErrorDetails:
    """An error at a location below the value being validated."""
    return InitErrorDetails(type=error, loc=loc, input=value)


def null() -> PydanticCustomError:
    """The error of a key whose value is null."""
    return invalid("type", "must be left out rather than null")


def below(error: ValidationError, loc: tuple[str | int, ...]) -> Iterator[InitErrorDetails]:
    """The errors of olm in a validation, for a value that contains the validated one at `loc`."""
    for detail in error.errors(include_url=False):
        yield {**reworded(detail, "", {}), "loc": (*loc, *detail["loc"])}


def reworded_all(
    details: list[ErrorDetails], kind: str, fields: Mapping[str, FieldInfo]
) -> Iterator[InitErrorDetails]:
    """The errors of pydantic in a schedule of a kind, reworded.

    A missing field whose key is misspelled is reported once, at the key.
    """
    details = details[:MAX_PROBLEMS]
    misspelled: set[str | None] = set()
    if any(detail["type"] == "missing" for detail in details):
        from olm.fields.suggestions import meant

        unknown = [detail["loc"][-1] for detail in details if detail["type"] == "extra_forbidden"]
        misspelled = {meant(str(word), fields) for word in unknown[:LISTED]}
    for detail in details:
        if detail["type"] != "missing" or detail["loc"][-1] not in misspelled:
            yield reworded(detail, kind, fields)


def reworded(detail: ErrorDetails, kind: str, fields: Mapping[str, FieldInfo]) -> InitErrorDetails:
    """An error of pydantic in a schedule of a kind, reworded; errors of olm are unchanged."""
    loc, value, context = detail["loc"], detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            from olm.fields.suggestions import certain, meaning

            word = str(loc[-1])
            error = invalid(
                "unknown-field",
                f"{kind} has no field {quoted(loc[-1])}",
                hint=meaning(word, fields, kind, value),
                fix=certain(word, fields, kind, value),
            )
        case "missing":
            error = invalid("missing-field", f"{kind} needs the field `{loc[-1]}`")
        case "literal_error":
            choices = context["expected"].split("'")[1::2]
            meant = nearest(value, choices) if isinstance(value, str) else None
            error = invalid(
                "choice",
                f"must be {context['expected']}, found {found(value)}",
                hint=f"did you mean `{meant}`?" if meant else "",
                fix=fix_of(value, choices),
            )
        case "model_type":
            error = invalid("type", f"must be a mapping, found {found(value)}")
        case "tuple_type":
            error = invalid("type", f"must be a list, found {found(value)}")
        case "bool_type":
            truth = _TRUTH.get(value.lower(), "") if isinstance(value, str) else ""
            error = invalid(
                "type",
                f"must be true or false, found {found(value)}",
                hint=f"write {truth}" if truth else "",
                fix=Fix(truth) if truth else None,
            )
        case code:
            error = invalid(code, **{"message": detail["msg"], **context})
    return at(loc, value, error)


def problems_of(error: ValidationError) -> list[Problem]:
    """The errors of a validation as problems."""
    return [_problem(detail) for detail in error.errors(include_url=False)]


@contextmanager
def as_spec_error() -> Iterator[None]:
    """A context that raises the errors of a validation as a SpecError."""
    try:
        yield
    except ValidationError as error:
        raise SpecError(problems_of(error)) from None


def fix_of(word: object, known: Iterable[str]) -> Fix | None:
    """The fix of a misspelled name, if only one of the known names is near."""
    meant = only_near(word, known) if isinstance(word, str) else None
    return Fix(meant, in_quotes=True) if meant else None


def quoted(word: object) -> str:
    """A name from the input, quoted for a message."""
    return f"`{dotted((word,))}`" if isinstance(word, str) else found(word)


def _problem(detail: ErrorDetails) -> Problem:
    code, loc, context = detail["type"], detail["loc"], detail.get("ctx", {})
    message, hint = context.get("message", detail["msg"]), context.get("hint", "")
    fix = context.get("fix")
    if code in ("missing-field", "missing-kind"):
        return Problem(code, message, loc[:-1], at_key=True, hint=hint)
    if message.startswith("must "):
        message = f"{_name(loc)} {message}"
    also = tuple((*loc[:-1], name) for name in context.get("also", ()))
    at_key = code == "unknown-field"
    return Problem(code, message, loc, at_key=at_key, hint=hint, also=also, fix=fix)


def _name(loc: tuple[str | int, ...]) -> str:
    """The name of a value: its key, with the index if it is in a list."""
    last_key = max((index for index, part in enumerate(loc) if isinstance(part, str)), default=0)
    return dotted(loc[last_key:]) or "a spec"
