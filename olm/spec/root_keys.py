"""The keys that only the root of a document may have, each a field of `Root`.

The type of a field is how the key is read, the sentence under it is what schemas and editors show,
and its `RootKey` is all else: what has the key, how it is written, compared, checked and described.
To add a key, add a field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter, methodcaller
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import InitErrorDetails

from olm import kinds as kinds  # every kind, before a document asks for one
from olm.fields.errors import at, invalid
from olm.fields.imported import ImportedType, imported, there
from olm.fields.types import MAX_STEPS, Items, Length, Number, Rate, RoundingWord, Signed
from olm.problem import Path, found
from olm.schedule.schedule import Schedule, reserve, validate

DIGEST = "^sha256:[0-9a-f]{64}$"
"""How the digest of a state is written."""


if TYPE_CHECKING:
    from olm.fields.durations import Duration
    from olm.schedule.clock import Clock
    from olm.spec.expectation import Expectation
    from olm.spec.param_groups import ParamGroup
    from olm.spec.parent import Parent
    from olm.spec.targets import Target
    from olm.spec.written_durations import Durations

    Targets = tuple[Target, ...]
    ParamGroups = tuple[ParamGroup, ...]
    Numbers = tuple[tuple[str, float], ...]
else:

    def _root_type(home: str, name: str, reader: str, shape: Any = None) -> ImportedType:
        shape = shape or (lambda item: item)
        return ImportedType(f"olm.{home}", name, reader, shape=shape)

    def _list_of(item: Any) -> Any:
        return Sequence[item]

    def _mapping(item: Any) -> Any:
        return Mapping[str, Any]

    Clock = _root_type("schedule.clock", "Clock", "clock_of")
    Targets = _root_type("spec.targets", "Target", "targets", _list_of)
    ParamGroups = _root_type("spec.param_groups", "ParamGroup", "param_groups", _list_of)
    Numbers = _root_type("spec.param_groups", "ParamGroup", "optimizer_numbers", _mapping)
    Expectation = _root_type("spec.expectation", "Expectation", "expected")
    Parent = _root_type("spec.parent", "Parent", "parent_of")
    Durations = _root_type("spec.written_durations", "Durations", "durations")


class RootKey(NamedTuple):
    """All about a key besides its type and its sentence."""

    where: Literal["spec", "state", "both"] = "spec"
    """What has the key: specs, which people write, states, which schedulers write, or both."""
    position: bool = False
    """Whether it is a part of where a state stands: a state has all such keys, a spec has none."""
    compared: Literal["no", "spec", "run"] = "no"
    """What two different values tell apart: nothing, two specs, or only two runs of one spec."""
    write: Callable[[Any], Any] = lambda value: value
    """The plain value that a document has, from a value that was read."""
    check: Callable[[Root, Any], Iterator[InitErrorDetails]] | None = None
    """The contradictions between the rest of the document and a value."""
    schema: Callable[[], dict[str, Any]] | None = None
    """The JSON Schema, if it does not follow from the type."""
    items: Callable[[], type[BaseModel]] | None = None
    """The model of the items of a list, whose sentences describe the fields."""
    needs: Callable[[], dict[str, Any]] | None = None
    """The JSON Schema of a document that has the key, if others must be there with it."""
    beyond_schema: Mapping[str, str] = MappingProxyType({})
    """What the JSON Schema cannot require, by the code of the problem."""


def digest_text(value: Any) -> str:
    """The value of `digest`, if it is written like one."""
    if isinstance(value, str) and re.fullmatch(DIGEST, value):
        return value
    raise invalid("type", f"must be `sha256:` and 64 hexadecimal digits, found {found(value)}")


class Root(BaseModel, metaclass=Signed):
    """What the root of a document has: a schedule and keys of its own, a field each."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    schedule: Annotated[Schedule, PlainValidator(validate)]
    """The shape."""
    also: Annotated[
        Targets,
        RootKey(
            "both",
            write=lambda targets: [target.as_document() for target in targets],
            check=imported("olm.spec.targets", "contradictions"),
            schema=imported("olm.spec.targets", "schema"),
            items=imported("olm.spec.targets", "model"),
            beyond_schema={
                "two-targets": "two targets must not set one number of one param group",
                "no-group": "globs must match one of param_groups",
                "target-state": "targets of a state have bases, one for each of param_groups",
                "no-hyperparameter": "a momentum must be one that optimizer and param_groups have",
            },
        ),
    ] = ()
    """The other numbers that the run schedules: hyperparameters, of all groups or some, and values
    that the training loop asks for."""
    param_groups: Annotated[
        ParamGroups,
        RootKey(
            "both",
            write=lambda groups: [group.as_document() for group in groups],
            schema=imported("olm.spec.param_groups", "groups_schema"),
            beyond_schema={"rule": "param_groups: each name must be listed once"},
        ),
    ] = ()
    """The names of the optimizer's param groups, in order, also with their own numbers."""
    optimizer: Annotated[
        Numbers,
        RootKey(
            write=dict,
            schema=imported("olm.spec.param_groups", "optimizer_schema"),
        ),
    ] = ()
    """The numbers that the optimizer is constructed with, such as `lr` and `weight_decay`."""
    expect: Annotated[
        Expectation | None,
        RootKey(
            write=methodcaller("as_document"),
            check=imported("olm.spec.expectation", "contradictions"),
            needs=imported("olm.spec.expectation", "needs"),
            beyond_schema={
                "expectation": "the base_lr of an expectation must be the lr of optimizer"
            },
        ),
    ] = None
    """What the schedule is expected to do, which ``olm check`` holds it to."""
    clock: Annotated[Clock | None, RootKey("both", compared="run", write=attrgetter("known"))] = (
        None
    )
    """The run that the spec was written for; a run of its own that is built wins."""
    rounding: Annotated[RoundingWord, RootKey("both")] = "nearest"
    """How the ends of durations are rounded to whole steps, in all schedules and in `expect`."""
    parent: Annotated[Parent | None, RootKey("both", write=methodcaller("as_document"))] = None
    """The run that this run branches from: the `digest` of its states, and the step. Its state at
    this step loads as a state of the branch."""
    durations: Annotated[
        Durations,
        RootKey(
            "state",
            write=lambda pairs: [list(pair) for pair in pairs],
            check=imported("olm.spec.written_durations", "misplaced"),
            schema=imported("olm.spec.written_durations", "schema"),
            beyond_schema={
                "durations": "a state is in steps, and durations says what some of them were before"
            },
        ),
    ] = ()
    """The durations as they were before they were steps, each with its path. A state has them."""
    last_epoch: Annotated[
        int | None, Number(-1, MAX_STEPS, whole=True), RootKey("state", position=True)
    ] = None
    """The step last taken; -1 before the first."""
    base_lrs: Annotated[
        Annotated[Items[Rate], Length(1)] | None,
        BeforeValidator(there),
        RootKey("state", position=True, compared="spec", write=list),
    ] = None
    """The base learning rates, one for each param group of the optimizer."""
    digest: Annotated[
        Annotated[str, Field(pattern=DIGEST, max_length=71)] | None,
        BeforeValidator(digest_text),
        RootKey(
            "state",
            position=True,
            check=imported("olm.spec.digest", "mixed_state"),
            beyond_schema={"digest": "digest must be that of the schedule"},
        ),
    ] = None
    """The `digest` of the schedule, which tells a mixture of two states from a state."""

    @property
    def origin(self) -> dict[str, Any]:
        """What a state keeps of where its numbers are from.

        These are the `parent`, the `durations` with their `rounding`, and a `clock` whose batch
        changes.
        """
        kept: dict[str, Any] = {"parent": self.parent}
        if self.durations:
            kept |= {"durations": self.durations, "rounding": self.rounding}
        if self.clock is not None and self.clock.varies:
            kept["clock"] = self.clock
        return kept

    @property
    def group_names(self) -> list[str]:
        """The names under `param_groups`, in order."""
        return [group.name for group in self.param_groups]

    def placed_schedules(self) -> list[tuple[Path, Schedule]]:
        """The schedules that are in no other: the root's and those of the targets, with paths."""
        placed: list[tuple[Path, Schedule]] = [((), self.schedule)]
        return placed + [
            (("also", index, target.field), target.curve) for index, target in enumerate(self.also)
        ]

    def at(self, path: Path) -> Any:
        """The value at a path, in the schedule or in a target."""
        if path[:1] != ("also",):
            return self.schedule.at(path)
        placed = dict(self.placed_schedules())
        return placed[path[:3]].at(path[3:])

    def durations_there(self) -> list[tuple[Path, Duration]]:
        """The durations in the schedule and in the targets, each with its path."""
        return [
            (place + path, duration)
            for place, schedule in self.placed_schedules()
            for path, duration in schedule.durations()
        ]

    def keys_there(self) -> Iterator[tuple[str, RootKey, Any]]:
        """The keys that have a value, each with all about it and with the value."""
        given = self.model_fields_set
        for name, key in KEYS.items():
            if name in given and (value := getattr(self, name)) != DEFAULTS[name]:
                yield name, key, value


KEYS: Mapping[str, RootKey] = {
    name: next(one for one in field.metadata if isinstance(one, RootKey))
    for name, field in Root.model_fields.items()
    if name != "schedule"
}
"""All about each key by its name, apart from `$schema`, which is the editor's and is not kept."""

DEFAULTS: Mapping[str, Any] = {name: Root.model_fields[name].default for name in KEYS}
"""The value of each key by its name where a document does not have the key."""

ROOT_KEYS = ("$schema", *KEYS)
"""The names of all keys. No kind has a field of such a name."""

STATE_KEYS = tuple(name for name, key in KEYS.items() if key.position)
"""The keys that make a spec a state: all of them are there, or none."""

reserve(ROOT_KEYS)


def parted(data: Any) -> Any:
    """A document as the fields of a `Root`; what is no document stays as it is.

    Raises:
        ValidationError: `$schema` is no string.
    """
    if not isinstance(data, Mapping) or isinstance(data.get("schedule"), Schedule):
        return data
    rest = dict(data)
    root = {key: rest.pop(key) for key in KEYS if key in rest}
    schema = rest.pop("$schema", "")
    if not isinstance(schema, str):
        error = invalid("type", f"must be a string, found {found(schema)}")
        raise ValidationError.from_exception_data("Spec", [at(("$schema",), schema, error)])
    return {"schedule": rest, **root}


def half_state(data: Mapping[str, Any]) -> list[InitErrorDetails]:
    """That some of the keys of a state are there, but not all."""
    there = [key for key in STATE_KEYS if key in data]
    if len(there) in (0, len(STATE_KEYS)):
        return []
    missing = ", ".join(f"`{key}`" for key in STATE_KEYS if key not in there)
    text = f"{there[0]} needs {missing} beside it: a state has them all, a spec none"
    hint = "to begin at a step that is known, pass `step` to olm.build" * ("last_epoch" in there)
    return [at((there[0],), data[there[0]], invalid("half-state", text, hint=hint))]
