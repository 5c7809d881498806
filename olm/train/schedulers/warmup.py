"""Warm-ups, at the import path of OpenLanguageModel."""

from olm.kinds.warmup import Warmup, WarmupCosine
from olm.train.schedulers.schedule_lr import ScheduleLR


class WarmupLR(ScheduleLR, model=Warmup):
    """A straight rise: the torch scheduler of `olm.kinds.warmup.Warmup`."""


class WarmupCosineScheduler(ScheduleLR, model=WarmupCosine):
    """A rise, then half a cosine wave: the torch scheduler of `olm.kinds.warmup.WarmupCosine`."""


__all__ = ["WarmupCosineScheduler", "WarmupLR"]
