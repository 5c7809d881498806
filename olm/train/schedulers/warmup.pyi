# Written by tools/generate.py from the kinds: change those, not this.
from torch.optim import Optimizer

import olm.kinds.warmup
from olm.train.schedulers.schedule_lr import ScheduleLR

class WarmupCosineScheduler(ScheduleLR):
    """A rise, then half a cosine wave: the torch scheduler of `olm.kinds.warmup.WarmupCosine`."""
    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        total_steps: int,
        min_lr: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.warmup.WarmupCosine: ...

class WarmupLR(ScheduleLR):
    """A straight rise: the torch scheduler of `olm.kinds.warmup.Warmup`."""
    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        start_lr: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.warmup.Warmup: ...
