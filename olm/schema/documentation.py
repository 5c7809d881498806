"""What docstrings and types say of a kind and its fields, for schemas, help and tables.

The sentences under fields are read from the source when they are asked for, never at import.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from olm.fields.types import ALMOST_ONE, MAX_STEPS, TINY
from olm.schedule.schedule import ANY_KIND


class FieldSchema(GenerateJsonSchema):
    """pydantic's schemas in reading order, without titles that only repeat the field's name.

    What may be left out is of its type or null, not one of two schemas, each with errors of its
    own.
    """

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False

    def sort(self, value: Any, parent_key: str | None = None) -> Any:
        """As it is."""
        return value

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        """The schema of a value or null, in one."""
        there = self.generate_inner(schema["schema"])
        if types := there.get("type"):
            several = types if isinstance(types, list) else [types]
            return {**there, "type": [*several, "null"]}
        return super().nullable_schema(schema)


@dataclass(frozen=True)
class Field:
    """A field in words."""

    name: str
    type: str
    """What it takes, such as ``a whole number of at least 1``."""
    default: str | None
    """Its default as it is written in a spec; None where it must be given."""
    text: str
    """The sentences under it."""


def summary(model: type[BaseModel]) -> str:
    """The first paragraph of a model's docstring, on one line.

    >>> from olm.kinds import KINDS
    >>> summary(KINDS["LinearDecayLR"])
    'A straight line from the base rate to zero.'
    """
    return next(_paragraphs(model), "")


def prose(model: type[BaseModel]) -> str:
    """A model's docstring up to its examples, a line for each paragraph."""
    return "\n\n".join(
        takewhile(lambda text: not text.startswith((">>>", "Source:")), _paragraphs(model))
    )


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """The sentences under the fields of a model, by the name of the field.

    >>> from olm.kinds import KINDS
    >>> field_docs(KINDS["LinearLR"])["end_lr"]
    'The rate at ``total_steps`` and after.'
    """
    docs: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel:
            docs |= _under_fields(parent)
    fields = model.model_fields.items()
    return {field.alias or name: docs[name] for name, field in fields if name in docs}


def fields(model: type[BaseModel]) -> list[Field]:
    """The fields of a kind in words, in their order, without `kind` itself.

    >>> from olm.kinds import KINDS
    >>> for field in fields(KINDS["LinearLR"]):
    ...     print(field.name, "|", field.type, "|", field.default)
    total_steps | a whole number of at least 1 or a duration | None
    end_lr | a number of at least 0 | 0.0
    start_factor | a number of at least 0 | 1.0
    """
    docs, schemas = (
        field_docs(model),
        model.model_json_schema(schema_generator=FieldSchema)["properties"],
    )
    return [
        Field(
            name,
            type_in_words(schemas[name]),
            json.dumps(schemas[name]["default"]) if "default" in schemas[name] else None,
            docs.get(name, ""),
        )
        for name in model.model_fields
        if name != "kind"
    ]


def type_in_words(schema: Mapping[str, Any], many: bool = False) -> str:
    """What a value of this JSON Schema is; with `many`, what several of them are.

    >>> share = {"type": "number", "minimum": 0, "maximum": 1}
    >>> type_in_words({"type": "array", "items": share, "minItems": 2})
    'a list of 2 or more numbers from 0 to 1'
    >>> type_in_words({"enum": ["up", "down"], "type": "string"})
    '"up" or "down"'
    """
    if ANY_KIND.items() <= schema.items():
        return "schedules" if many else "a schedule"
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return _either(json.dumps(choice) for choice in choices)
    if "anyOf" in schema:
        return _either(type_in_words(one, many) for one in schema["anyOf"])
    if "type" not in schema:
        return "values" if many else "a value"
    if isinstance(schema["type"], list):
        return _either(type_in_words({**schema, "type": one}, many) for one in schema["type"])
    if schema["type"] == "array" and isinstance(schema["items"], list):
        parts = " and ".join(map(type_in_words, schema["items"]))
        return f"{'pairs' if many else 'a pair'} of {parts}"
    if schema["type"] == "array":
        least = f"{schema['minItems']} or more " if "minItems" in schema else ""
        return (
            f"{'lists' if many else 'a list'} of {least}{type_in_words(schema['items'], many=True)}"
        )
    if schema["type"] == "string" and "minimum" in schema:
        # What is a number or a string is a number of steps.
        return "durations" if many else "a duration"
    one, several = _NOUNS[schema["type"]]
    return (several if many else one) + _bounds(schema)


def plain(text: str) -> str:
    """A docstring's text without the marks around code."""
    return text.replace("`", "")


def markdown(text: str) -> str:
    """A docstring's text with code marked as Markdown has it."""
    return text.replace("``", "`")


_NOUNS = {
    "integer": ("a whole number", "whole numbers"),
    "number": ("a number", "numbers"),
    "string": ("a string", "strings"),
    "boolean": ("true or false", "true or false"),
    "null": ("null", "null"),
    "object": ("a mapping", "mappings"),
}


def _bounds(schema: Mapping[str, Any]) -> str:
    if "minimum" not in schema or schema["type"] == "null":
        return ""
    least, most = schema["minimum"], schema.get("maximum", MAX_STEPS)
    if least == TINY:
        return " above 0"
    if most == ALMOST_ONE:
        return f" of at least {least:.15g} and below 1"
    # A limit beyond which numbers are not exact is no news.
    if least <= -MAX_STEPS and most >= MAX_STEPS:
        return ""
    return (
        f" of at least {least:.15g}" if most >= MAX_STEPS else f" from {least:.15g} to {most:.15g}"
    )


def _either(choices: Iterable[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def docstring(model: type[BaseModel]) -> str:
    """The docstring of a model, from its source where ``python -OO`` has removed it."""
    if model.__doc__ is not None:
        return inspect.cleandoc(model.__doc__)
    body = _body(model)
    match body[:1]:
        case [ast.Expr(ast.Constant(str(text)))]:
            return inspect.cleandoc(text)
    return ""


def _body(model: type[BaseModel]) -> list[ast.stmt]:
    """The statements of a class; none where its source cannot be found."""
    try:
        source = inspect.getsource(sys.modules[model.__module__])
    except (KeyError, OSError, TypeError):
        return []
    found = _classes(source).get(model.__qualname__)
    return found.body if found else []


@lru_cache(maxsize=64)
def _classes(source: str) -> dict[str, ast.ClassDef]:
    """The classes in the source of a module, by their qualified names.

    To parse a file once takes a tenth of the time in which `inspect` finds all classes in it.
    """
    return dict(_classes_below(ast.parse(source), ""))


def _classes_below(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name):
                yield prefix + name, child
                yield from _classes_below(child, f"{prefix}{name}.")
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                yield from _classes_below(child, f"{prefix}{name}.<locals>.")
            case ast.stmt() | ast.excepthandler():
                yield from _classes_below(child, prefix)


def _paragraphs(model: type[BaseModel]) -> Iterator[str]:
    for paragraph in docstring(model).split("\n\n"):
        yield " ".join(paragraph.split())


def _under_fields(model: type[BaseModel]) -> dict[str, str]:
    """The string under each field of this very class; none where its source cannot be found."""
    docs = {}
    for field, below in pairwise(_body(model)):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                docs[name] = " ".join(text.split())
    return docs
