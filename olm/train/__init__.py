"""torch: param groups of a model, several optimizers as one, and schedulers that step."""

try:
    import torch as _torch  # noqa: F401  # imported for the message
except ImportError as error:
    raise ImportError(
        "olm.train needs torch, which is not installed: pip install 'olm-schedules[torch]'"
    ) from error

from olm.train.named_groups import param_groups
from olm.train.optimizers import Optimizers
from olm.train.parameter_rules import ONE_DIMENSIONAL

__all__ = ["ONE_DIMENSIONAL", "Optimizers", "param_groups"]
