"""The base class of all kinds: fields, rules and a formula; and their validation by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

from pydantic import (
    ConfigDict,
    GetCoreSchemaHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import CoreSchema, core_schema

from olm.fields.errors import at, fix_of, invalid, quoted, reworded
from olm.fields.rules import Rule, ruled
from olm.fields.types import Listed
from olm.problem import LISTED, found, nearest
from olm.schedule.catalogue import Catalogue
from olm.schedule.families import FAMILIES
from olm.schedule.nesting import class_variables_known
from olm.schedule.shape import Shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from olm.fields.durations import Duration, Rounding
    from olm.fields.types import Converted
    from olm.problem import Path
    from olm.schedule.clock import Clock
    from olm.schedule.counting import Plan
    from olm.schedule.curves import Array

MAX_DEPTH = 16
"""How deep schedules may be nested, at most."""

RESERVED: dict[str, None] = {}
"""The names that no field of a kind may have: they are those of keys of a document's root."""


@class_variables_known
class Schedule(Shape):
    """A learning-rate schedule: a kind, its fields, and the rate at every step. An immutable value.

    A subclass is a kind. It gives `kind` a default, which is the name of the kind and of its torch
    class, adds fields, each with a docstring under it, and defines `formula`. As the type of a
    field, `Schedule` is any kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    examples: ClassVar[list[dict[str, Any]]] = []
    """Fields of typical schedules of the kind, for snippets, documentation and tests."""

    group: ClassVar[str] = ""
    """The group of the kind in lists: one of `olm.kinds.GROUPS`."""

    words: ClassVar[str] = ""
    """The kind in words, with fields in braces, for ``olm show``."""

    counts_with: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {}
    """A field that changes the rates only with some choices → the field of the choice, and them."""

    rules: ClassVar[tuple[Rule, ...]] = ()

    noun: ClassVar[str] = ""
    """What messages call it: the name of the kind."""

    kind: str

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Schedule:
            raise TypeError("Schedule is not a kind itself: use a kind, or olm.parse for a mapping")
        return super().__new__(cls)

    def wording(self) -> str:
        """The words for a schedule with these fields: `words`, unless a kind overrides it.

        Words are true whatever the fields are: a stage of no steps is left out, and what may rise
        or fall is not said to do either.
        """
        return self.words

    def formula(self, step: Array, base: Array) -> Array:
        """The rates at `step` for `base`: float64 arrays that broadcast. A kind defines its own."""
        raise NotImplementedError

    @overload
    def lr(self, step: int, base: float) -> float: ...
    @overload
    def lr(self, step: ArrayLike, base: ArrayLike) -> Any: ...
    def lr(self, step: ArrayLike, base: ArrayLike) -> Any:
        """The learning rate at a step, or at each of an array of steps.

        Args:
            step: optimizer steps, counted from 0: a whole number, or an array of them of any shape.
            base: the base learning rate, or an array of them that broadcasts with `step`.

        Returns:
            A float for two numbers, else a float64 array of the shape to which both broadcast.

        Raises:
            RateError: a step, a base rate or a rate is negative or not finite, or a step is not
                whole.
            SpecError: the schedule has durations, which only a clock can count.
        """
        from olm.schedule.evaluation import evaluate_checked

        return evaluate_checked(self.in_steps().formula, step, base, self.kind)

    def durations(self) -> list[tuple[Path, Duration]]:
        """The durations of the schedule and of those inside it, each with its path."""
        from olm.schedule.step_fields import durations

        return durations(self)

    @property
    def is_counted(self) -> bool:
        """Whether the schedule has no durations: everything is in optimizer steps."""
        from olm.schedule.step_fields import is_counted

        return is_counted(self)

    def in_steps(self) -> Self:
        """The schedule in optimizer steps, without a clock.

        Raises:
            SpecError: some durations need a clock.
        """
        if self.is_counted:
            return self
        from olm.schedule.clock import Clock

        return self.resolve(Clock())

    def plan(self, clock: Clock | Mapping[str, Any], rounding: Rounding = "nearest") -> Plan[Self]:
        """The schedule in optimizer steps, with the steps and the rounding of every duration.

        A duration is counted from the start of its schedule. Its end is rounded, by default to the
        nearest step and a half step up. A last stage such as `decay_steps` is counted back from the
        end: its start is rounded to the nearest step, or its length up or down. A duration above 0
        is at least 1 step, if there are enough steps: stages that fit as written fit in every run.

        Args:
            clock: the run length and units: a Clock, or a mapping of its fields.
            rounding: how ends are rounded.

        Raises:
            OlmError: the clock is neither.
            SpecError: the clock lacks a field for a duration, or the result is not valid.
        """
        from olm.schedule.clock import Clock, clock_given
        from olm.schedule.counting import plan

        return plan(self, clock_given(clock) or Clock(), rounding)

    def resolve(self, clock: Clock | Mapping[str, Any], rounding: Rounding = "nearest") -> Self:
        """The schedule in optimizer steps. `plan` also returns the conversion of each duration.

        >>> from olm.kinds import KINDS
        >>> from olm.schedule.clock import Clock
        >>> KINDS["WarmupLR"](warmup_steps="3%").resolve(Clock(total_steps=1000))
        Warmup(warmup_steps=30, start_lr=0.0)

        Raises:
            SpecError: the clock lacks a field for a duration, or the result is not valid.
        """
        return self.plan(clock, rounding).schedule

    def evaluate(self, steps: NDArray[Any], bases: NDArray[Any]) -> Array:
        """`formula` over arrays of one dimension or more, as float64, unchecked."""
        from olm.schedule.evaluation import evaluate

        return evaluate(self.formula, steps, bases)

    @property
    def metric_driven(self) -> bool:
        """Whether the rate depends on metrics that the schedule, or one inside it, observes."""
        return any(child.metric_driven for child in self.children())

    def observe(self, metric: float, step: int = 0) -> Self:
        """The schedule after a metric was measured; the schedule itself if nothing changes.

        Args:
            metric: the metric, such as a validation loss.
            step: the current step. A part that does not apply there ignores the metric.

        Raises:
            OlmError: the metric is not a number.
        """
        from olm.schedule.evaluation import metric_of

        value, children = metric_of(metric), self.children()
        if not self.metric_driven:
            return self
        seen = [
            child if inner is None else child.observe(value, inner)
            for child, inner in zip(children, self.part_steps(step), strict=True)
        ]
        return self if seen == [*children] else self.with_children(seen)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed, validated like every schedule."""
        return type(self).model_validate({**dict(self), **(update or {})})

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if name != "kind")

    __str__ = Shape.__repr__

    def _repr_html_(self) -> str:
        from olm.schedule.showing.notebook import of_schedule

        return of_schedule(self)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        kind = cls.model_fields["kind"].default
        if not isinstance(kind, str):
            # A base class of several kinds is not a kind itself.
            return
        cls.noun = kind
        _check_names(cls)
        other = KINDS.define(kind, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"two models of the kind {kind}: {_origin(other)} and {_origin(cls)}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if cls is Schedule:
            return core_schema.with_info_plain_validator_function(_child)
        return handler(source)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return dict(ANY_KIND) if cls is Schedule else handler(schema)

    @model_validator(mode="wrap")
    @classmethod
    def _report_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Apply the rules even if there are other errors, and reword all errors."""
        return ruled(cls, cls.noun, cls.rules, data, handler)


KINDS: Catalogue[type[Schedule]] = Catalogue("olm.kinds", FAMILIES)
"""Every kind by its name, imported on first use. Every subclass of `Schedule` is in it."""


if TYPE_CHECKING:
    Child = Converted[Schedule | Mapping[str, Any], Schedule]
    Children = Converted[Sequence[Schedule | Mapping[str, Any]], tuple[Schedule, ...]]
else:
    Child = Schedule
    """A schedule in another one, of any kind."""

    Children = Listed[Schedule]
    """The schedules in another one."""


def reserve(names: Iterable[str]) -> None:
    """Let no kind have a field of these names. The layer that reads roots of documents calls it.

    Raises:
        TypeError: a kind that is defined already has one.
    """
    RESERVED.update(dict.fromkeys(names))
    for model in KINDS.defined():
        _check_names(model)


def _check_names(model: type[Schedule]) -> None:
    if taken := [name for name in RESERVED if name in model.model_fields]:
        kind = model.model_fields["kind"].default
        raise TypeError(f"{kind} has a field `{taken[0]}`, which is a key of a document's root")


NOT_INSTALLED = "a name with a dot is a plugin's, whose package is not installed here"
"""The hint for an unknown kind with a dot."""

ANY_KIND: dict[str, Any] = {"title": "any kind"}
"""The placeholder for a child in a JSON Schema, until the schemas of all kinds are combined."""


def validate(data: Any, depth: int = 1) -> Schedule:
    """The schedule in `data`, of any kind, at `depth` levels in its document.

    Raises:
        ValidationError: with all errors. If the kind is misspelled, they include those of the
            nearest kind.
    """
    if isinstance(data, Mapping):
        deepest = depth
    elif isinstance(data, Schedule):
        deepest = depth + data.depth - 1
    else:
        raise _one_error(
            (),
            data,
            "type",
            f"must be a schedule, a mapping with the key `kind`, found {found(data)}",
        )
    if deepest > MAX_DEPTH:
        raise _one_error(
            (), data, "depth", f"must not be nested more than {MAX_DEPTH} schedules deep"
        )
    if isinstance(data, Schedule):
        return data
    kind = data.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise _unknown_kind(data, depth)
    if "." in data["kind"]:
        return _by_plugin(model, data, depth)
    return model.model_validate(dict(data), context=depth)


def _by_plugin(model: type[Schedule], data: Mapping[str, Any], depth: int) -> Schedule:
    """The schedule of a plugin's kind, whose validation may raise any exception."""
    from olm.schedule.plugins import in_short

    try:
        return model.model_validate(dict(data), context=depth)
    except ValidationError:
        raise
    except Exception as error:
        message = f"`{data['kind']}` cannot be checked by its own package: {in_short(error)}"
        raise _one_error(("kind",), data["kind"], "plugin", message) from error


def _child(data: Any, info: ValidationInfo) -> Schedule:
    return validate(data, (info.context or 1) + 1)


def _one_error(
    loc: tuple[str, ...], data: Any, code: str, message: str, hint: str = ""
) -> ValidationError:
    return ValidationError.from_exception_data(
        "Schedule", [at(loc, data, invalid(code, message, hint=hint))]
    )


def _unknown_kind(data: Mapping[str, Any], depth: int) -> ValidationError:
    """The error that the kind is missing or unknown, with the other errors for the nearest kind."""
    see = "`olm kinds` lists them"
    if "kind" not in data:
        message, hint = "a schedule needs the key `kind`", _misspelled_kind(data) or see
        return _one_error(("kind",), dict(data), "missing-kind", message, hint)
    kind = data["kind"]
    if not isinstance(kind, str):
        return _one_error(
            ("kind",), kind, "type", f"must be the name of a kind, found {found(kind)}", see
        )
    from olm.schedule.plugins import PluginError

    try:
        KINDS.plugin(kind)
    except PluginError as refusal:
        return _one_error(("kind",), kind, "plugin", str(refusal), refusal.hint)
    except KeyError:
        pass
    from olm.fields.foreign_kinds import foreign_kind

    message = f"there is no kind {quoted(kind)}"
    if foreign := foreign_kind(kind, KINDS):
        hint, fix = foreign
        unknown = invalid("unknown-kind", message, hint=hint, fix=fix)
        return ValidationError.from_exception_data("Schedule", [at(("kind",), kind, unknown)])
    meant = nearest_kind(kind)
    hint = f"did you mean `{meant}`?" if meant else (NOT_INSTALLED if "." in kind else see)
    unknown = invalid("unknown-kind", message, hint=hint, fix=fix_of(kind, KINDS))
    errors = [at(("kind",), kind, unknown)]
    # A guess must not import a plugin.
    model = KINDS.loaded(meant) if meant else None
    if meant and model:
        try:
            model.model_validate({**data, "kind": meant}, context=depth)
        except ValidationError as error:
            errors += (reworded(detail, meant, {}) for detail in error.errors(include_url=False))
    return ValidationError.from_exception_data("Schedule", errors)


def nearest_kind(kind: str) -> str | None:
    """The kind that was probably meant, if any, including those of plugins."""
    from olm.schedule.plugins import offers, well_named

    return nearest(kind, [*KINDS, *filter(well_named, offers())])


def _misspelled_kind(data: Mapping[str, Any]) -> str:
    from olm.fields.suggestions import meant

    words = (key for key in islice(data, LISTED) if meant(str(key), ["kind"]))
    return next((f"did you mean `kind` by {quoted(word)}?" for word in words), "")


def _origin(model: type[Schedule]) -> str:
    return f"{model.__module__}.{model.__qualname__}"
