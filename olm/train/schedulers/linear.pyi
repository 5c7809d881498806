# Written by tools/generate.py from the kinds: change those, not this.
from torch.optim import Optimizer

import olm.kinds.linear
from olm.train.schedulers.base import SchedulerBase as SchedulerBase
from olm.train.schedulers.schedule_lr import ScheduleLR

class LinearDecayLR(ScheduleLR):
    """A straight line to zero: the torch scheduler of `olm.kinds.linear.LinearDecay`."""
    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.linear.LinearDecay: ...

class LinearLR(ScheduleLR):
    """A straight line: the torch scheduler of `olm.kinds.linear.Linear`."""
    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        end_lr: float = 0.0,
        start_factor: float = 1.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.linear.Linear: ...
