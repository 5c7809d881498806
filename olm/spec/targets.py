"""What `also` schedules: hyperparameters besides the learning rate of all groups, and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails, PydanticCustomError

from olm.fields.errors import at, below, invalid, null, quoted, reworded_all
from olm.fields.types import Items, Length, Rate
from olm.problem import Path, Problem, found, only_near, quantity
from olm.schedule.schedule import ANY_KIND, Schedule, validate
from olm.spec.hyperparameters import (
    LR,
    OTHER_MOMENTUM,
    SET_PATTERN,
    SUGGESTED,
    VALUE_PATTERN,
    hyperparameter,
    split,
    value_name,
)
from olm.spec.param_groups import (
    NUMBER,
    OWN_NUMBERS,
    globs,
    globs_schema,
    matches,
    names_in_words,
    suggestion,
)

if TYPE_CHECKING:
    from olm.spec.root_keys import Root


class Target(BaseModel):
    """A number that a document schedules besides the learning rate of the other groups."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    set: Annotated[str | None, BeforeValidator(hyperparameter)] = None
    """The hyperparameter of the param groups, such as `weight_decay` or `betas[0]`."""
    value: Annotated[str | None, BeforeValidator(value_name)] = None
    """Or the name of a number that the training loop asks for."""
    groups: Annotated[tuple[str, ...], BeforeValidator(globs)] = ()
    """The param groups, by globs over their names; without it all that no other target names."""
    schedule: Annotated[Schedule | None, PlainValidator(validate)] = None
    """The schedule of the number: factors multiply each group's own number."""
    scaled_by: Annotated[Schedule | None, PlainValidator(validate)] = None
    """Or the schedule of a factor of the number that the other groups have."""
    base: Annotated[float | None, BeforeValidator(NUMBER)] = None
    """What factors multiply, in place of each group's own number; 1 for a value."""
    metric: Annotated[str | None, BeforeValidator(value_name)] = None
    """The name of the metric that its schedule observes."""
    bases: Annotated[Items[Rate], Length(1)] | None = None
    """In a state: each group's own number, in the order of the groups that the target sets."""

    @property
    def curve(self) -> Schedule:
        """Its schedule, be it of the number or of a factor."""
        schedule = self.schedule or self.scaled_by
        assert schedule is not None
        return schedule

    @property
    def field(self) -> str:
        """The field that has the schedule."""
        return "schedule" if self.schedule is not None else "scaled_by"

    @property
    def number(self) -> str:
        """What it schedules: the name of the hyperparameter or of the value."""
        return self.set or self.value or ""

    @property
    def label(self) -> str:
        """What it schedules, in words.

        >>> hold = {"kind": "HoldLR"}
        >>> Target(set="lr", groups=["head", "neck"], schedule=hold).label
        'lr of head, neck'
        """
        return f"{self.number} of {', '.join(self.groups)}" if self.groups else self.number

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        """What tells it from the other targets of a document."""
        return ("set" if self.set else "value", self.number, tuple(sorted(self.groups)))

    @property
    def has_bases(self) -> bool:
        """Whether a state keeps each group's own number of it."""
        return self.set not in (None, LR) and self.base is None

    def selects(self, group: str) -> bool:
        """Whether one of its globs selects a param group."""
        return any(matches(glob, group) for glob in self.groups)

    def with_curve(self, schedule: Schedule) -> Self:
        """The same target with another schedule, which is known to be valid."""
        return BaseModel.model_copy(self, update={self.field: schedule})

    def with_bases(self, bases: Sequence[float] | None) -> Self:
        """The same target with each group's own number, as a state has it."""
        return BaseModel.model_copy(self, update={"bases": None if bases is None else (*bases,)})

    def as_document(self) -> dict[str, Any]:
        """The target as plain values, without what it does not specify."""
        document: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None or value == ():
                continue
            if isinstance(value, Schedule):
                document[name] = value.model_dump(mode="json")
            elif name == "groups" and len(value) == 1:
                document[name] = value[0]
            else:
                document[name] = list(value) if isinstance(value, tuple) else value
        return document

    @model_validator(mode="wrap")
    @classmethod
    def _report_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            text = f"must be a mapping with `set` or `value`, found {found(data)}"
            raise ValidationError.from_exception_data(
                "Target", [at((), data, invalid("type", text))]
            )
        nulls = [name for name, value in data.items() if value is None and name in cls.model_fields]
        errors = [at((name,), None, null()) for name in nulls]
        made: Self | None = None
        try:
            made = handler({name: value for name, value in data.items() if name not in nulls})
        except ValidationError as error:
            details = error.errors(include_url=False)
            errors += reworded_all(details, "a target", cls.model_fields)
        unknown = [name for name in data if name not in cls.model_fields]
        meant = {only_near(name, cls.model_fields) for name in unknown}
        errors += _conflicts({**dict.fromkeys(filter(None, meant)), **data})
        if errors:
            raise ValidationError.from_exception_data("Target", errors) from None
        assert made is not None
        return made


def _conflicts(data: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """What does not fit together among the keys of a target."""

    def error(key: str, text: str) -> InitErrorDetails:
        return at((key,), data[key], invalid("target", text))

    def missing(text: str) -> InitErrorDetails:
        return at(("set",), data, invalid("missing-field", text))

    of_loop = "value" in data
    if of_loop and "set" in data:
        yield error("value", "a target has either `set` or `value`, not both")
        return
    if of_loop:
        for key in ("groups", "scaled_by", "bases"):
            if key in data:
                yield error(key, f"a `value` has no `{key}`: it belongs to no optimizer")
        if "schedule" not in data and "scaled_by" not in data:
            yield missing("a target needs the field `schedule`")
        return
    if "set" not in data:
        yield missing("a target needs `set`, a hyperparameter of the param groups, or `value`")
        return
    if "schedule" in data and "scaled_by" in data:
        yield error("scaled_by", "a target has either `schedule` or `scaled_by`, not both")
    elif "schedule" not in data and "scaled_by" not in data:
        yield missing("a target needs the field `schedule` or `scaled_by`")
    elif "scaled_by" in data:
        if "base" in data:
            text = "`scaled_by` has no `base`: it multiplies the number of the other groups"
            yield error("base", text)
        if "groups" not in data:
            text = "`scaled_by` needs `groups`: it multiplies the number of the other groups"
            yield error("scaled_by", text)
    if data["set"] == LR and "groups" not in data and "scaled_by" not in data:
        text = "`set: lr` needs `groups`: the root schedules the lr of all the others"
        yield error("set", text)


def targets(value: Any) -> tuple[Target, ...]:
    """The targets in the list that a document has.

    Raises:
        ValidationError: with every problem that there is.
    """
    if not isinstance(value, list | tuple):
        raise invalid("type", f"must be a list of targets, found {found(value)}")
    if value != ():  # which is what a document without targets has
        Length(1)(value)
    made: list[Target] = []
    errors: list[InitErrorDetails] = []
    for index, item in enumerate(value):
        try:
            made.append(Target.model_validate(item))
        except ValidationError as error:
            errors += below(error, (index,))
    if errors:
        raise ValidationError.from_exception_data("Targets", errors)
    return tuple(made)


def contradictions_despite(data: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """What does not fit together among the valid targets of a document with other errors."""
    from olm.spec.param_groups import param_groups

    items, groups = data.get("also"), data.get("param_groups")
    if not isinstance(items, list | tuple) or groups is None:
        return
    try:
        names = [group.name for group in param_groups(groups)]
    except (PydanticCustomError, ValidationError):
        return
    # A value stands for a target that is not valid: it sets nothing.
    also = [_valid(item) or Target.model_construct(value="") for item in items]
    yield from map(_as_error, assign(also, names).problems)


def _valid(item: Any) -> Target | None:
    try:
        return Target.model_validate(item)
    except ValidationError:
        return None


def contradictions(root: Root, also: Sequence[Target]) -> Iterator[InitErrorDetails]:
    """What does not fit together among the targets of a document."""
    names = root.group_names
    problems = [*_twice(also), *(_bases_of_spec(also) if root.last_epoch is None else ())]
    if names and not problems:
        assignment = assign(also, names)
        problems += assignment.problems
        if not problems and root.last_epoch is not None:
            problems += _bases_of_state(also, assignment)
    elif root.last_epoch is not None and any(target.set for target in also):
        text = "a state whose targets set hyperparameters needs the key `param_groups`"
        problems.append(Problem("target-state", text, ("also",)))
    problems += _lacking(root)
    yield from map(_as_error, problems)


def _as_error(problem: Problem) -> InitErrorDetails:
    return at(problem.path, None, invalid(problem.code, problem.message, hint=problem.hint))


def _lacking(root: Root) -> Iterator[Problem]:
    """A momentum that the numbers of the document exclude: no optimizer has it in both ways."""
    own = {group.name: root.optimizer + group.numbers for group in root.param_groups}
    owners = assign(root.also, list(own)).by_set
    for index, target in enumerate(root.also):
        key = split(target.set)[0] if target.set else ""
        if key not in OTHER_MOMENTUM:
            continue
        other, hint = OTHER_MOMENTUM[key]
        for name, numbers in (own or {"": root.optimizer}).items():
            listed_keys = {split(number)[0] for number, _ in numbers}
            is_owner = not name or owners[target.set or ""][[*own].index(name)] == index
            if is_owner and other in listed_keys and key not in listed_keys:
                whose = f"param group {quoted(name)}" if name else "the optimizer"
                text = f"{whose} has `{other}` and no `{key}`"
                yield Problem("no-hyperparameter", text, ("also", index, "set"), hint=hint)
                break


def _bases_of_spec(also: Sequence[Target]) -> Iterator[Problem]:
    """That a spec has no numbers of the groups."""
    for index, target in enumerate(also):
        if target.bases is not None:
            path = ("also", index, "bases")
            yield Problem("target-state", "only the targets of a state have `bases`", path)


def _bases_of_state(also: Sequence[Target], assignment: Assignment) -> Iterator[Problem]:
    """That a state has the groups' own numbers for each target."""
    for index, target in enumerate(also):
        path: Path = ("also", index, "bases")
        wanted = len(assignment.groups_of(index)) if target.has_bases else 0
        if (count := len(target.bases or ())) != wanted:
            groups = quantity(wanted, "param group")
            text = f"bases must have a number for each of {groups}, found {count or 'none'}"
            yield Problem("target-state", text, path if target.bases else path[:-1])


def _twice(also: Sequence[Target]) -> Iterator[Problem]:
    """Two targets of one number that no param group is needed to tell."""
    seen: dict[Any, int] = {}
    for index, target in enumerate(also):
        key = (target.number, tuple(sorted(target.groups)))
        first = seen.setdefault(key, index)
        if first != index:
            of = (
                target.label if target.groups or target.value else f"the {target.number} of a group"
            )
            name = "value" if target.value else "set"
            yield Problem(
                "two-targets",
                f"also[{first}] and also[{index}] both set {of}",
                ("also", index, name),
            )


class Assignment:
    """Which target sets which hyperparameter of which param group."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.by_set: dict[str, list[int | None]] = {}
        """For each hyperparameter, the index of the target of each group; None if it has none."""
        self.problems: list[Problem] = []

    def groups_of(self, target: int) -> list[int]:
        """The positions of the groups that a target sets.

        >>> hold = {"kind": "HoldLR"}
        >>> also = [Target(set="eps", groups="b", schedule=hold), Target(set="eps", schedule=hold)]
        >>> found = assign(also, ["a", "b", "c"])
        >>> found.groups_of(0), found.groups_of(1)
        ([1], [0, 2])
        """
        return [
            group
            for owners in self.by_set.values()
            for group, owner in enumerate(owners)
            if owner == target
        ]


def assign(also: Sequence[Target], names: Sequence[str], late: Iterable[str] = ()) -> Assignment:
    """Which target sets which hyperparameter of which param group.

    Args:
        also: the targets.
        names: the names of the param groups.
        late: names of param groups that may be added later, which a glob may be meant for.
    """
    assignment = Assignment(names)
    known = list(dict.fromkeys([*names, *late]))
    for index, target in enumerate(also):
        if target.set is None:
            continue
        owners = assignment.by_set.setdefault(target.set, [None] * len(names))
        for place, pattern in enumerate(target.groups):
            if not any(matches(pattern, name) for name in known):
                path: Path = ("also", index, "groups")
                path += (place,) if len(target.groups) > 1 else ()
                text = f"no param group is called `{pattern}`; they are {names_in_words(known)}"
                hint = suggestion(pattern, known)
                assignment.problems.append(Problem("no-group", text, path, hint=hint))
        for group, name in enumerate(names):
            if not target.selects(name):
                continue
            if (other := owners[group]) is not None:
                text = (
                    f"also[{other}] and also[{index}] both set the {target.set} of {quoted(name)}"
                )
                path = ("also", index, "groups")
                assignment.problems.append(Problem("two-targets", text, path))
                break
            owners[group] = index
    for index, target in enumerate(also):
        if target.set is not None and not target.groups:
            owners = assignment.by_set[target.set]
            owners[:] = [index if owner is None else owner for owner in owners]
    return assignment


def model() -> type[BaseModel]:
    """The model of a target."""
    return Target


def schema() -> dict[str, Any]:
    """The JSON Schema of `also`: one closed object, so that a mistake is one error."""
    target = {
        "type": "object",
        "properties": _properties_schema(),
        "additionalProperties": False,
        "if": {"required": ["value"]},
        "then": {
            "properties": dict.fromkeys(("set", "groups", "scaled_by", "bases"), False),
            **_either("scaled_by", {}, {"required": ["schedule"]}),
        },
        # Without `set`, only that is required, so that a mistake is one error.
        "else": {"required": ["set"], **_either("set", _of_groups_schema(), {})},
    }
    return {"type": "array", "minItems": 1, "items": target}


def _either(key: str, with_key: dict[str, Any], without: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"required": [key]}, "then": with_key, "else": without}


def _of_groups_schema() -> dict[str, Any]:
    of_lr = {"if": {"properties": {"set": {"const": LR}}}, "then": {"required": ["groups"]}}
    scaled = {"required": ["groups"], "properties": {"schedule": False, "base": False}}
    return _either("scaled_by", scaled, {"required": ["schedule"], **of_lr})


def _properties_schema() -> dict[str, Any]:
    bases = {"type": "array", "minItems": 1, "items": dict(OWN_NUMBERS), "doNotSuggest": True}
    return {
        "set": {
            "type": "string",
            "pattern": SET_PATTERN,
            "errorMessage": "must be a key of the param groups that is a number, or betas[0]",
            "defaultSnippets": [{"label": name, "body": name} for name in SUGGESTED],
        },
        "value": {
            "type": "string",
            "pattern": VALUE_PATTERN,
            "errorMessage": "must be a name that is neither batch_size nor a hyperparameter",
        },
        "groups": globs_schema(),
        "schedule": dict(ANY_KIND),
        "scaled_by": dict(ANY_KIND),
        "base": dict(OWN_NUMBERS),
        "metric": {
            "type": "string",
            "pattern": VALUE_PATTERN,
            "errorMessage": "must be the name of a metric such as kl",
        },
        "bases": bases,
    }
