# Written by tools/generate.py from the kinds: change those, not this.
from torch.optim import Optimizer

import olm.kinds.cosine
from olm.train.schedulers.schedule_lr import ScheduleLR

class CosineAnnealingLR(ScheduleLR):
    """Half a cosine wave: the torch scheduler of `olm.kinds.cosine.CosineAnnealing`."""
    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.cosine.CosineAnnealing: ...
