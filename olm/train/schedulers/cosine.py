"""Half a cosine wave, at the import path of OpenLanguageModel."""

from olm.kinds.cosine import CosineAnnealing
from olm.train.schedulers.schedule_lr import ScheduleLR


class CosineAnnealingLR(ScheduleLR, model=CosineAnnealing):
    """Half a cosine wave: the torch scheduler of `olm.kinds.cosine.CosineAnnealing`."""


__all__ = ["CosineAnnealingLR"]
