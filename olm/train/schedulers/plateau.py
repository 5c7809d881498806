"""The plateau, a subclass of torch's, because that is what trainers pass a metric to."""

from typing import Any

from torch.optim import lr_scheduler

from olm.kinds.plateau import Plateau
from olm.problem import OlmError, found
from olm.train.schedulers.schedule_lr import ScheduleLR


class ReduceLROnPlateau(ScheduleLR, lr_scheduler.ReduceLROnPlateau, model=Plateau):
    """Lowers the rate by a metric: the torch scheduler of `olm.kinds.plateau.Plateau`."""

    def step(  # type: ignore[override]  # the signature that trainers call
        self, metrics: Any = None, epoch: int | None = None
    ) -> None:
        """Observe a metric and take a step, as torch's scheduler does once per epoch.

        Raises:
            OlmError: no metric was passed, or an epoch was.
        """
        if epoch is not None:
            raise OlmError(f"step() takes no epoch, found {found(epoch)}: load a state instead")
        # torch's constructor calls step() without a metric.
        if metrics is None and not self._is_initial:
            raise OlmError(
                "a plateau needs a metric: call step(metric), or observe(metric) without a step"
            )
        super().step(metrics)

    @property
    def in_cooldown(self) -> bool:
        """Whether the schedule is in a cooldown, during which it does not count bad metrics."""
        return bool(self.state_dict()["cooldown_counter"])

    def _check_order(self) -> None:
        """Check nothing, as in torch's plateau."""


__all__ = ["ReduceLROnPlateau"]
