"""What every schedule is: fields, rules and a formula; and how a kind is found by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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

from olm.fields.errors import at, fix_of, mistake, quoted, reworded
from olm.fields.rules import Rule, ruled
from olm.problem import LISTED, found, nearest
from olm.schedule.catalogue import Catalogue
from olm.schedule.evaluation import bases_of, check_usable, evaluate, metric_of, steps_of
from olm.schedule.families import FAMILIES
from olm.schedule.shape import Shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from olm.fields.durations import Duration
    from olm.problem import Path
    from olm.schedule.clock import Clock
    from olm.schedule.counting import Plan
    from olm.schedule.curves import Array

MAX_DEPTH = 16
"""How deep schedules may be nested."""

RESERVED: dict[str, None] = {}
"""The names that no field of a kind may have: they are those of keys of a document's root."""


class Schedule(Shape):
    """A learning-rate schedule: a kind, its fields, and the rate at every step. An immutable value.

    A subclass is one kind. It gives `kind` a default, which is the name of the kind and of its
    torch class, adds fields, each with a docstring under it, and writes `formula`. As the type of a
    field, `Schedule` itself stands for any kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    examples: ClassVar[list[dict[str, Any]]] = []
    """Fields of typical schedules of this kind, for snippets, documentation and tests."""

    group: ClassVar[str] = ""
    """What people look for when they look for it: one of `olm.kinds.GROUPS`."""

    words: ClassVar[str] = ""
    """The kind in words, with fields in braces: what ``olm show`` says first."""

    rules: ClassVar[tuple[Rule, ...]] = ()

    kind: str

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Schedule:
            raise TypeError("Schedule is no kind itself: use one, or olm.parse for a mapping")
        return super().__new__(cls)

    def formula(self, step: Array, base: Array) -> Array:
        """The rates at `step` for `base`: float64 arrays that broadcast. A kind writes its own."""
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
            RateError: a step or a base rate is negative or not finite, a step is not whole, or so
                is a rate.
            SpecError: there are durations in it, which only a clock can count.
        """
        import numpy as np

        steps, bases = steps_of(step), bases_of(base)
        rates = self.in_steps().evaluate(np.atleast_1d(steps), np.atleast_1d(bases))
        check_usable(rates, steps, self.kind)
        return float(rates[0]) if steps.ndim == bases.ndim == 0 else rates

    def durations(self) -> list[tuple[Path, Duration]]:
        """What in it, and in the schedules in it, is no number of steps yet, each with its path."""
        from olm.schedule.step_fields import durations

        return durations(self)

    @property
    def is_counted(self) -> bool:
        """Whether all in it is in optimizer steps: there are no durations."""
        from olm.schedule.step_fields import is_counted

        return is_counted(self)

    def in_steps(self) -> Self:
        """The schedule in optimizer steps, as far as that needs no clock; itself if it is.

        Raises:
            SpecError: it needs one, for each of these durations.
        """
        if self.is_counted:
            return self
        from olm.schedule.clock import Clock

        return self.resolve(Clock())

    def plan(self, clock: Clock) -> Plan[Self]:
        """The schedule in optimizer steps, with every duration, its steps, and how it was rounded.

        A duration is counted from where its schedule begins, and it is its end that is rounded, to
        the nearest step, a half up. A last stage such as `decay_steps` is counted back from the
        end, and its start is rounded. What is not zero is at least one step, where there are as
        many: stages that fit as they are written fit in every run.

        Raises:
            SpecError: the clock does not know what a duration needs, or what comes out is not
                valid.
        """
        from olm.schedule.counting import plan

        return plan(self, clock)

    def resolve(self, clock: Clock) -> Self:
        """The same schedule in optimizer steps: `plan`'s, which also says what was done.

        >>> from olm.kinds import KINDS
        >>> from olm.schedule.clock import Clock
        >>> KINDS["WarmupLR"](warmup_steps="3%").resolve(Clock(total_steps=1000))
        Warmup(warmup_steps=30, start_lr=0.0)

        Raises:
            SpecError: the clock does not know what a duration needs, or what comes out is not
                valid.
        """
        return self.plan(clock).schedule

    def evaluate(self, steps: NDArray[Any], bases: NDArray[Any]) -> Array:
        """`formula` over arrays of one dimension or more, as float64, unchecked."""
        return evaluate(self.formula, steps, bases)

    @property
    def metric_driven(self) -> bool:
        """Whether what it does depends on a metric: it or a schedule in it is to `observe` one."""
        return any(child.metric_driven for child in self.children())

    def observe(self, metric: float, step: int = 0) -> Self:
        """The schedule after a metric was measured, further along; itself if that changes nothing.

        Args:
            metric: what was measured, such as a validation loss.
            step: where the schedule stands. A part whose turn it is not does not see the metric.

        Raises:
            OlmError: the metric is no number.
        """
        value, children = metric_of(metric), self.children()
        if not self.metric_driven:
            return self
        seen = [
            child if inner is None else child.observe(value, inner)
            for child, inner in zip(children, self.part_steps(step), strict=True)
        ]
        return self if seen == [*children] else self.with_children(seen)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed. It is validated, as every schedule is."""
        return type(self).model_validate({**dict(self), **(update or {})})

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if name != "kind")

    __str__ = Shape.__repr__

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        kind = cls.model_fields["kind"].default
        if not isinstance(kind, str):
            # What several kinds have in common is no kind itself.
            return
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
    def _tell_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Apply the rules, also when something else is wrong, and put every error in our words."""
        return ruled(cls, cls.model_fields["kind"].default, cls.rules, data, handler)


KINDS: Catalogue[type[Schedule]] = Catalogue("olm.kinds", FAMILIES)
"""Every kind by its name, imported when it is asked for; a subclass of `Schedule` is in it."""


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


NOT_INSTALLED = "a dot means a plugin: the package that brings it is not installed here"
"""What to do about a kind with a dot that nobody knows."""

ANY_KIND: dict[str, Any] = {"title": "any kind"}
"""The JSON Schema that stands for a child until the schemas of all kinds are put together."""


def validate(data: Any, depth: int = 1) -> Schedule:
    """The schedule, of whatever kind, that `data` says; `depth` levels down in its document.

    Raises:
        ValidationError: with every problem there is, also those of a kind whose name is only nearly
            right.
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
    """The schedule that a model says which is not ours, and may raise whatever it likes."""
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
        "Schedule", [at(loc, data, mistake(code, message, hint=hint))]
    )


def _unknown_kind(data: Mapping[str, Any], depth: int) -> ValidationError:
    """That the kind is missing or unknown, and what else is wrong if the nearest one was meant."""
    see = "`olm kinds` lists them"
    if "kind" not in data:
        message, hint = "a schedule needs the key `kind`", _kind_misspelt(data) or see
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
    meant = nearest_kind(kind)
    hint = f"did you mean `{meant}`?" if meant else (NOT_INSTALLED if "." in kind else see)
    error = mistake(
        "unknown-kind", f"there is no kind {quoted(kind)}", hint=hint, fix=fix_of(kind, KINDS)
    )
    errors = [at(("kind",), kind, error)]
    # A plugin is not imported for a guess.
    model = KINDS.loaded(meant) if meant else None
    if meant and model:
        try:
            model.model_validate({**data, "kind": meant}, context=depth)
        except ValidationError as error:
            errors += (reworded(detail, meant, {}) for detail in error.errors(include_url=False))
    return ValidationError.from_exception_data("Schedule", errors)


def nearest_kind(kind: str) -> str | None:
    """The kind that was likely meant, if there is one, among those of plugins too."""
    from olm.schedule.plugins import offers, well_named

    return nearest(kind, [*KINDS, *filter(well_named, offers())])


def _kind_misspelt(data: Mapping[str, Any]) -> str:
    from olm.fields.suggestions import meant

    words = (key for key in islice(data, LISTED) if meant(str(key), ["kind"]))
    return next((f"did you mean it by {quoted(word)}?" for word in words), "")


def _origin(model: type[Schedule]) -> str:
    return f"{model.__module__}.{model.__qualname__}"
