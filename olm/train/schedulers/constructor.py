"""The constructor of a kind's torch class, with the fields of the kind as its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from inspect import Parameter, Signature
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic_core import PydanticUndefined
from torch.optim import Optimizer

from olm.fields.types import memory_fields
from olm.schedule.schedule import Schedule
from olm.spec.spec import parse


def constructor(model: type[Schedule], start: Callable[..., None]) -> Callable[..., None]:
    """An ``__init__`` that takes an optimizer, the fields of a kind, and `last_epoch`.

    Its signature has plain types, without pydantic's metadata. jsonargparse and editors read it.

    Args:
        model: the kind.
        start: the function to call with the scheduler, optimizer, schedule and `last_epoch`.
    """
    signature = signature_of(model)
    kind = model.model_fields["kind"].default

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  # it becomes a method
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(_misuse(kind, signature, model, kwargs) or f"{kind}: {error}") from None
        bound.apply_defaults()
        fields = {
            name: value for name, value in bound.arguments.items() if name in model.model_fields
        }
        schedule = parse({"kind": kind, **fields}).schedule
        start(self, bound.arguments["optimizer"], schedule, bound.arguments["last_epoch"])

    __init__.__signature__ = signature  # type: ignore[attr-defined]  # inspect prefers it
    arguments = list(signature.parameters.values())[1:]
    __init__.__annotations__ = {argument.name: argument.annotation for argument in arguments} | {
        "return": None
    }
    return __init__


def _misuse(
    kind: str, signature: Signature, model: type[Schedule], given: Mapping[str, Any]
) -> str:
    """The error message for arguments that are unknown; empty if none is."""
    from olm.fields.suggestions import meaning

    settable = {
        name: field for name, field in model.model_fields.items() if name in signature.parameters
    }
    return "; ".join(
        f"{kind} has no argument `{name}` ({meaning(name, settable, kind, given[name])})"
        for name in given
        if name not in signature.parameters
    )


def signature_of(model: type[Schedule]) -> Signature:
    """The signature of the constructor of a kind's torch class.

    >>> from olm.kinds.linear import LinearDecay
    >>> [str(argument) for argument in signature_of(LinearDecay).parameters.values()][2:]
    ['total_steps: int', 'last_epoch: int = -1']
    """
    fields = [
        _argument(name, plain_type(field.annotation), field.default)
        for name, field in model.model_fields.items()
        if name != "kind" and name not in memory_fields(model)
    ]
    first = [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), _argument("optimizer", Optimizer)]
    return Signature([*first, *fields, _argument("last_epoch", int, -1)], return_annotation=None)


def plain_type(annotation: Any) -> Any:
    """A field's type as a caller sees it: without bounds, and with all types that are accepted.

    >>> from olm.fields.types import Listed, Steps
    >>> plain_type(Listed[Steps])
    collections.abc.Sequence[int]
    """
    annotation = getattr(annotation, "plain", annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is Schedule:
        return Mapping[str, Any] | Schedule
    if origin is Annotated:
        return plain_type(inner[0])
    if origin is Union or origin is UnionType:
        return reduce(or_, map(plain_type, inner))
    if origin is tuple:
        return Sequence[plain_type(inner[0])]  # type: ignore[misc]  # built at run time
    return annotation


def _argument(name: str, annotation: Any, default: Any = PydanticUndefined) -> Parameter:
    given = Parameter.empty if default is PydanticUndefined else default
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation, default=given)
