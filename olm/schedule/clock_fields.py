"""The fields of a clock: what a document says of a run, and what contradicts itself there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
)

from olm.fields.durations import (
    Duration,
    exact,
)
from olm.fields.errors import as_spec_error
from olm.fields.imported import ImportedType
from olm.fields.rules import Model, Rule, rule
from olm.fields.types import MAX_STEPS, Quantity, RoundingWord, RunSteps, Signed, default

if TYPE_CHECKING:
    from olm.fields.types import Converted
    from olm.schedule.batches import BatchRamp, BatchStage, SequenceStage

    Item = Mapping[str, Any]
    Ramp = Converted[BatchRamp | Item | None, BatchRamp | None]
    BatchStages = Converted[Sequence[BatchStage | Item] | None, tuple[BatchStage, ...] | None]
    PerSample = Converted[
        float | Sequence[SequenceStage | Item] | None, float | tuple[SequenceStage, ...] | None
    ]
else:
    _STAGES = {"type": "array", "minItems": 1}
    _HOME = "olm.schedule.batches"
    Ramp = ImportedType(_HOME, "BatchRamp", "batch_ramp", {"type": "object"})
    BatchStages = ImportedType(
        _HOME, "BatchStage", "batch_stages", _STAGES, lambda item: Sequence[item]
    )
    PerSample = ImportedType(
        _HOME,
        "SequenceStage",
        "tokens_per_sample",
        {**_STAGES, "type": ["number", "array"], "minimum": 1, "maximum": MAX_STEPS},
        lambda item: float | Sequence[item],
    )


Quotient = Annotated[float, Quantity(1e-6, MAX_STEPS)]
"""A mean number of steps, below 1 if a step takes several epochs."""

Several = Annotated[float, Quantity(1, MAX_STEPS)]
"""A mean number of at least 1."""

LENGTH = ("total_steps", "rounding")
BATCH = ("samples_per_step", "tokens_per_step", "batch_ramp", "batch_stages")
EPOCHS = ("steps_per_epoch", "samples_per_epoch")
"""The fields that answer one question about a run."""

PLANS = ("batch_ramp", "batch_stages")


def _either(first: str, second: str, why: str = "") -> Callable[[Model], Model]:
    """Declare that only one of two fields may have a value."""
    return rule(
        first,
        second,
        holds=lambda one, other: one is None or other is None,
        message=f"give {{{first}}} or {{{second}}}, not both{why}",
    )


@rule(
    "tokens_per_step",
    "samples_per_step",
    holds=lambda tokens, samples: None in (tokens, samples) or tokens >= samples,
    message="{tokens_per_step} must not be below {samples_per_step}: a sample has at least 1 token",
)
@rule(
    "tokens_per_step",
    "samples_per_step",
    "tokens_per_sample",
    holds=lambda tokens, samples, each: (
        None in (tokens, samples, each)
        or (isinstance(each, int | float) and exact(samples) * exact(each) == exact(tokens))
    ),
    message="{tokens_per_step} must be {samples_per_step} times {tokens_per_sample}",
)
@_either("batch_ramp", "batch_stages")
@_either("batch_ramp", "samples_per_step", ": the ramp says how large the batch is")
@_either("batch_ramp", "tokens_per_step", ": the ramp says how large the batch is")
@_either("batch_ramp", "steps_per_epoch", ": use samples_per_epoch, since the batch changes")
@_either("batch_stages", "samples_per_step", ": the stages say how large the batch is")
@_either("batch_stages", "tokens_per_step", ": the stages say how large the batch is")
@_either("batch_stages", "steps_per_epoch", ": use samples_per_epoch, since the batch changes")
@_either("samples_per_epoch", "steps_per_epoch")
class ClockFields(BaseModel, metaclass=Signed):
    """The known numbers of a run, as a document has them."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        ignored_types=(cached_property,),
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    total_steps: RunSteps = default(None)
    """The run length in optimizer steps, or a duration such as ``300e9tok``, which is counted."""
    rounding: RoundingWord | None = None
    """How a `total_steps` in another unit is rounded to a step: by default to the nearest one."""
    steps_per_epoch: Quotient | None = None
    """Optimizer steps per epoch; not a whole number if a step can span two epochs."""
    samples_per_epoch: Several | None = None
    """Samples per epoch: the size of the data set. It replaces `steps_per_epoch`."""
    samples_per_step: Several | None = None
    """Samples per step, over all micro-batches and processes."""
    tokens_per_step: Several | None = None
    """Tokens per step, over all micro-batches and processes."""
    tokens_per_sample: PerSample = default(None)
    """Tokens per sample: the sequence length, or a list of the stages in which it changes."""
    batch_ramp: Ramp = default(None)
    """A batch that changes in equal stages, in place of `samples_per_step`."""
    batch_stages: BatchStages = default(None)
    """The stages of a batch that changes, in place of `samples_per_step`."""

    _total: Duration | None = PrivateAttr(None)
    """The run length as written, if that is a duration."""

    if not TYPE_CHECKING:
        # For a type checker, pydantic declares a constructor with the fields as its arguments.
        def __init__(self, /, **fields: Any) -> None:
            with as_spec_error():
                super().__init__(**fields)

        # As on BaseModel itself: a clock inside a document is validated without the constructor.
        __init__.__pydantic_base_init__ = True

    @property
    def varies(self) -> bool:
        """Whether the batch or the sequence length changes in the course of the run."""
        return any(map(self._has_plan, (*PLANS, "tokens_per_sample")))

    @property
    def plans_batch(self) -> bool:
        """Whether it plans a batch that changes."""
        return any(map(self._has_plan, PLANS))

    @property
    def has_constant_length(self) -> bool:
        """Whether the sequence length is known to be constant."""
        if self.tokens_per_sample is None:
            return not self.varies
        return isinstance(self.tokens_per_sample, int | float)

    @property
    def total(self) -> Duration | int | None:
        """The run length as written."""
        return self.total_steps if self._total is None else self._total

    @property
    def batch_is_in_tokens(self) -> bool:
        """Whether the batch is known in tokens, not in samples."""
        if self.batch_stages is not None:
            return self.batch_stages[0].samples is None
        return self.batch_ramp is None and self.samples_per_step is None

    def _has_plan(self, field: str) -> bool:
        return not isinstance(getattr(self, field), int | float | None)

    @property
    def known(self) -> dict[str, Any]:
        """The known numbers as plain values, by the names of the fields."""
        written = {"total_steps": self._total.text} if self._total is not None else {}
        values = {name: _plain(value) for name, value in self if value is not None}
        return {
            name: written.get(name, values.get(name))
            for name in type(self).model_fields
            if name in written or name in values
        }

    def __repr_args__(self) -> Any:
        return list(self.known.items())

    __str__ = BaseModel.__repr__

    def _repr_html_(self) -> str:
        from olm.schedule.showing.notebook import of_clock

        return of_clock(self)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.as_document() if hasattr(value, "as_document") else value
