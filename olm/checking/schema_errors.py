"""What jsonschema finds, as problems: one for each mistake, short, with what would do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from jsonschema.exceptions import best_match

from olm.problem import Path, Problem, clipped, dotted, found, nearest, quantity

TYPES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
    "null": "null",
}
"""What JSON Schema calls a type → what we do."""

CHOICES = 8
"""The most choices that a message lists."""

_LISTED = ("const", "enum")

Error: TypeAlias = Any
"""A ValidationError that was raised; by its type, each of its attributes might still be unset."""

Words: TypeAlias = Callable[[Any, Mapping[str, Any]], str]


def misfits(errors: Iterable[Error]) -> Iterator[Problem]:
    """The problem that each error tells of, or several; the same one perhaps more than once."""
    relevant = [_relevant(error) for error in errors]
    listed = {tuple(error.absolute_path) for error in relevant if error.validator in _LISTED}
    for error in relevant:
        # Which values there may be says more than of which type they are.
        if error.validator != "type" or tuple(error.absolute_path) not in listed:
            yield from _problems(error)


def _relevant(error: Error) -> Error:
    """Of a value that fits none of several forms, what keeps it from the one it is most like."""
    best = best_match([error]) or error
    # Of the forms that it has the type of, if there is one.
    typed = [one for one in best.context or () if one.validator != "type"]
    return typed[0] if len(typed) == 1 and not typed[0].relative_path else best


def _problems(error: Error) -> Iterator[Problem]:
    path: Path = tuple(error.absolute_path)
    keyword = str(error.validator)
    if "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str):
        message = f"the key `{clipped(error.instance)}` {_must(error)}"
        yield Problem("schema", message, (*path, error.instance), at_key=True)
    elif keyword in _UNKNOWN:
        yield from (_unknown(error, (*path, key)) for key in _UNKNOWN[keyword](error))
    elif keyword in ("required", "dependencies", "dependentRequired"):
        yield from _missing(error, path)
    elif error.validator == "not" and not error.validator_value:
        yield Problem("schema", f"{_name(path)} must not be here", path, at_key=True)
    elif error.validator is None:
        yield Problem("schema", f"{_name(path)} has what the schema rules out", path)
    else:
        message = f"{_name(path)} {_must(error)}, found {_found(error)}"
        yield Problem("schema", message, path, hint=_hint(error))


def _missing(error: Error, path: Path) -> Iterator[Problem]:
    there: Mapping[str, Any] = error.instance
    if error.validator == "required":
        names = [name for name in error.validator_value if name not in there]
        for name in names:
            message = f"{_name(path)} needs the key `{clipped(name)}`"
            yield Problem("schema", message, (*path, name), at_key=True)
        return
    for key, needed in error.validator_value.items():
        # Draft 3 and 4 let one name stand alone; report a schema there by what fails in it.
        names = [needed] if isinstance(needed, str) else needed if isinstance(needed, list) else []
        if key in there:
            for name in (name for name in names if name not in there):
                message = f"{clipped(key)} needs the key `{clipped(name)}` beside it"
                yield Problem("schema", message, (*path, key), at_key=True)


def _unknown(error: Error, path: Path) -> Problem:
    key, known = str(path[-1]), error.schema.get("properties", {})
    near = nearest(key, (name for name, inner in known.items() if inner is not False))
    hint = f"did you mean `{near}`?" if near else ""
    where = f" in {name}" if (name := dotted(path[:-1])) else ""
    message = f"there must be no key `{clipped(key)}`{where}"
    return Problem("schema", message, path, at_key=True, hint=hint)


def _additional(error: Error) -> Iterator[str]:
    import re

    known = error.schema.get("properties", {})
    patterns = error.schema.get("patternProperties", {})
    for key in error.instance:
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            yield key


def _unevaluated(error: Error) -> list[str]:
    # Which keys no part of the schema has looked at, only the text of the error tells.
    return [key for key in error.instance if repr(key) in error.message] or list(error.instance)


_UNKNOWN: Mapping[str, Callable[[Error], Iterable[str]]] = {
    "additionalProperties": _additional,
    "unevaluatedProperties": _unevaluated,
}


def _must(error: Error) -> str:
    """What the value must be."""
    if error.validator in ("anyOf", "oneOf"):
        return _one_of_the_forms(error)
    words = _WORDS.get(str(error.validator))
    value = error.validator_value
    return words(value, error.schema) if words else f"must fit `{clipped(str(error.validator))}`"


def _one_of_the_forms(error: Error) -> str:
    inner = error.context or []
    if not inner:
        return "must fit only one of the forms that there are"
    if all(one.validator == "type" and not one.relative_path for one in inner):
        types = [one.validator_value for one in inner]
        return _type(
            [name for type in types for name in ([type] if isinstance(type, str) else type)]
        )
    return f"must fit one of {len(error.validator_value)} forms"


def _type(types: str | list[str]) -> str:
    names = [types] if isinstance(types, str) else list(dict.fromkeys(types))
    return f"must be {' or '.join(TYPES.get(name, clipped(str(name))) for name in names)}"


def _enum(values: list[Any]) -> str:
    texts = ", ".join(_value(value) for value in values[:CHOICES])
    more = f" or {len(values) - CHOICES} others" if len(values) > CHOICES else ""
    return f"must be one of {texts}{more}"


def _above(limit: Any, schema: Mapping[str, Any]) -> str:
    # In draft 4 it is a flag beside the limit.
    return f"must be {'above' if schema.get('exclusiveMinimum') is True else 'at least'} {limit}"


def _below(limit: Any, schema: Mapping[str, Any]) -> str:
    return f"must be {'below' if schema.get('exclusiveMaximum') is True else 'at most'} {limit}"


def _counted(bound: str, noun: str) -> Words:
    return lambda number, _: f"must have {bound} {quantity(number, noun)}"


_WORDS: Mapping[str, Words] = {
    "type": lambda types, _: _type(types),
    "enum": lambda values, _: _enum(values),
    "const": lambda value, _: f"must be {_value(value)}",
    "minimum": _above,
    "maximum": _below,
    "exclusiveMinimum": lambda limit, _: f"must be above {limit}",
    "exclusiveMaximum": lambda limit, _: f"must be below {limit}",
    "multipleOf": lambda number, _: f"must be a multiple of {number}",
    "pattern": lambda pattern, _: f"must match {clipped(pattern)}",
    "format": lambda name, _: f"must be a {clipped(str(name))}",
    "minLength": _counted("at least", "character"),
    "maxLength": _counted("at most", "character"),
    "minItems": _counted("at least", "item"),
    "maxItems": _counted("at most", "item"),
    "minProperties": _counted("at least", "key"),
    "maxProperties": _counted("at most", "key"),
    "uniqueItems": lambda _, __: "must not have the same item twice",
    "not": lambda _, __: "must not fit what the schema rules out",
}
"""A keyword of JSON Schema → what it asks for, by its value and the schema that it is in."""


def _hint(error: Error) -> str:
    if error.validator == "pattern":
        # What editors show; the schema's own words are better than a pattern.
        said = (error.schema.get(key) for key in ("patternErrorMessage", "errorMessage"))
        return next((text for text in said if isinstance(text, str)), "")
    if error.validator == "enum" and isinstance(error.instance, str):
        values = [value for value in error.validator_value if isinstance(value, str)]
        near = nearest(error.instance, values)
        return f"did you mean `{near}`?" if near else ""
    return ""


def _found(error: Error) -> str:
    value = error.instance
    if str(error.validator) in ("minItems", "maxItems", "minProperties", "maxProperties"):
        return str(len(value))
    if str(error.validator) in ("minLength", "maxLength"):
        return f"{len(value)} in {found(value)}"
    return found(value)


def _value(value: Any) -> str:
    return f"`{clipped(value)}`" if isinstance(value, str) else clipped(str(value))


def _name(path: Path) -> str:
    """What a value is called: its key, and its index if it is in a list there."""
    start = next((n for n in reversed(range(len(path))) if isinstance(path[n], str)), 0)
    return dotted(path[start:]) or "the document"
