# Written by tools/generate.py from the kinds: change those, not this.
from torch.optim import Optimizer

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

class WarmupLR(ScheduleLR):
    """A straight rise: the torch scheduler of `olm.kinds.warmup.Warmup`."""
    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        start_lr: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
