"""Schedules on a clock of their own: shifted, in larger steps, along samples or tokens."""

from math import ceil, floor
from typing import Annotated, Literal

from olm.schedule import (
    MAX_STEPS,
    Array,
    Child,
    OptionalStepIndex,
    Part,
    PositiveSteps,
    Schedule,
    StepCount,
    StepIndex,
    clipped,
    default,
    rule,
)
from olm.schedule.per_step import PerStep
from olm.schedule.units_per_step import UnitsPerStep


@rule(
    "first",
    "last",
    holds=lambda first, last: last is None or first <= last,
    message="{first} must not be above {last}",
)
@rule(
    "axis",
    "scheduler",
    # Where another field is invalid, the scheduler is not read yet.
    holds=lambda axis, scheduler: axis == "steps" or not getattr(scheduler, "has_axis", False),
    message="{axis} must not be inside another axis, that of the scheduler: use one of them",
)
@rule(
    "per_step",
    holds=lambda per_step: not isinstance(per_step, PerStep) or per_step.is_consistent,
    message="{per_step} must have ascending stages from step 0 on, or a ramp with equal stages",
)
@rule(
    "per_step",
    "axis",
    holds=lambda per_step, axis: per_step is None or axis != "steps",
    message="{per_step} needs an {axis} of samples or tokens",
)
class Time(Schedule):
    """A schedule on another clock: shifted, in larger steps, along samples or tokens.

    >>> from olm.kinds.linear import LinearDecay
    >>> line = LinearDecay(total_steps=8)
    >>> Time(scheduler=line, shift=2).lr([0, 1, 2, 6], base=0.8)
    array([0.6, 0.5, 0.4, 0. ])
    >>> Time(scheduler=line, every=4, last=4).lr([0, 3, 4, 7, 8], base=0.8)
    array([0.8, 0.8, 0.4, 0.4, 0.4])

    With an ``axis``, all numbers of steps in it and below it count samples or tokens instead. So a
    curve is even in tokens while the batch grows:

    >>> doubled = Time(scheduler=LinearDecay(total_steps=800), axis="tokens",
    ...                per_step=[[0, 100], [2, 200]])
    >>> doubled.lr([0, 1, 2, 3, 4, 5], base=0.8)
    array([0.8, 0.7, 0.6, 0.4, 0.2, 0. ])

    A schedule that looks one step ahead, such as `WarmupLR`, looks one sample or token ahead there.

    Source: olm's own; Megatron-LM's schedules count samples.
    """

    kind: Literal["TimeLR"] = "TimeLR"
    scheduler: Child
    """The schedule to re-time."""
    shift: Annotated[int, StepCount(-MAX_STEPS, MAX_STEPS, rest=False)] = 0
    """How many steps the clock is ahead; below 0, how many it is behind."""
    every: PositiveSteps = default(1)
    """How many steps lie between two moves of the clock."""
    first: StepIndex = default(0)
    """The step below which the clock never is."""
    last: OptionalStepIndex = default(None)
    """The step at which the clock stops."""
    axis: Literal["steps", "samples", "tokens"] = "steps"
    """What the clock counts, and with it everything in the schedule to re-time."""
    per_step: PerStep | None = None
    """How much each step adds to an ``axis`` of samples or tokens. The clock of the run gives it; a
    spec leaves it out."""

    group = "composition"
    periods = ("shift", "every")
    words = "on the clock of the optimizer"
    examples = [
        {"scheduler": {"kind": "WarmupLR", "warmup_steps": 10}, "shift": -1},
        {"scheduler": {"kind": "ExponentialLR", "gamma": 0.9}, "every": 10, "last": 50},
        {
            "scheduler": {"kind": "CosineAnnealingLR", "T_max": 100_000},
            "axis": "tokens",
            "per_step": [[0, 500], [50, 1000]],
        },
    ]
    own_clock = True
    counts_with = {"per_step": ("axis", ("samples", "tokens"))}

    def wording(self) -> str:
        words = {
            "shifted by {shift} steps": self.shift != 0,
            "that moves every {every} steps": self.every != 1,
            "that starts at step {first}": self.first != 0,
            "that stops at step {last}": self.last is not None,
        }
        moves = [text for text, holds in words.items() if holds]
        along = [f"along {self.axis}"] if self.axis != "steps" else []
        return ", ".join(along + [f"on a clock {', '.join(moves)}"] * bool(moves)) or self.words

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        # Larger steps are the only ones that are rounded: a slowed clock has fractional steps.
        place = step if self.per_step is None else self.per_step.plan.along(step)
        own = place if self.every == 1 else np.floor(place / self.every) * self.every
        shifted = own + self.shift if self.shift else own
        late = np.maximum(shifted, self.first) if self.first else shifted
        return self.scheduler.formula(clipped(late, float(self._last)), base)

    @property
    def axis_of_parts(self) -> str:
        return self.axis

    @property
    def axis_plan(self) -> UnitsPerStep | None:
        return None if self.per_step is None else self.per_step.plan

    @property
    def moves_parts(self) -> bool:
        return bool(self.shift or self.every != 1 or self.first)

    @property
    def needs_plan(self) -> bool:
        return self.axis != "steps" and self.per_step is None

    def own_marks(self) -> tuple[int, ...]:
        return () if self.last is None else (self._clock_is_at(self.last),)

    def holds_from(self) -> int | None:
        ends = [self.scheduler.holds_from(), self.last]
        return min((self._clock_is_at(end) for end in ends if end is not None), default=None)

    def ends_at(self) -> int | None:
        return super().ends_at() if self.last is None else self._clock_is_at(self.last)

    def horizon(self) -> int:
        return super().horizon() if self.holds_from() is not None else self.scheduler.horizon()

    def part_steps(self, step: int) -> list[int | None]:
        clock = self._place(step) // self.every * self.every + self.shift
        return [min(max(clock, self.first), self._last)]

    def part_ranges(self, first: int, last: int) -> list[tuple[int, int]]:
        return [(low, min(high, self._last + 1)) for low, high in super().part_ranges(first, last)]

    def reached_at(self, part: Part, step: int) -> int | None:
        return self._clock_is_at(step) if step <= self._last else None

    @property
    def _last(self) -> int:
        return MAX_STEPS if self.last is None else self.last

    def _clock_is_at(self, mark: int) -> int:
        """The first step at which the clock is at a mark or later."""
        after = max(mark - self.shift, 0) if mark > self.first else 0
        return min(self._reached(-(-after // self.every) * self.every), MAX_STEPS)

    def _place(self, step: int) -> int:
        """Where the clock is at a step, before it is shifted."""
        return step if self.per_step is None else floor(self.per_step.plan.before(step))

    def _reached(self, place: int) -> int:
        """The first step at which the clock is at a place."""
        return place if self.per_step is None else ceil(self.per_step.plan.step_at(place))
