"""Half a cosine wave, under the path that OpenLanguageModel has."""

from olm.kinds.cosine import CosineAnnealing
from olm.train.schedulers.schedule_lr import ScheduleLR


class CosineAnnealingLR(ScheduleLR, model=CosineAnnealing):
    """Half a cosine wave: the torch scheduler of `olm.kinds.cosine.CosineAnnealing`."""


__all__ = ["CosineAnnealingLR"]
