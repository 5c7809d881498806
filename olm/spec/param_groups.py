"""The param groups of an optimizer: their names, the globs that select them, and their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from olm.fields.errors import at, below, invalid, quoted
from olm.fields.types import MAX_RATE, Length, Number
from olm.problem import clipped, found, listed, nearest
from olm.spec.hyperparameters import (
    ELEMENT_PATTERN,
    PAIR_PATTERN,
    SINGLE_PATTERN,
    hyperparameter,
)

MAX_NAME = 200
"""The longest name of a param group, and the longest glob."""

_REGEX_SIGNS = ("^", "$", "\\", ".*", "|", "(")

NUMBER = Number(0.0, MAX_RATE)

OWN_NUMBERS = {"type": "number", "minimum": 0, "maximum": MAX_RATE}
NAME_SCHEMA = {"type": "string", "maxLength": MAX_NAME, "pattern": "^[^#]"}

_UNNAMED = "#[0-9]+"
"""How a state writes the name of a param group without one: by its position."""

_MAX_ELEMENTS = 1000
"""The most numbers that a hyperparameter may be."""

GROUP_SCHEMA: dict[str, Any] = {"minLength": 1, "maxLength": MAX_NAME}
"""The name of a param group that is there, for JSON Schemas."""


@dataclass(frozen=True)
class ParamGroup:
    """A param group as the document describes it."""

    name: str
    """Its name."""
    numbers: tuple[tuple[str, float], ...] = ()
    """Its own hyperparameters, in place of those under `optimizer`."""

    def as_document(self) -> Any:
        """The item as it is written: the name, or a mapping with the numbers."""
        return {"name": self.name, **dict(self.numbers)} if self.numbers else self.name


def param_groups(value: Any) -> tuple[ParamGroup, ...]:
    """The param groups that a document lists.

    Raises:
        ValidationError: with every problem that there is.
    """
    if not isinstance(value, list | tuple):
        raise invalid("type", f"must be a list of names, found {found(value)}")
    if value != ():  # which is what a document without names has
        Length(1)(value)
    errors: list[InitErrorDetails] = []
    groups: list[ParamGroup] = []
    for index, item in enumerate(value):
        try:
            groups.append(item if isinstance(item, ParamGroup) else _param_group(item, index))
        except PydanticCustomError as error:
            # A missing field is reported at what lacks it, by the path of the field.
            missing = ("name",) if error.type == "missing-field" else ()
            errors.append(at((index, *missing), item, error))
        except ValidationError as error:
            errors += below(error, (index,))
            continue
        name = groups[-1].name if groups else ""
        if not errors and name in {group.name for group in groups[:-1]}:
            text = f"{quoted(name)} is the name of two param groups"
            errors.append(at((index,), item, invalid("rule", text)))
    if errors:
        raise ValidationError.from_exception_data("ParamGroups", errors)
    return tuple(groups)


def _param_group(item: Any, index: int) -> ParamGroup:
    if item == f"#{index}":
        # A state has it, of a group without a name.
        return ParamGroup(item)
    if isinstance(item, str) and re.fullmatch(_UNNAMED, item) and len(item) <= MAX_NAME:
        # The JSON Schema accepts it, since the position of an item is beyond it.
        raise invalid("rule", f"must not begin with #, found {found(item)}")
    if not isinstance(item, Mapping):
        return ParamGroup(_name(item))
    if "name" not in item:
        raise invalid("missing-field", "a param group needs the field `name`")
    rest = {key: number for key, number in item.items() if key != "name"}
    return ParamGroup(_name(item["name"]), _numbers(rest))


def _name(value: Any) -> str:
    name = group_name(value)
    if name.startswith("#"):
        raise invalid("type", f"must not begin with #, found {found(value)}")
    return name


def group_name(value: Any) -> str:
    """The name of a param group that is there, with a name of its own or without.

    Raises:
        PydanticCustomError: it can be none.
    """
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise invalid("type", f"must be the name of a param group, found {found(value)}")
    return value


def optimizer_numbers(value: Any) -> tuple[tuple[str, float], ...]:
    """The numbers of the optimizer that a document has.

    Raises:
        ValidationError: with every problem that there is.
    """
    if isinstance(value, tuple):
        return value
    if not isinstance(value, Mapping) or not value:
        text = "must be a mapping of hyperparameters such as `lr: 3.0e-4`"
        raise invalid("type", f"{text}, found {found(value)}")
    return _numbers(value)


def _numbers(mapping: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    errors: list[InitErrorDetails] = []
    numbers: list[tuple[str, float]] = []
    for key, value in mapping.items():
        several = isinstance(value, list | tuple) and value
        for part, number in (
            [(f"{key}[{index}]", item) for index, item in enumerate(value)]
            if several
            else [(key, value)]
        ):
            try:
                numbers.append((hyperparameter(part), float(NUMBER(number))))
            except PydanticCustomError as error:
                errors.append(at((key,), value, error))
                break
    if errors:
        raise ValidationError.from_exception_data("Numbers", errors)
    return tuple(numbers)


def groups_schema() -> dict[str, Any]:
    """The JSON Schema of `param_groups`."""
    name = {"description": "The name of the param group.", **NAME_SCHEMA}
    numbers = _numbers_schema()
    entry = {
        **NAME_SCHEMA,
        "type": ["string", "object"],
        "pattern": rf"{NAME_SCHEMA['pattern']}|^{_UNNAMED}$(?!\n)",
        "patternErrorMessage": "must be the name of a param group, which does not begin with #",
        "required": ["name"],
        **numbers,
        "properties": {"name": name, **numbers["properties"]},
    }
    return {"type": "array", "minItems": 1, "items": entry}


def optimizer_schema() -> dict[str, Any]:
    """The JSON Schema of `optimizer`."""
    return {"type": "object", "minProperties": 1, **_numbers_schema()}


def _numbers_schema() -> dict[str, Any]:
    """The part of the schema of a mapping that describes its hyperparameters."""
    number = dict(OWN_NUMBERS)
    several = {"minItems": 1, "maxItems": _MAX_ELEMENTS, "items": dict(OWN_NUMBERS)}
    return {
        # What a value may be follows from the pattern alone, so that a mistake is one error.
        "properties": {name: {"description": text} for name, text in _DESCRIPTIONS.items()},
        "patternProperties": {
            PAIR_PATTERN: {"type": "array", **several},
            ELEMENT_PATTERN: number,
            SINGLE_PATTERN: {**number, "type": ["number", "array"], **several},
        },
        "additionalProperties": False,
    }


_DESCRIPTIONS = {
    "lr": "The learning rate, which factors multiply.",
    "weight_decay": "The weight decay.",
    "momentum": "The momentum of SGD and Muon.",
    "betas": "The two decay rates of the averages of Adam.",
    "eps": "What Adam adds to the denominator.",
}


def globs(value: Any) -> tuple[str, ...]:
    """The globs of a target: one, or a list.

    Raises:
        ValidationError: with every problem that there is.
    """
    if isinstance(value, str):
        return (_glob(value),)
    if not isinstance(value, list | tuple) or not value:
        wanted = "must be a glob over names of param groups, or a list of globs"
        raise invalid("type", f"{wanted}, found {found(value)}")
    errors: list[InitErrorDetails] = []
    patterns: list[str] = []
    for index, item in enumerate(value):
        try:
            patterns.append(_glob(item))
        except PydanticCustomError as error:
            errors.append(at((index,), item, error))
    if errors:
        raise ValidationError.from_exception_data("Globs", errors)
    return tuple(patterns)


def _glob(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise invalid(
            "type",
            f"must be a glob over names of param groups, such as layer_*, found {found(value)}",
        )
    if any(sign in value for sign in _REGEX_SIGNS):
        plain = value.strip("^$").replace(".*", "*").replace("\\", "")
        usable = plain and not any(sign in plain for sign in _REGEX_SIGNS)
        raise invalid(
            "type",
            f"must be a glob such as layer_*, found the regular expression {quoted(value)}",
            hint=f"write {plain}" if usable else "",
        )
    return value


def globs_schema() -> dict[str, Any]:
    """The JSON Schema of `groups`."""
    one = {"maxLength": MAX_NAME, "pattern": r"^((?!\.\*)[^\^$\\|(])+$"}
    return {
        "type": ["string", "array"],
        **one,
        "minItems": 1,
        "items": {"type": "string", **one},
        "errorMessage": "must be a glob over names of param groups, or a list of globs",
    }


def matches(pattern: str, name: str) -> bool:
    """Whether a glob selects a param group.

    ``*`` stands for any text without ``/``, and ``?`` for one character. A glob without ``/`` is
    compared with each part of the name between slashes.

    >>> matches("layer_*", "layer_01/no_wd"), matches("muon", "muon/0"), matches("*", "a/b")
    (True, True, True)
    >>> matches("layer_*/wd", "layer_01/no_wd"), matches("a*", "ba")
    (False, False)
    """
    parts, wanted = name.split("/"), pattern.split("/")
    if len(wanted) == 1:
        return any(_matches(pattern, part) for part in parts)
    return len(parts) == len(wanted) and all(map(_matches, wanted, parts))


@cache
def _literal(pattern: str) -> str:
    # A bracket is a bracket: names such as `betas[0]` are easily taken for names of groups.
    return pattern.replace("[", "[[]")


def _matches(pattern: str, part: str) -> bool:
    return fnmatchcase(part, _literal(pattern))


def full_names(own: Sequence[str | None], document: Sequence[str] = ()) -> list[str]:
    """The names of an optimizer's param groups.

    Groups without a name have those of the document, if it lists equally many and no group has a
    name of its own; otherwise ``#0``, ``#1`` and so on, by their positions.

    >>> full_names(["head", None]), full_names([None, None], ["decay", "no_decay"])
    (['head', '#1'], ['decay', 'no_decay'])
    """
    if len(document) == len(own) and not any(own):
        return list(document)
    return [name or f"#{index}" for index, name in enumerate(own)]


def names_in_words(names: Iterable[str]) -> str:
    """The names of param groups in a message.

    >>> names_in_words(["decay", "no_decay"])
    '`decay`, `no_decay`'
    """
    shown = [f"`{clipped(name)}`" for name in names]
    return listed(shown[:12] + (["…"] if len(shown) > 12 else []))


def suggestion(pattern: str, names: Sequence[str]) -> str:
    """The glob that was probably meant by one that selects nothing; empty if none is near."""
    bare = pattern.replace("*", "")
    segments = {part for name in names for part in (*name.split("/"), name)}
    meant = nearest(bare, segments) if bare else None
    if meant is None:
        return ""
    star = "*" if pattern.endswith("*") else ""
    return f"did you mean `{meant}{star}`?"
