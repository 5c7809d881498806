"""The schedules of a branch: what is past, and the parts that follow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, NamedTuple

from olm.kinds.continuing import Continue
from olm.kinds.hold import Hold
from olm.kinds.ramp import Ramp
from olm.problem import OlmError
from olm.schedule.schedule import Schedule

if TYPE_CHECKING:
    from olm.schedule.curves import Ease

SAME = 1e-12
"""Two shares of base rates that differ by at most this share of them are one."""


class Placed(NamedTuple):
    """A schedule and the step of the run at which it starts."""

    start: int
    schedule: Schedule


@dataclass(frozen=True)
class Outline:
    """What follows the past of a run, in steps of the run."""

    step: int
    """The step of the state, at which the past ends."""
    warmup: int = 0
    """How many steps the rate takes to rise to its peak."""
    peak: float | None = None
    """The rate to which it rises; by default the base rate of each param group."""
    decay: tuple[int, int] | None = None
    """The steps at which a decay starts and ends."""
    end_lr: float | None = None
    """The rate at which it ends."""
    end_factor: float | None = None
    """The share of the rate that is left there."""
    ease: Ease = "linear"
    """The curve of the decay."""
    power: float | None = None
    """The exponent of the curve."""
    follow: bool = False
    """Whether the parent's schedule applies until the decay starts, not the rate at its step."""

    def parts(self, reached: Sequence[float], bases: Sequence[float]) -> Iterator[Placed]:
        """The parts after the past.

        Args:
            reached: the numbers of the param groups at the step.
            bases: their own numbers.
        """
        start = self.decay[0] if self.decay else None
        if self.warmup:
            yield Placed(self.step, self._rise(reached, bases))
        elif not self.follow and start != self.step:
            yield Placed(self.step, Hold())
        if self.decay:
            yield Placed(self.decay[0], self._fall(self.decay[1] - self.decay[0]))

    def _rise(self, reached: Sequence[float], bases: Sequence[float]) -> Ramp:
        if self.peak is not None or len({*bases}) == 1:
            return Ramp(
                total_steps=self.warmup, end_lr=bases[0] if self.peak is None else self.peak
            )
        if not all(reached):
            raise OlmError(
                "the param groups have several base rates and a rate of 0, from which no factor "
                "leads back to them: give the peak"
            )
        factors = [base / rate for base, rate in zip(bases, reached, strict=True)]
        if not all(isclose(factor, factors[0], rel_tol=SAME) for factor in factors):
            raise OlmError(
                "the rates of the param groups are different shares of their base rates, so that "
                "no factor leads back to all of them: give the peak"
            )
        return Ramp(total_steps=self.warmup, end_factor=factors[0])

    def _fall(self, steps: int) -> Ramp:
        ends = {"end_lr": self.end_lr, "end_factor": self.end_factor, "power": self.power}
        given = {name: value for name, value in ends.items() if value is not None}
        return Ramp.model_validate({"total_steps": steps, "ease": self.ease, **given})


def continued(past: Schedule, parts: Sequence[Placed], bases: Sequence[float]) -> Schedule:
    """A schedule whose first parts are those of another one.

    A branch of a branch has one list of parts, not a branch inside a branch.

    >>> first = continued(Ramp(total_steps=100), [Placed(40, Hold())], [1.0])
    >>> continued(first, [Placed(60, Ramp(total_steps=20))], [1.0]).milestones
    (40, 60)
    """
    if not parts:
        return past
    until = parts[0].start
    before, milestones = flat(past, until, bases)
    return Continue(
        schedulers=(*before, *(part.schedule for part in parts)),
        milestones=(*milestones, *(part.start for part in parts)),
    )


def flat(
    past: Schedule, until: int, bases: Sequence[float]
) -> tuple[tuple[Schedule, ...], tuple[int, ...]]:
    """The parts of a schedule that start before a step, and their milestones.

    Args:
        past: the schedule.
        until: the step.
        bases: the base rates for which the parts must have the rates of the schedule.
    """
    if not isinstance(past, Continue):
        return (past,), ()
    milestones = tuple(start for start in past.milestones if start < until)
    schedulers = past.schedulers[: len(milestones) + 1]
    if until in past.milestones:
        # The part that starts here is left out, which is exact only if it starts with its base.
        left = Continue(schedulers=schedulers, milestones=milestones)
        if left.lr([until], [*bases]).tolist() != past.lr([until], [*bases]).tolist():
            return (past,), ()
    return schedulers, milestones
