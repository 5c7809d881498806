"""The run of a schedule of fvcore, which is evaluated at the progress, and its warm-up."""

from __future__ import annotations

from collections.abc import Callable

from olm.foreign.configs._config import Config, one_of
from olm.foreign.configs._documents import Document, ramp, shifted

EARLY = 1e-6
"""What fvcore adds to the progress before it looks up which value applies."""


class Run:
    """The run, and its warm-up."""

    def __init__(self, config: Config, total: int) -> None:
        self.config = config
        self.total = total
        warmup: int = config.whole("SOLVER", "WARMUP_ITERS", default=1000)
        self.warmup = min(warmup, total)
        self.factor: float = config.number("SOLVER", "WARMUP_FACTOR", default=0.001)
        methods = ("linear", "constant")
        self.method = one_of(config, methods, "SOLVER", "WARMUP_METHOD", default="linear")
        self.rescaled = config.flag("SOLVER", "RESCALE_INTERVAL")
        self.share: float = self.warmup / total
        self.end = total
        """The step at which the schedule takes over from the warm-up."""
        if self.share < 1:
            self.end = self.first(lambda step: step / total + EARLY > self.share, self.warmup)
        if self.rescaled and self.end != self.warmup:
            text = "fvcore ends the warm-up of a run as long as this one early"
            raise config.refusal("unsupported-key", text, ("SOLVER", "RESCALE_INTERVAL"))

    def progress(self, step: int) -> float:
        """Where the schedule is at a step after the warm-up, from 0 to 1."""
        where = step / self.total
        if not self.rescaled:
            return where
        rest = 1 - self.share
        return (where - (self.share + rest - rest)) / rest

    def first(self, reached: Callable[[int], bool], near: float) -> int:
        """The first step at which something is reached, which is near another one."""
        step = max(0, int(near) - int(EARLY * self.total) - 3)
        while not reached(step):
            step += 1
        return step

    def warmed(self, main: Document, reached: float, offset: bool) -> Document:
        """A schedule after the warm-up.

        Args:
            main: the schedule.
            reached: the factor at which the warm-up ends.
            offset: whether the clock of the schedule began at step 0 of the run.
        """
        if not self.end:
            return main
        up = self.up(reached)
        after = shifted(main, self.end) if offset else main
        return {"kind": "SequentialLR", "schedulers": [up, after], "milestones": [self.end]}

    def up(self, reached: float) -> Document:
        """The warm-up, which ends at a factor of the base rate."""
        if self.method == "constant":
            return {"kind": "HoldLR", "factor": self.factor}
        return ramp(self.warmup, start_factor=self.factor, end_factor=reached)
