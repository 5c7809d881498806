"""A torch scheduler class for every kind, named like the kind, and `build`."""

from typing import Any

from olm.kinds import KINDS
from olm.train.schedulers.base import SchedulerBase
from olm.train.schedulers.cosine import CosineAnnealingLR
from olm.train.schedulers.factory import build, torch_class
from olm.train.schedulers.linear import LinearDecayLR, LinearLR
from olm.train.schedulers.names import named
from olm.train.schedulers.plateau import ReduceLROnPlateau
from olm.train.schedulers.schedule_lr import ScheduleLR
from olm.train.schedulers.warmup import WarmupCosineScheduler, WarmupLR

__all__ = [
    "CosineAnnealingLR",
    "LinearDecayLR",
    "LinearLR",
    "ReduceLROnPlateau",
    "ScheduleLR",
    "SchedulerBase",
    "WarmupCosineScheduler",
    "WarmupLR",
    "build",
]

# The classes of all other kinds. A new kind needs no line here.
for _kind, _model in KINDS.items():
    if "." not in _kind:
        globals()[_kind] = torch_class(_model)
        if _kind not in __all__:
            __all__.append(_kind)


def __getattr__(name: str) -> Any:
    # A kind that was defined later, or the namespace of a plugin's kinds.
    return named(name)
