# Written by tools/generate.py from the kinds: change those, not this.
from collections.abc import Mapping, Sequence
from typing import Any

from torch.optim import Optimizer

from olm.schedule import Schedule
from olm.train.schedulers.along import ScheduleLR as ScheduleLR
from olm.train.schedulers.base import SchedulerBase as SchedulerBase
from olm.train.schedulers.cosine import CosineAnnealingLR as CosineAnnealingLR
from olm.train.schedulers.factory import build as build
from olm.train.schedulers.linear import LinearDecayLR as LinearDecayLR
from olm.train.schedulers.linear import LinearLR as LinearLR
from olm.train.schedulers.warmup import WarmupCosineScheduler as WarmupCosineScheduler
from olm.train.schedulers.warmup import WarmupLR as WarmupLR

class ConstantLR(ScheduleLR):
    """The base rate times ``factor``, until it is released at step ``total_iters``."""
    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 0.3333333333333333,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None: ...

class PolynomialLR(ScheduleLR):
    """The base rate times a power of the share of ``total_iters`` that is left."""
    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None: ...

class SequentialLR(ScheduleLR):
    """One schedule after another: at each milestone the next takes over, at its own step 0."""
    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Schedule | Mapping[str, Any]],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None: ...
