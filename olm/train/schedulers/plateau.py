"""The plateau, which is torch's as well: trainers ask for the class, and then pass the metric."""

from typing import Any

from torch.optim import lr_scheduler

from olm.kinds.plateau import Plateau
from olm.problem import OlmError, found
from olm.train.schedulers.schedule_lr import ScheduleLR


class ReduceLROnPlateau(ScheduleLR, lr_scheduler.ReduceLROnPlateau, model=Plateau):
    """The rate that falls with a metric: the torch scheduler of `olm.kinds.plateau.Plateau`."""

    def step(  # type: ignore[override]  # torch's own, which trainers call
        self, metrics: Any = None, epoch: int | None = None
    ) -> None:
        """Observe a metric and take a step, as torch's does once an epoch.

        Raises:
            OlmError: there is no metric, or an epoch.
        """
        if epoch is not None:
            raise OlmError(f"step() takes no epoch, found {found(epoch)}: load a state instead")
        # torch's constructor takes a step, to step 0.
        if metrics is None and not self._is_initial:
            raise OlmError("a plateau needs a metric: step(metric), or observe(metric) for no step")
        super().step(metrics)

    @property
    def in_cooldown(self) -> bool:
        """Whether metrics that are no better are not counted for a while."""
        return bool(self.state_dict()["cooldown_counter"])

    def _check_order(self) -> None:
        """Nothing: torch's plateau does not mind either."""


__all__ = ["ReduceLROnPlateau"]
