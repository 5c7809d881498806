"""A schedule as a function from the step to a factor, for whatever takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from olm.problem import OlmError, StateError, found, listed
from olm.schedule.clock import clock_given
from olm.schedule.schedule import Schedule
from olm.spec.load import SpecSource, as_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from olm.schedule.clock import Clock


class Multiplier:
    """What the base rate is multiplied by at a step; see `multiplier`."""

    # LambdaLR saves what stands in `__dict__`, and on loading overwrites it without a question:
    # it is held against what is kept beside it.
    __slots__ = ("__dict__", "_said", "_schedule")

    def __init__(self, schedule: Schedule, base_lr: float) -> None:
        self.spec = schedule.model_dump(mode="json")
        self.base_lr = base_lr
        self._said, self._schedule = dict(self.__dict__), schedule

    @property
    def schedule(self) -> Schedule:
        """The schedule."""
        return self._schedule

    def __call__(self, step: int) -> float:
        """The factor at a step.

        Raises:
            StateError: a checkpoint of another schedule was loaded into this.
            RateError: the step is negative or not whole, or the rate there would be unusable.
        """
        if self.__dict__ != self._said:
            raise StateError(
                "the checkpoint is of another multiplier: "
                f"it has {self.__dict__}, this one {self._said}"
            )
        return self._schedule.lr(step, self.base_lr) / self.base_lr

    def __reduce__(self) -> tuple[Any, ...]:
        return multiplier, (self._said["spec"], self._said["base_lr"])


def multiplier(
    spec: SpecSource,
    base_lr: float = 1.0,
    *,
    clock: Clock | Mapping[str, Any] | None = None,
) -> Multiplier:
    """A function from the step to a factor of the base rate, for anything that takes LambdaLR's.

    >>> half_way = multiplier({"kind": "LinearLR", "total_steps": 10})
    >>> half_way(5)
    0.5

    It can be pickled and, in a state of LambdaLR, is plain JSON. A state of another schedule is
    noticed at the next step.

    Args:
        spec: the path of a YAML, JSON or TOML file, a Spec, a Schedule, or a mapping.
        base_lr: the base rate, which counts only if the spec has rates that are absolute, such as
            ``end_lr``: give the optimizer's.
        clock: the run length and units, if the spec has durations: a Clock, or a mapping such as
            ``{"total_steps": 160}``. Its fields override those of the spec's own clock.

    Raises:
        OSError: the file cannot be read.
        SpecError: the spec is not valid, or has durations that no clock counts.
        OlmError: it has targets besides the learning rate, it is driven by a metric, or the base
            rate is not above 0.
    """
    said = as_spec(spec)
    if said.also:
        labels = listed((target.label for target in said.also), "and")
        raise OlmError(
            f"a multiplier sets only the learning rate and would drop {labels}: use olm.build, or "
            "remove `also`"
        )
    run, schedule = clock_given(clock), said.schedule
    if not schedule.is_counted:
        schedule = said.plan(run).schedule
    if schedule.metric_driven:
        raise OlmError(f"{schedule.kind} is driven by a metric, which a multiplier cannot observe")
    if not (isinstance(base_lr, int | float) and 0 < base_lr < float("inf")):
        raise OlmError(f"base_lr must be a finite number above 0, found {found(base_lr)}")
    return Multiplier(schedule, float(base_lr))
