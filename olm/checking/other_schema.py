"""Documents held to any JSON Schema, with the places of what does not fit it.

A `$ref` is followed inside the schema and to the drafts' own schemas, never to another file or into
the network. What `format` says is a note, as the drafts have it: which formats jsonschema knows
depends on what else is installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, NoReturn, TypeAlias

from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import Draft202012Validator, extend, validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it has no types
from referencing import Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from olm.checking.check import Checked
from olm.checking.schema_errors import misfits
from olm.problem import OlmError, Path, Problem, by_position, clipped
from olm.text.document import Document, read

Validator: TypeAlias = Any
"""A validator of jsonschema, or the class of one; its protocol lacks most of what they have."""


class SchemaError(OlmError):
    """A schema is none, or one that cannot be used."""


@dataclass(frozen=True)
class JsonSchema:
    """A schema that documents are held to."""

    file: str
    validator: Validator

    def check(self, document: Document) -> Checked:
        """What is wrong with a document: its text, and what does not fit the schema.

        Raises:
            SchemaError: the schema refers to itself without end.
        """
        problems = list(document.problems)
        if document.readable:
            misfit = (one for one in self._misfits(document.value) if not document.is_known(one))
            problems += map(document.located, misfit)
        return Checked(document, tuple(sorted(problems, key=by_position)))

    def _misfits(self, value: Any) -> list[Problem]:
        try:
            return list(dict.fromkeys(misfits(self.validator.iter_errors(value))))
        except RecursionError:
            message = f"{self.file}: the schema refers to itself without end"
            raise SchemaError(message) from None


def schema_in(file: str) -> JsonSchema:
    """The schema in a JSON or YAML file, of the draft that its `$schema` names, or the newest.

    Raises:
        OSError: the file cannot be read.
        SchemaError: there is no schema in it, or one that refers to what is elsewhere.
    """
    data = FilePath(file).read_bytes()
    schema = _value(data, file)
    if not isinstance(schema, dict | bool):
        _refuse(data, file, (), "a schema must be a mapping")
    draft = _draft(schema, data, file)
    of_schemas = draft(draft.META_SCHEMA, registry=REGISTRY, format_checker=draft.FORMAT_CHECKER)
    if (error := best_match(of_schemas.iter_errors(schema))) is not None:
        worst = next(misfits([error]))
        _refuse(data, file, worst.path, f"this is no schema: {worst.message}", worst.at_key)
    make: Any = extend
    validator = make(draft, {"properties": _properties})(schema, registry=REGISTRY)
    if (ref := _unresolved(schema, draft)) is not None:
        message = f"the $ref {clipped(ref)} leads to nothing in this file, and none is fetched"
        _refuse(data, file, _path_of(ref, schema) or (), message)
    return JsonSchema(file, validator)


def _value(data: bytes, file: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        document = read(data, file)
    if document.problems:
        problem = document.problems[0]
        raise SchemaError(f"{problem.place}: {problem.message}")
    return document.value


def _draft(schema: Any, data: bytes, file: str) -> Validator:
    named = schema.get("$schema") if isinstance(schema, dict) else None
    if named is None:
        return Draft202012Validator
    look_up: Any = validator_for
    draft: Validator = look_up(schema, default=None) if isinstance(named, str) else None
    if draft is None:
        message = "$schema must name a draft: 4, 6, 7, 2019-09 or 2020-12 of json-schema.org"
        _refuse(data, file, ("$schema",), f"{message}, found {clipped(str(named))}")
    return draft


def _refuse(data: bytes, file: str, path: Path, message: str, at_key: bool = False) -> NoReturn:
    document = read(data, file)
    problem = Problem("schema", message, path, at_key)
    place = document.located(problem).place if document.readable else None
    raise SchemaError(f"{place or file}: {message}")


def _properties(
    validator: Validator, properties: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """What jsonschema does for `properties`; it forgets which one is ruled out by `false`."""
    if not validator.is_type(instance, "object"):
        return
    for key, inner in properties.items():
        if key in instance and inner is False:
            yield ValidationError("", "not", (key,), validator_value={}, instance=instance[key])
        elif key in instance:
            yield from validator.descend(instance[key], inner, path=key, schema_path=key)


def _unresolved(schema: Any, draft: Validator) -> str | None:
    """The first reference that leads nowhere."""
    uri = draft.META_SCHEMA.get("$schema", draft.META_SCHEMA.get("id", ""))
    resource: Resource[Any] = Resource.from_contents(schema, specification_with(uri))
    return next(_dead(resource, REGISTRY.resolver_with_root(resource)), None)


def _dead(resource: Resource[Any], resolver: Any) -> Iterator[str]:
    ref = resource.contents.get("$ref") if isinstance(resource.contents, Mapping) else None
    if isinstance(ref, str):
        try:
            resolver.lookup(ref)
        except Unresolvable:
            yield ref
    for inner in resource.subresources():
        yield from _dead(inner, resolver.in_subresource(inner))


def _path_of(ref: str, value: Any, path: Path = ()) -> Path | None:
    """Where a reference stands."""
    if isinstance(value, dict) and value.get("$ref") == ref:
        return (*path, "$ref")
    items = value.items() if isinstance(value, dict) else enumerate(value)
    inner = (
        _path_of(ref, item, (*path, key)) for key, item in items if isinstance(item, dict | list)
    )
    return next((found for found in inner if found), None)
