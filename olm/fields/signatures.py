"""The signature of a model: its fields with plain types and defaults, for people and editors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from inspect import Parameter, Signature, isclass
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from olm.fields.imported import ImportedType
from olm.fields.types import StepCount


def fields_as_arguments(model: type[BaseModel], *, durations: bool) -> list[Parameter]:
    """The fields of a model as arguments, without the name of its kind.

    Args:
        model: the model.
        durations: whether a number of steps may be a duration.
    """
    return [
        argument(name, _type_of(field, durations), field.default)
        for name, field in model.model_fields.items()
        if name != "kind"
    ]


def argument(name: str, annotation: Any, default: Any = PydanticUndefined) -> Parameter:
    """An argument that has a default, unless that is undefined."""
    given = Parameter.empty if default is PydanticUndefined else default
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation, default=given)


def signature_of_model(model: type[BaseModel]) -> Signature:
    """The signature of the constructor of a model.

    >>> from olm.kinds.warmup import Warmup
    >>> signature_of_model(Warmup)
    <Signature (*, warmup_steps: int | str, start_lr: float = 0.0) -> None>
    """
    arguments = fields_as_arguments(model, durations=True)
    return Signature(
        [each.replace(kind=Parameter.KEYWORD_ONLY) for each in arguments], return_annotation=None
    )


def plain_type(annotation: Any, metadata: Iterable[Any] = (), *, durations: bool = False) -> Any:
    """A field's type as a caller sees it: without bounds, and with all types that are accepted.

    >>> from olm.fields.types import StepIndices
    >>> plain_type(StepIndices), plain_type(StepIndices, durations=True)
    (collections.abc.Sequence[int], collections.abc.Sequence[int | str])
    """
    if isinstance(annotation, ImportedType):
        return annotation.shape(plain_type(annotation.load()))
    annotation = getattr(annotation, "plain", annotation)
    if durations and any(isinstance(mark, StepCount) for mark in metadata):
        return int | str
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return plain_type(inner[0], annotation.__metadata__, durations=durations)
    if origin is Union or origin is UnionType:
        return reduce(or_, (plain_type(part, durations=durations) for part in inner))
    if origin is tuple:
        return Sequence[plain_type(inner[0], durations=durations)]  # type: ignore[misc]  # dynamic
    if isclass(annotation) and issubclass(annotation, BaseModel):
        return Mapping[str, Any] | annotation
    return annotation


def _type_of(field: FieldInfo, durations: bool) -> Any:
    plain = plain_type(field.annotation, field.metadata, durations=durations)
    return plain | None if field.default is None else plain
