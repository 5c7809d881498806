"""Straight lines, at the import path that OpenLanguageModel documents."""

from olm.kinds.linear import Linear, LinearDecay
from olm.train.schedulers.base import SchedulerBase
from olm.train.schedulers.schedule_lr import ScheduleLR


class LinearLR(ScheduleLR, model=Linear):
    """A straight line: the torch scheduler of `olm.kinds.linear.Linear`."""


class LinearDecayLR(ScheduleLR, model=LinearDecay):
    """A straight line to zero: the torch scheduler of `olm.kinds.linear.LinearDecay`."""


__all__ = ["LinearDecayLR", "LinearLR", "SchedulerBase"]
