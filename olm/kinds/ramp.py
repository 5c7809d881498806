"""A ramp from one rate to another along any curve, and torch's straight one."""

from typing import Literal

from olm.problem import Path
from olm.schedule import (
    Array,
    Ease,
    Exponent,
    Factor,
    PositiveSteps,
    Rate,
    Schedule,
    Space,
    Steps,
    between,
    clipped,
    default,
    eased,
    line,
    ramp,
    rule,
)

EASED = {
    "linear": "a straight line",
    "cosine": "half a cosine",
    "polynomial": "a polynomial of power {power}",
    "power": "a power of {power}",
    "logarithmic": "a logarithm",
}
"""The eases in words."""

AFTERWARDS = {
    "hold": "which holds",
    "mirror": "then back and forth",
    "repeat": "then again and again",
    "extrapolate": "and on in the same way",
}
"""What follows the end, in words."""

ONE_OF_THEM = "{%s} and {%s} both specify the rate at the %s: give one of them"
ABOVE_ZERO = "with a {space} other than 'linear', {%s}, or without it {%s}, must be above 0"


@rule(
    "start_lr",
    "start_factor",
    holds=lambda start_lr, start_factor: start_lr is None or start_factor == 1,
    message=ONE_OF_THEM % ("start_lr", "start_factor", "start"),
)
@rule(
    "end_lr",
    "end_factor",
    holds=lambda end_lr, end_factor: end_lr is None or end_factor == 0,
    message=ONE_OF_THEM % ("end_lr", "end_factor", "end"),
)
@rule(
    "space",
    "start_factor",
    "start_lr",
    holds=lambda space, factor, lr: space == "linear" or 0 not in (lr, factor),
    message=ABOVE_ZERO % ("start_lr", "start_factor"),
)
@rule(
    "space",
    "end_factor",
    "end_lr",
    holds=lambda space, factor, lr: space == "linear" or (factor if lr is None else lr) > 0,
    message=ABOVE_ZERO % ("end_lr", "end_factor"),
)
class Ramp(Schedule):
    """From one rate to another, along one of several curves. Both ends are exact.

    >>> Ramp(total_steps=4, end_lr=0.1).lr([0, 1, 2, 3, 4, 9], base=0.5)
    array([0.5, 0.4, 0.3, 0.2, 0.1, 0.1])
    >>> up = Ramp(total_steps=4, start_factor=0.0, end_factor=1.0, offset=1)
    >>> up.lr([0, 1, 2, 3, 4], base=0.5)
    array([0.125, 0.25 , 0.375, 0.5  , 0.5  ])
    >>> Ramp(total_steps=4, end_factor=1 / 16, space="log").lr([0, 1, 2, 3, 4, 9], base=1.0)
    array([1.    , 0.5   , 0.25  , 0.125 , 0.0625, 0.0625])

    Most warm-ups and decays of other libraries are ramps: Megatron's ``minus_sqrt`` has the ease
    ``power`` with 0.5, a polynomial decay the ease ``polynomial``, a geometric decay the space
    ``log``, a harmonic one the space ``inverse``.

    Source: olm's own; Hägele et al., Scaling laws beyond fixed training durations (2024), for the
    square root.
    """

    kind: Literal["RampLR"] = "RampLR"
    total_steps: PositiveSteps
    """How many steps the ramp takes."""
    start_factor: Factor = 1.0
    """What the base rate is multiplied by at the start."""
    start_lr: Rate | None = None
    """The rate at the start, in place of ``start_factor``."""
    end_factor: Factor = 0.0
    """What the base rate is multiplied by at the end."""
    end_lr: Rate | None = None
    """The rate at the end, in place of ``end_factor``."""
    ease: Ease = "linear"
    """How the progress grows with u, the share of the steps: `linear` is u; `cosine` half a cosine
    wave; `polynomial` 1 - (1-u)^power; `power` u^power; `logarithmic` the logarithm of the
    step."""
    power: Exponent = 2.0
    """The exponent of `polynomial` and `power`."""
    space: Space = "linear"
    """What is interpolated linearly: the rate (`linear`), its logarithm or its inverse."""
    offset: Steps = default(0)
    """How many steps of the ramp are done at step 0: with 1, step 0 trains above the start."""
    past: Literal["hold", "mirror", "repeat", "extrapolate"] = "hold"
    """What the rate does after the end: hold, go back and forth, start again, or go on."""

    group = "building block"
    periods = ("offset",)
    counts_with = {"power": ("ease", ("polynomial", "power"))}
    words = "{start_factor} × base to {end_factor} × base in {total_steps} steps"
    examples = [
        {"total_steps": 100},
        {"total_steps": 20, "start_factor": 0.0, "end_factor": 1.0, "offset": 1},
        {"total_steps": 100, "end_factor": 0.1, "ease": "power", "power": 0.5},
        {"total_steps": 100, "end_lr": 1e-5, "space": "log"},
        {"total_steps": 50, "start_factor": 0.1, "end_factor": 1.0, "past": "mirror"},
    ]

    def own_marks(self) -> tuple[int]:
        return (max(self.total_steps - self.offset, 0),)

    def holds_from(self) -> int | None:
        return super().holds_from() if self.past == "hold" else None

    def ends_at(self) -> int | None:
        # What follows a rise is the schedule that it is the warm-up of.
        return None if self.rises else super().ends_at()

    def warm_up(self) -> tuple[Path, float] | None:
        return (("total_steps",), *self.own_marks()) if self.rises else None

    @property
    def rises(self) -> bool:
        """Whether it ends above its start, whatever the base rate is.

        A fixed rate at the start counts as lower than the base rate at the end.
        """
        if self.start_lr is None and self.end_lr is None:
            return self.start_factor < self.end_factor
        if self.start_lr is None:
            return self.start_factor == 0
        return self.end_factor >= 1 if self.end_lr is None else self.start_lr < self.end_lr

    def wording(self) -> str:
        words = self.words
        if self.start_lr is not None:
            words = words.replace("{start_factor} × base", "{start_lr}")
        if self.end_lr is not None:
            words = words.replace("{end_factor} × base", "{end_lr}")
        space = "" if self.space == "linear" else " in {space} space"
        begins = ", beginning with its step {offset}" if self.offset else ""
        return f"{EASED[self.ease]}{space} from {words}{begins}, {AFTERWARDS[self.past]}"

    def formula(self, step: Array, base: Array) -> Array:
        start = base * self.start_factor if self.start_lr is None else self.start_lr + 0 * base
        end = base * self.end_factor if self.end_lr is None else self.end_lr + 0 * base
        done = eased(self.ease, self._done(step), self.power, self.total_steps)
        return between(start, end, done, self.space)

    def _done(self, step: Array) -> Array:
        place = step + self.offset if self.offset else step
        done: Array = place / self.total_steps
        match self.past:
            case "hold":
                return clipped(done, 1.0)
            case "mirror":
                return 1 - abs(done % 2 - 1)
            case "repeat":
                return done % 1
        return done


class LinearFactor(Schedule):
    """A straight line from one share of the base rate to another: torch's ``LinearLR``.

    >>> LinearFactor(start_factor=0.5, total_iters=4).lr([0, 1, 2, 3, 4, 9], base=0.8)
    array([0.4, 0.5, 0.6, 0.7, 0.8, 0.8])

    Source: torch 2.13, ``torch.optim.lr_scheduler.LinearLR``, under another name because olm's
    ``LinearLR`` is OpenLanguageModel's. A factor of 0 at the start and factors above 1, which torch
    refuses, are valid. ``total_iters: 0``, for which torch holds ``start_factor``, is an error.
    """

    kind: Literal["LinearFactorLR"] = "LinearFactorLR"
    start_factor: Factor = 1 / 3
    """What the base rate is multiplied by at step 0."""
    end_factor: Factor = 1.0
    """What the base rate is multiplied by at ``total_iters`` and after."""
    total_iters: PositiveSteps = default(5)
    """The step at which the rate reaches ``end_factor`` times the base rate."""

    group = "warm-up"
    words = (
        "a straight line from {start_factor} × base to {end_factor} × base "
        "at step {total_iters}, which holds"
    )
    examples = [
        {"start_factor": 0.1, "total_iters": 20},
        {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 50},
    ]

    def warm_up(self) -> tuple[Path, float] | None:
        return (("total_iters",), self.total_iters) if self.start_factor < self.end_factor else None

    def formula(self, step: Array, base: Array) -> Array:
        return line(base * self.start_factor, base * self.end_factor, ramp(step, self.total_iters))
