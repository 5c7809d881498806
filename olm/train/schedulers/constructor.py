"""The constructor of a kind's torch class, with the fields of the kind as its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature
from typing import Any

from pydantic import ValidationError
from torch.optim import Optimizer

from olm.fields.errors import problems_of
from olm.fields.signatures import argument, fields_as_arguments
from olm.fields.types import memory_fields
from olm.problem import ArgumentError, Problem
from olm.schedule.nesting import child_fields
from olm.schedule.schedule import Schedule
from olm.spec.spec import parse
from olm.train.schedulers.parts import schedules_of


def constructor(model: type[Schedule], start: Callable[..., None]) -> Callable[..., None]:
    """An ``__init__`` that takes an optimizer, the fields of a kind, and `last_epoch`.

    Its signature has plain types, without pydantic's metadata. jsonargparse and editors read it.

    Args:
        model: the kind.
        start: the function to call with the scheduler, optimizer, schedule and `last_epoch`.

    Raises:
        ArgumentError: an argument is unknown or missing. It is a SpecError and a TypeError.
    """
    signature = signature_of(model)
    kind = model.model_fields["kind"].default

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  # it becomes a method
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            given = _given(signature, (self, *args), kwargs)
            if problems := _misuse(kind, model, given):
                raise ArgumentError(problems) from None
            raise TypeError(f"{kind}: {error}") from None
        bound.apply_defaults()
        fields = {
            name: value for name, value in bound.arguments.items() if name in model.model_fields
        }
        fields |= schedules_of(fields, child_fields(model), kind, bound.arguments["optimizer"])
        schedule = parse({"kind": kind, **fields}).schedule
        start(self, bound.arguments["optimizer"], schedule, bound.arguments["last_epoch"])

    __init__.__signature__ = signature  # type: ignore[attr-defined]  # inspect prefers it
    arguments = list(signature.parameters.values())[1:]
    __init__.__annotations__ = {argument.name: argument.annotation for argument in arguments} | {
        "return": None
    }
    return __init__


def _misuse(kind: str, model: type[Schedule], given: Mapping[str, Any]) -> list[Problem]:
    """The problems of arguments that are unknown or missing, in the words for a document."""
    own = {"self", "optimizer", "last_epoch"}
    fields = {name: value for name, value in given.items() if name not in own}
    try:
        model.model_validate({"kind": kind, **fields})
    except ValidationError as error:
        return [problem for problem in problems_of(error) if problem.at_key]
    return []


def _given(signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by their names, whether a constructor has them or not."""
    return {**dict(zip(signature.parameters, args, strict=False)), **kwargs}


def signature_of(model: type[Schedule]) -> Signature:
    """The signature of the constructor of a kind's torch class.

    >>> from olm.kinds.linear import LinearDecay
    >>> [str(argument) for argument in signature_of(LinearDecay).parameters.values()][2:]
    ['total_steps: int', 'last_epoch: int = -1']
    """
    memory = memory_fields(model)
    # A constructor takes no clock, which durations need.
    fields = [
        each for each in fields_as_arguments(model, durations=False) if each.name not in memory
    ]
    first = [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), argument("optimizer", Optimizer)]
    return Signature([*first, *fields, argument("last_epoch", int, -1)], return_annotation=None)
