"""Lightning: schedulers that step once per optimizer step and resume from checkpoints.

>>> import torch
>>> import olm
>>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
>>> scheduler = olm.build({"kind": "LinearLR", "total_steps": 4}, optimizer)
>>> config = lr_scheduler_config(scheduler)
>>> config["scheduler"] is scheduler, config["interval"], config["frequency"]
(True, 'step', 1)

Lightning's default is one scheduler step per epoch, at which a schedule in steps hardly moves. A
spec with durations needs the trainer's clock, in ``configure_optimizers``::

    scheduler = olm.build("run.olm.yaml", optimizer, clock=clock_of(self.trainer))

No function but `guard` needs Lightning.
"""

from __future__ import annotations

import sys
from importlib import import_module
from math import isfinite
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from olm.problem import OlmError, StateError
from olm.schedule.clock import Clock
from olm.spec.agreement import OnChange
from olm.train.hosts._targets import check_steps, driven, labels, observe, targets_of
from olm.train.schedulers import ScheduleLR

ACCUMULATION = "GradientAccumulationScheduler"
"""The callback with which Lightning accumulates more batches in some epochs than in others."""

AVERAGING = "StochasticWeightAveraging"
"""The callback that replaces the scheduler by one of its own, from some epoch on."""


def clock_of(trainer: Any) -> Clock:
    """The clock of a ``Trainer``: the optimizer steps of the run and of an epoch.

    The clock is empty if the trainer accumulates more batches in some epochs than in others, or if
    the module steps its optimizers itself. Another clock can add to it:
    ``Clock(samples_per_step=256).over(clock_of(trainer))``.

    Args:
        trainer: a ``Trainer`` during a fit, such as when it calls ``configure_optimizers``.
    """
    changing = _callbacks(trainer, ACCUMULATION)
    if changing or not trainer.lightning_module.automatic_optimization:
        return Clock()
    # `estimated_stepping_batches` does so too, but only if the number of epochs is limited.
    if trainer.train_dataloader is None:
        trainer.fit_loop.setup_data()
    steps, batches = trainer.estimated_stepping_batches, trainer.num_training_batches
    return Clock(
        total_steps=int(steps) if isfinite(steps) and steps > 0 else None,
        steps_per_epoch=(
            # The last step of an epoch takes the remaining batches.
            -(-int(batches) // trainer.accumulate_grad_batches)
            if isfinite(batches) and batches
            else None
        ),
    ).yielding()


def lr_scheduler_config(
    scheduler: ScheduleLR, *, monitor: str | None = None, on_change: OnChange | None = None
) -> dict[str, Any]:
    """The ``"lr_scheduler"`` that ``configure_optimizers`` returns.

    A schedule steps once per optimizer step, also with gradient accumulation. A
    `ReduceLROnPlateau` steps with its metric, once per epoch or, with `guard`, after every
    validation; add ``| {"interval": "step"}`` for a metric of every training step. A schedule that
    contains a plateau steps once per optimizer step, and needs `guard` to observe its metric.

    Args:
        scheduler: the scheduler.
        monitor: the name of the logged metric that drives the schedule, if it is metric-driven.
            A target with a `metric` of its own observes the logged metric of that name.
        on_change: what to do if a checkpoint has another schedule; by default, the ``on_change``
            that was passed to `olm.build`. Lightning itself has no such option.

    Raises:
        OlmError: the schedule is metric-driven, and `monitor` is missing; or Lightning would step
            its targets once per epoch.
    """
    check_steps(scheduler, "Lightning")
    config = {"scheduler": scheduler, "interval": "step", "frequency": 1}
    if (what := driven(scheduler)) is not None:
        if monitor is None:
            raise OlmError(f"{what} is driven by a metric: pass monitor, such as 'val_loss'")
        plateau = isinstance(scheduler, ReduceLROnPlateau)
        config |= {"monitor": monitor, "reduce_on_plateau": plateau}
        config["interval"] = "epoch" if plateau else "step"
    if on_change is not None:
        scheduler._on_change = on_change
    return config


def configure_optimizers(
    module: Any,
    optimizer: Optimizer,
    lr_scheduler: LRScheduler | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Make a ``LightningCLI`` step its scheduler once per optimizer step, not once per epoch.

    Use it as the method of that name in a subclass: ``configure_optimizers =
    staticmethod(configure_optimizers)``, or a `functools.partial` of it to pass options.

    Args:
        module: the model; unused.
        optimizer: the optimizer from the command line or the config file.
        lr_scheduler: the scheduler, if any; torch's own schedulers keep Lightning's defaults.
        options: the keyword arguments of `lr_scheduler_config`.
    """
    if lr_scheduler is None:
        return {"optimizer": optimizer}
    if isinstance(lr_scheduler, ScheduleLR):
        config = lr_scheduler_config(lr_scheduler, **options)
        return {"optimizer": optimizer, "lr_scheduler": config}
    # Lightning's own plateau class has a monitor.
    monitor = getattr(lr_scheduler, "monitor", None)
    return {"optimizer": optimizer, "lr_scheduler": lr_scheduler, "monitor": monitor}


def guard() -> Any:
    """A callback with which a resumed fit is equal to an uninterrupted one.

    The callback refuses a checkpoint with more or fewer schedulers than the trainer. Lightning
    pairs schedulers with states by position, and a scheduler without a state would start again.

    The callback also passes the metric of every validation to metric-driven schedules before a
    checkpoint is saved. Lightning steps a plateau after saving, and not at all in an epoch that it
    resumes, so metrics are lost. Resume from a checkpoint that was saved after a validation, not in
    the training step just before one: Lightning does not repeat the validation.

    Raises:
        ImportError: Lightning is not installed.
        StateError: the numbers of schedulers differ; raised when the training begins.
        OlmError: a metric was not logged; raised when a schedule needs the metric.
    """
    try:
        callbacks = import_module("lightning.pytorch.callbacks")
    except ImportError:
        callbacks = import_module("pytorch_lightning.callbacks")
    checks = _Guard()
    return callbacks.LambdaCallback(
        on_load_checkpoint=checks.count,
        on_train_start=checks.begin,
        on_validation_end=checks.observe,
    )


class _Guard:
    def __init__(self) -> None:
        self.saved: int | None = None

    def count(self, trainer: Any, module: Any, checkpoint: dict[str, Any]) -> None:
        states = checkpoint.get("callbacks", {})
        averaging = [states.get(each.state_key) or {} for each in _callbacks(trainer, AVERAGING)]
        # The callback then removes the trainer's scheduler, and adds its own after `begin`.
        replaced = any(state.get("scheduler_state") is not None for state in averaging)
        self.saved = 0 if replaced else len(checkpoint.get("lr_schedulers", []))

    def begin(self, trainer: Any, module: Any) -> None:
        configs = trainer.lr_scheduler_configs
        if self.saved not in (None, len(configs)):
            raise StateError(
                f"the number of lr_schedulers differs: the checkpoint has {self.saved}, "
                f"this trainer {len(configs)}"
            )
        self.saved = None
        _check_averaging(trainer)
        for config in configs:
            if _is_plateau(config):
                # Lightning then never steps it: `observe` does.
                config.frequency = sys.maxsize

    def observe(self, trainer: Any, module: Any) -> None:
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        for config in trainer.lr_scheduler_configs:
            if _is_plateau(config):
                config.scheduler.step(_metric(trainer, config))
            elif isinstance(config.scheduler, ScheduleLR) and not config.reduce_on_plateau:
                if config.monitor is not None:
                    _metric(trainer, config)
                observe(config.scheduler, trainer.callback_metrics, config.monitor)


def _callbacks(trainer: Any, name: str) -> list[Any]:
    """The trainer's callbacks of a class of Lightning's, by its name."""
    return [
        callback
        for callback in trainer.callbacks
        if name in [base.__name__ for base in type(callback).mro()]
    ]


def _check_averaging(trainer: Any) -> None:
    """Refuse targets that would stop where a callback replaces the scheduler."""
    if _callbacks(trainer, AVERAGING):
        for config in trainer.lr_scheduler_configs:
            if also := targets_of(config.scheduler):
                raise OlmError(
                    f"{AVERAGING} replaces the scheduler and would stop {labels(also)}: average "
                    "with WeightAveraging, or remove also"
                )


def _is_plateau(config: Any) -> bool:
    """Whether the scheduler steps with a metric of the validation, not of the training step."""
    return bool(config.reduce_on_plateau and config.interval == "epoch")


def _metric(trainer: Any, config: Any) -> Any:
    metrics = trainer.callback_metrics
    if config.monitor not in metrics:
        logged = ", ".join(sorted(metrics)) or "none"
        raise OlmError(f"monitor: the metric {config.monitor} was not logged; logged: {logged}")
    return metrics[config.monitor]
