"""torch: real schedulers that step along a schedule."""

try:
    import torch as _torch  # noqa: F401  # imported for the message
except ImportError as error:
    raise ImportError(
        "olm.train needs torch, which is not installed: pip install 'olm-schedules[torch]'"
    ) from error

from olm.train.optimizers import Optimizers

__all__ = ["Optimizers"]
