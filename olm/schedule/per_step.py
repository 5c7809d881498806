"""How far each step moves along an axis of samples or tokens, as a schedule keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from olm.fields.durations import exact
from olm.fields.errors import invalid
from olm.fields.types import MAX_STEPS, Number
from olm.problem import found
from olm.schedule.units_per_step import (
    MOST_STAGES,
    UnitsPerStep,
    as_number,
    ramp_thresholds,
    run_through,
    whole,
)

_COUNT = Number(0, MAX_STEPS, whole=True)
_POSITIVE = Number(1, MAX_STEPS, whole=True)
_SIZE = Number(1, MAX_STEPS)

_RAMP = {"start": _POSITIVE, "end": _POSITIVE, "by": _POSITIVE, "over": _POSITIVE, "begin": _COUNT}
"""The numbers of a ramp: as in `BatchRamp`, in units of the axis, and the step of its first one."""

FEW_STAGES = 8
"""The most stages of a ramp that are written out."""


class PerStep:
    """How many units of an axis each step takes: `plan`, and `written`, the same as a document.

    A document has a list of stages, each with its first step and its size, or the numbers of a
    ramp.

    >>> PerStep.of_document([[0, 100], [10, 200]]).plan.before(12)
    1400
    """

    plain: ClassVar[Any] = list[list[float]] | dict[str, int]
    """The type of what a document has."""

    examples: ClassVar[list[Any]] = [
        [[0, 100]],
        [[0, 2048], [100, 4096]],
        [[0, 2.5]],
        {"start": 16, "end": 64, "by": 16, "over": 3000, "begin": 0},
        {"start": 64, "end": 16, "by": 4, "over": 5000, "begin": 7},
    ]

    def __init__(self, written: Any) -> None:
        self.written = written

    @classmethod
    def of_document(cls, value: Any) -> PerStep:
        """The one that a document describes, which may contradict itself: see `is_consistent`.

        Raises:
            PydanticCustomError: it is of another type.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, Mapping):
            return cls(_ramp(value))
        if not isinstance(value, list | tuple) or not value:
            raise invalid("type", f"must be a list of stages, or a ramp, found {found(value)}")
        return cls([_stage(item) for item in value])

    @property
    def is_consistent(self) -> bool:
        """Whether its stages are in order from step 0 on, or its ramp has equal stages."""
        if isinstance(self.written, dict):
            start, end, by = (int(self.written[name]) for name in ("start", "end", "by"))
            change = abs(end - start)
            return 0 < change <= by * MOST_STAGES and change % by == 0
        firsts = [first for first, _ in self.written]
        return not firsts[0] and all(one < other for one, other in pairwise(firsts))

    @cached_property
    def plan(self) -> UnitsPerStep:
        """The stages, whose steps are those of the schedule."""
        if isinstance(self.written, dict):
            start, end, by, over, begin = self.written.values()
            thresholds = ramp_thresholds(start, end, by, over, "samples")
            return run_through(thresholds)["samples"].since(begin)
        stages = [(first, whole(exact(size))) for first, size in self.written]
        return UnitsPerStep.of_stages(stages)

    @classmethod
    def of_plan(cls, plan: UnitsPerStep) -> PerStep:
        """The stages of a plan."""
        return cls.of_document([[first, as_number(size)] for first, size in plan.stages])

    def as_document(self) -> Any:
        """The plain values, freshly copied."""
        if isinstance(self.written, dict):
            return dict(self.written)
        return [list(stage) for stage in self.written]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PerStep) and self.written == other.written

    def __hash__(self) -> int:
        return hash(repr(self.written))

    def __repr__(self) -> str:
        return repr(self.written)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.of_document,
            serialization=core_schema.plain_serializer_function_ser_schema(cls.as_document),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        numbers = {
            name: {"type": "integer", "minimum": number.minimum, "maximum": number.maximum}
            for name, number in _RAMP.items()
        }
        size = {"type": "number", "minimum": _SIZE.minimum, "maximum": _SIZE.maximum}
        pair = {"type": "array", "items": [numbers["begin"], size], "minItems": 2, "maxItems": 2}
        return {
            "type": ["array", "object"],
            "items": pair,
            "minItems": 1,
            "properties": numbers,
            "required": [*numbers],
            "additionalProperties": False,
            "errorMessage": "must be a list of stages, or a ramp: a schedule in steps has it",
            "doNotSuggest": True,
        }


def _stage(value: Any) -> list[int | float]:
    """A stage: its first step and its size."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise invalid("type", f"must be pairs of a step and a size, found {found(value)}")
    first, size = _COUNT(value[0]), _SIZE(value[1])
    return [int(first), int(size) if size == int(size) else size]


def _ramp(value: Mapping[str, Any]) -> dict[str, int]:
    """The numbers of a ramp."""
    if value.keys() != _RAMP.keys():
        keys = ", ".join(_RAMP)
        raise invalid("type", f"must have the keys {keys}, found {', '.join(map(str, value))}")
    numbers: dict[str, int] = {}
    for name, number in _RAMP.items():
        try:
            numbers[name] = int(number(value[name]))
        except PydanticCustomError as error:
            is_valid = error.message().replace("must be", "is", 1)
            raise invalid(error.type, f"must have a `{name}` that {is_valid}") from None
    return numbers
