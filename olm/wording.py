"""What pydantic finds, in our words: what was found, and what would do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic_core import InitErrorDetails, PydanticCustomError

from olm.problem import LISTED, Problem, dotted, found, nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, ValidationError

_TRUTH = dict.fromkeys(("true", "yes", "on"), "write true") | dict.fromkeys(
    ("false", "no", "off"), "write false"
)
"""What to do about a string where a boolean belongs: YAML 1.1 took some words for one."""


def mistake(code: str, message: str, **more: Any) -> PydanticCustomError:
    """An error to raise in a validator; `more` are fields of the problem that it becomes."""
    return PydanticCustomError(code, "{message}", {"message": message, **more})


def at(loc: tuple[str | int, ...], value: Any, error: PydanticCustomError) -> InitErrorDetails:
    """An error at a place below the value being validated."""
    return InitErrorDetails(type=error, loc=loc, input=value)


def retold(
    details: list[ErrorDetails], kind: str, fields: Iterable[str]
) -> Iterator[InitErrorDetails]:
    """What pydantic found in a schedule of this kind, in our words.

    A field that is missing because its key is misspelt is told of once, at the key.
    """
    misspelt: set[str | None] = set()
    if any(detail["type"] == "missing" for detail in details):
        from olm.words import meant

        unknown = [detail["loc"][-1] for detail in details if detail["type"] == "extra_forbidden"]
        misspelt = {meant(str(word), fields) for word in unknown[:LISTED]}
    for detail in details:
        if detail["type"] != "missing" or detail["loc"][-1] not in misspelt:
            yield reworded(detail, kind, fields)


def reworded(detail: ErrorDetails, kind: str, fields: Iterable[str]) -> InitErrorDetails:
    """What pydantic found in a schedule of this kind, in our words; ours stays as it is."""
    loc, value, context = detail["loc"], detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            from olm.words import meaning

            message = f"{kind} has no field {quoted(loc[-1])}"
            error = mistake("unknown-field", message, hint=meaning(str(loc[-1]), fields))
        case "missing":
            error = mistake("missing-field", f"{kind} needs the field `{loc[-1]}`")
        case "literal_error":
            choices = context["expected"].split("'")[1::2]
            meant = nearest(value, choices) if isinstance(value, str) else None
            hint = f"did you mean `{meant}`?" if meant else ""
            error = mistake(
                "choice", f"must be {context['expected']}, found {found(value)}", hint=hint
            )
        case "tuple_type":
            error = mistake("type", f"must be a list, found {found(value)}")
        case "bool_type":
            hint = _TRUTH.get(value.lower(), "") if isinstance(value, str) else ""
            error = mistake("type", f"must be true or false, found {found(value)}", hint=hint)
        case code:
            error = mistake(code, **{"message": detail["msg"], **context})
    return at(loc, value, error)


def problems_of(error: ValidationError) -> list[Problem]:
    """What pydantic found, as problems."""
    return [_problem(detail) for detail in error.errors(include_url=False)]


def quoted(word: object) -> str:
    """A name that stands in the input, as it is shown in a message."""
    return f"`{dotted((word,))}`" if isinstance(word, str) else found(word)


def _problem(detail: ErrorDetails) -> Problem:
    code, loc, context = detail["type"], detail["loc"], detail.get("ctx", {})
    message, hint = context.get("message", detail["msg"]), context.get("hint", "")
    if code in ("missing-field", "missing-kind"):
        return Problem(code, message, loc[:-1], at_key=True, hint=hint)
    if message.startswith("must "):
        message = f"{_name(loc)} {message}"
    also = tuple((*loc[:-1], name) for name in context.get("also", ()))
    return Problem(code, message, loc, at_key=code == "unknown-field", hint=hint, also=also)


def _name(loc: tuple[str | int, ...]) -> str:
    """What a value is called: its key, with the index if it is in a list."""
    last_key = max((index for index, part in enumerate(loc) if isinstance(part, str)), default=0)
    return dotted(loc[last_key:]) or "a spec"
