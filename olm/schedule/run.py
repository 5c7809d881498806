"""The numbers of a training script, and the run in optimizer steps that follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails

from olm.fields.durations import exact
from olm.fields.errors import at, invalid
from olm.fields.rules import Rule, rule, ruled
from olm.fields.types import MAX_STEPS, TINY, Number, PositiveCount
from olm.problem import quantity


@rule(
    "dataset_size",
    "dataloader",
    holds=lambda size, loader: size is None or loader is None,
    message="give {dataset_size} or {dataloader}, not both",
)
@rule(
    "epochs",
    "dataset_size",
    "dataloader",
    holds=lambda epochs, size, loader: epochs is None or size is not None or loader is not None,
    message="{epochs} needs {dataset_size} or {dataloader}, for the length of an epoch",
)
@rule(
    "epochs",
    "dataloader",
    holds=lambda epochs, loader: epochs is None or loader is None or _length(loader) is not None,
    message="{epochs} needs a {dataloader} with a length: give max_steps instead",
)
@rule(
    "dataset_size",
    "batch_size",
    holds=lambda size, batch: size is None or batch is not None,
    message="{dataset_size} also needs {batch_size}",
)
@rule(
    "batch_size",
    "dataloader",
    holds=lambda batch, loader: batch is None or _batch_size(loader) in (None, batch),
    message="{batch_size} differs from that of {dataloader}: leave it out",
)
@rule(
    "drop_last",
    "dataloader",
    holds=lambda drop, loader: drop is None or _drop_last(loader) in (None, drop),
    message="{drop_last} differs from that of {dataloader}: leave it out",
)
@rule(
    "sequence_length",
    "batch_size",
    "dataloader",
    holds=lambda length, batch, loader: (
        length is None or batch is not None or _batch_size(loader) is not None
    ),
    message="{sequence_length} also needs {batch_size}, or a {dataloader} with a batch size",
)
class Run(BaseModel):
    """A run, by the numbers of its script, which `olm.Clock.of_run` documents.

    >>> Run(dataset_size=1000, epochs=2.5, batch_size=16, accumulate=4, world_size=2).total_steps
    20
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True, arbitrary_types_allowed=True
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    dataset_size: PositiveCount | None = None
    dataloader: Any = None
    epochs: Annotated[float, Number(TINY, MAX_STEPS)] | None = None
    max_steps: PositiveCount | None = None
    batch_size: PositiveCount | None = None
    accumulate: PositiveCount = 1
    world_size: PositiveCount = 1
    sequence_length: PositiveCount | None = None
    drop_last: bool | None = None

    @property
    def batches(self) -> int | None:
        """Batches per epoch and process."""
        if self.dataloader is not None:
            return _length(self.dataloader)
        if self.dataset_size is None or self.batch_size is None:
            return None
        # torch's DistributedSampler gives all processes equally many samples, some of them twice.
        share = ceil(Fraction(self.dataset_size, self.world_size))
        exactly = Fraction(share, self.batch_size)
        return floor(exactly) if self.drop_last else ceil(exactly)

    @property
    def steps_per_epoch(self) -> int | None:
        """Optimizer steps per epoch, the last of which may have fewer batches."""
        return None if self.batches is None else ceil(Fraction(self.batches, self.accumulate))

    @property
    def steps_of_epochs(self) -> int | None:
        """Optimizer steps of all epochs."""
        if self.epochs is None or self.steps_per_epoch is None:
            return None
        # As floats, 0.07 × 100 is above 7.
        return ceil(exact(self.epochs) * self.steps_per_epoch)

    @property
    def total_steps(self) -> int | None:
        """The run length in optimizer steps."""
        return self.max_steps if self.max_steps is not None else self.steps_of_epochs

    @property
    def samples_per_step(self) -> int | None:
        """Samples per step."""
        batch_size = self.batch_size or _batch_size(self.dataloader)
        return batch_size * self.accumulate * self.world_size if batch_size else None

    @property
    def tokens_per_step(self) -> int | None:
        """Tokens per step."""
        if self.samples_per_step is None or self.sequence_length is None:
            return None
        return self.samples_per_step * self.sequence_length

    @model_validator(mode="wrap")
    @classmethod
    def _report_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        made = ruled(cls, "a run", cls.rules, data, handler)
        if errors := [*made._contradictions()]:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return made

    def _contradictions(self) -> Iterator[InitErrorDetails]:
        """The errors that appear only when the numbers are combined."""
        if self.batches == 0 and self.dataloader is not None:
            text = "dataloader must have at least one batch"
            yield at(("dataloader",), self.dataloader, invalid("rule", text))
        elif self.batches == 0:
            size, world_size = self.dataset_size, self.world_size
            text = (
                f"dataset_size ({size}), shared by world_size ({world_size}), does not fill a "
                f"batch_size ({self.batch_size}), and drop_last drops incomplete batches"
            )
            also = ["batch_size", "world_size", "drop_last"]
            yield at(("dataset_size",), self.dataset_size, invalid("rule", text, also=also))
        elif self.max_steps is not None and self.steps_of_epochs not in (None, self.max_steps):
            steps = quantity(self.steps_of_epochs or 0, "step")
            text = f"epochs ({self.epochs:g}) are {steps}, but max_steps is {self.max_steps}"
            yield at(("epochs",), self.epochs, invalid("rule", text, also=["max_steps"]))


def _length(dataloader: Any) -> int | None:
    """The number of batches; None for a stream."""
    try:
        return len(dataloader)
    except TypeError:
        return None


def _batch_size(dataloader: Any) -> int | None:
    """The number of samples in a batch, if it is known."""
    for owner in (dataloader, getattr(dataloader, "batch_sampler", None)):
        if isinstance(size := getattr(owner, "batch_size", None), int):
            return size
    return None


def _drop_last(dataloader: Any) -> bool | None:
    """Whether an incomplete last batch is dropped, if that is known."""
    # A DataLoader with a batch_sampler has False, whatever the batch_sampler has.
    for owner in (getattr(dataloader, "batch_sampler", None), dataloader):
        if isinstance(drop := getattr(owner, "drop_last", None), bool):
            return drop
    return None
