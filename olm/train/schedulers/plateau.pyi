# Written by tools/generate.py from the kinds: change those, not this.
from typing import Literal

from torch.optim import Optimizer

import olm.kinds.plateau
from olm.train.schedulers.schedule_lr import ScheduleLR

class ReduceLROnPlateau(ScheduleLR):
    """Lowers the rate by a metric: the torch scheduler of `olm.kinds.plateau.Plateau`."""
    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 0.0001,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-08,
        last_epoch: int = -1,
    ) -> None: ...
    @property
    def schedule(self) -> olm.kinds.plateau.Plateau: ...
