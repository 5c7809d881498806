"""The JSON Schemas of specs (draft-07), for editors and for validators other than olm's own.

pydantic's ``oneOf`` over all kinds would answer one misspelt kind with two errors a kind. Here a
kind's closed definition applies only if `kind` names it, so that each mistake is one error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel

from olm.fields.imported import ImportedType
from olm.fields.rules import Rule
from olm.problem import MAX_LEVELS, MAX_VALUES
from olm.schedule.schedule import ANY_KIND, MAX_DEPTH, Schedule
from olm.schema.completion import names, snippet
from olm.schema.documentation import FieldSchema, field_docs, plain, prose, summary
from olm.spec.root_keys import KEYS, ROOT_KEYS, STATE_KEYS, RootKey
from olm.spec.spec import Spec

Json: TypeAlias = dict[str, Any]
Kinds: TypeAlias = Mapping[str, type[Schedule]]

DRAFT = "http://json-schema.org/draft-07/schema#"

ORIGIN = "Generated from the models by tools/generate.py."
"""Where the schemas are from that are in the repository."""

NESTED = {"$ref": "#/definitions/nested"}
"""A child: a schedule of any kind without the keys of a root."""

_KIND_IS_THERE = {"type": "object", "required": ["kind"]}


def schedules_schema(kinds: Kinds, origin: str = ORIGIN) -> Json:
    """The schema of a document, a spec or a state, whose schedule is of any of these kinds.

    Args:
        kinds: the models; no other kind is valid, a plugin's neither.
        origin: a sentence about where the schema is from.
    """
    return _document(kinds, kinds, "A learning-rate schedule of any kind.", origin)


def kind_schema(kind: str, kinds: Kinds, origin: str = ORIGIN) -> Json:
    """The schema of a document whose schedule is of one kind, with children of any."""
    return _document({kind: kinds[kind]}, kinds, plain(summary(kinds[kind])), origin)


def text_of(schema: Json) -> str:
    """A schema as it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def unsaid(kinds: Kinds) -> dict[str, list[str]]:
    """What a JSON Schema cannot say of a document, by the code of the problem where it fails.

    The models refuse a document for any other reason exactly if the schema does.

    >>> from olm.kinds import KINDS
    >>> unsaid({"WarmupCosineScheduler": KINDS["WarmupCosineScheduler"]})["rule"][:1]
    ['WarmupCosineScheduler: warmup_steps must be below total_steps']
    """
    of_keys: dict[str, list[str]] = {"rule": []}
    for name, key in KEYS.items():
        of_keys["rule"] += [f"{name}: {rule}" for rule in _rules(_model_of(name))]
        for code, text in key.beyond_schema.items():
            of_keys.setdefault(code, []).append(text)
    of_kinds = [f"{kind}: {rule}" for kind, model in kinds.items() for rule in _rules(model)]
    return {
        **of_keys,
        "rule": [*of_kinds, *of_keys["rule"]],
        "depth": [
            f"schedules must not be nested more than {MAX_DEPTH} deep",
            f"lists and mappings must not be nested more than {MAX_LEVELS} deep",
        ],
        "size": [f"a spec must have at most {MAX_VALUES:,} values"],
    }


def _document(roots: Kinds, kinds: Kinds, description: str, origin: str) -> Json:
    """A document whose root is of a kind in `roots`, with the definitions that it refers to."""
    definitions = {kind: _definition(model) for kind, model in {**roots, **kinds}.items()}
    without = dict.fromkeys(ROOT_KEYS, False)
    definitions["nested"] = {"title": "a schedule", **_any_kind(kinds, without)}
    general = [text for texts in unsaid({}).values() for text in texts]
    return {
        "$schema": DRAFT,
        **_comment(f"{origin} ", general),
        "description": description,
        **_any_kind(roots, _root_properties()),
        "dependencies": {
            **{key: [other for other in STATE_KEYS if other != key] for key in STATE_KEYS},
            **{name: key.needs() for name, key in KEYS.items() if key.needs is not None},
        },
        "definitions": definitions,
    }


def _any_kind(kinds: Kinds, properties: Json) -> Json:
    """A schedule of one of these kinds, and properties that it has whatever its kind."""
    return {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": names(kinds), **properties},
        "if": _KIND_IS_THERE,
        "then": {"allOf": [_if_of_kind(kind) for kind in kinds]},
        # Exactly one of these holds, always: editors look for snippets in unions.
        "anyOf": [
            _KIND_IS_THERE,
            {
                "allOf": [{"not": _KIND_IS_THERE}],
                "defaultSnippets": [snippet(model) for model in kinds.values()],
            },
        ],
    }


def _if_of_kind(kind: str) -> Json:
    return {
        "if": {**_KIND_IS_THERE, "properties": {"kind": {"const": kind}}},
        "then": {"$ref": f"#/definitions/{kind}"},
    }


@cache
def _definition(model: type[Schedule]) -> Json:
    """A kind with its fields and no others; the root's keys are left to the root.

    It is shared by the schemas of all kinds, and must not be changed.
    """
    kind, docs = model.model_fields["kind"].default, field_docs(model)
    schema = model.model_json_schema(schema_generator=FieldSchema)
    if "$defs" in schema:
        names = ", ".join(schema["$defs"])
        raise TypeError(f"a field may not be of a model or an enumeration of its own: {names}")
    fields = {
        name: _linked(_described(field, docs.get(name)))
        for name, field in schema["properties"].items()
        if name != "kind"
    }
    return {
        **_comment("", _rules(model)),
        "description": plain(prose(model)),
        "type": "object",
        "required": ["kind", *schema.get("required", ())],
        "properties": {"kind": {"const": kind}, **fields, **dict.fromkeys(ROOT_KEYS, True)},
        "additionalProperties": False,
        "examples": [{"kind": kind, **example} for example in model.examples],
    }


def _root_properties() -> Json:
    docs = field_docs(Spec)
    typed = Spec.model_json_schema(schema_generator=FieldSchema)["properties"]
    schema = {"type": "string", "description": "The schema by which an editor checks the document."}
    keys = {
        name: _described(_of_key(name, key, typed[name]), docs.get(name))
        for name, key in KEYS.items()
    }
    written = {name: _unwritten(keys[name]) for name in KEYS if KEYS[name].where == "state"}
    return {"$schema": schema, **keys, **written}


def _of_key(name: str, key: RootKey, typed: Json) -> Json:
    """The values of a key of the root."""
    if key.schema is not None:
        return _with_items(key, _linked(key.schema()))
    model = _model_of(name)
    return _not_null(typed) if model is None else _closed(model)


def _with_items(key: RootKey, schema: Json) -> Json:
    """The schema of a list, with the sentences of the model of its items."""
    if key.items is None:
        return schema
    docs, items = field_docs(key.items()), schema["items"]
    fields = {name: _described(one, docs.get(name)) for name, one in items["properties"].items()}
    return {**schema, "items": {**items, "properties": fields}}


def _model_of(name: str) -> type[BaseModel] | None:
    """The model of a key of the root, if it has one."""
    annotation = Spec.model_fields[name].annotation
    loaded = annotation.load() if isinstance(annotation, ImportedType) else annotation
    return loaded if isinstance(loaded, type) and issubclass(loaded, BaseModel) else None


def _closed(model: type[BaseModel]) -> Json:
    """A mapping with the fields of a model and no others."""
    schema, docs = model.model_json_schema(schema_generator=FieldSchema), field_docs(model)
    fields = {name: _described(one, docs.get(name)) for name, one in schema["properties"].items()}
    for key, field in model.model_fields.items():
        name = field.alias or key
        if field.default is None or field.default == ():
            fields[name] = _not_null(fields[name])
        if inner := _inner_model(field.annotation):
            several = "array" in fields[name]["type"]
            closed = _closed(inner)
            fields[name] = fields[name] | ({"items": closed} if several else closed)
    return {
        **_comment("", _rules(model)),
        "type": "object",
        **({"required": schema["required"]} if "required" in schema else {}),
        "properties": fields,
        "additionalProperties": False,
        **{name: schema[name] for name in ("if", "then", "else") if name in schema},
    }


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model of a field, or of the items of its list, if it has one."""
    parts = [annotation, *get_args(annotation)]
    loaded = (part.load() if isinstance(part, ImportedType) else part for part in parts)
    models = (part for part in loaded if isinstance(part, type) and issubclass(part, BaseModel))
    return next(models, None)


def _not_null(schema: Json) -> Json:
    """What a key of the root takes: None stands for its absence, and is not written."""
    types = schema["type"]
    several = [types] if isinstance(types, str) else [one for one in types if one != "null"]
    there = several if len(several) > 1 else several[0]
    return {name: value for name, value in schema.items() if name != "default"} | {"type": there}


def _unwritten(schema: Json) -> Json:
    """What only a state has: editors say what it is, and offer it to nobody who writes a spec."""
    return {**schema, "doNotSuggest": True}


def _comment(start: str, unsaid: list[str]) -> Json:
    return {"$comment": f"{start}Not said here: {'; '.join(unsaid)}."} if unsaid else {}


def _described(schema: Json, text: str | None) -> Json:
    """A field with the sentences under it, then those of its type: how a value may be written."""
    one = schema["items"] if isinstance(schema.get("items"), dict) else schema
    said = [plain(text or ""), one.get("description", "")]
    rest = {name: value for name, value in schema.items() if name != "description"}
    return {"description": "\n\n".join(filter(None, said)), **rest} if any(said) else rest


def _linked(schema: Any) -> Any:
    """The same with a reference wherever the mark of a child stands."""
    if isinstance(schema, list):
        return [_linked(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema == ANY_KIND:
        return NESTED
    if ANY_KIND.items() <= schema.items():
        # What stands beside a reference says nothing in draft-07, and is read by editors; within an
        # `allOf` they would not see that the value is a mapping, and complete the key alone.
        beside = {name: value for name, value in schema.items() if name not in ANY_KIND}
        return {**beside, **NESTED}
    return {name: _linked(value) for name, value in schema.items()}


def _rules(model: type[BaseModel] | None) -> list[str]:
    """The rules between the fields of a model, in words."""
    rules: tuple[Rule, ...] = getattr(model, "rules", ())
    return [rule.message.format_map({name: name for name in rule.fields}) for rule in rules]
