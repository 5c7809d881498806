"""Lightning: a scheduler steps once an optimizer step, and a checkpoint resumes what it says.

>>> import torch
>>> import olm
>>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
>>> scheduler = olm.build({"kind": "LinearLR", "total_steps": 4}, optimizer)
>>> config = lr_scheduler_config(scheduler)
>>> config["scheduler"] is scheduler, config["interval"], config["frequency"]
(True, 'step', 1)

Lightning's own default is a step an epoch: a schedule in steps would stand still. A spec with
durations is counted by the trainer's own clock, in ``configure_optimizers``::

    scheduler = olm.build("run.olm.yaml", optimizer, clock=clock_of(self.trainer))

No function but `guard` needs Lightning.
"""

from __future__ import annotations

import sys
from importlib import import_module
from math import ceil, isfinite
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from olm.problem import OlmError, StateError
from olm.schedule.clock import Clock
from olm.spec.agreement import OnChange
from olm.train.schedulers import ScheduleLR

ACCUMULATION = "GradientAccumulationScheduler"
"""The callback by which Lightning accumulates more batches in some epochs than in others."""


def clock_of(trainer: Any) -> Clock:
    """What a ``Trainer`` knows of its run: how many optimizer steps it has, and an epoch.

    Where it accumulates more batches in some epochs than in others, or the module steps its
    optimizers itself, it knows nothing. What it does not know, another clock may say:
    ``Clock(samples_per_step=256).over(clock_of(trainer))``.

    Args:
        trainer: a ``Trainer`` that fits, which is so when it calls ``configure_optimizers``.
    """
    classes = (base.__name__ for one in trainer.callbacks for base in type(one).mro())
    changing = ACCUMULATION in classes
    if changing or not trainer.lightning_module.automatic_optimization:
        return Clock()
    # As `estimated_stepping_batches` does, but only where there is a last epoch.
    if trainer.train_dataloader is None:
        trainer.fit_loop.setup_data()
    steps, batches = trainer.estimated_stepping_batches, trainer.num_training_batches
    return Clock(
        total_steps=int(steps) if isfinite(steps) and steps > 0 else None,
        steps_per_epoch=(
            # The last step of an epoch takes the batches that are left.
            ceil(batches / trainer.accumulate_grad_batches)
            if isfinite(batches) and batches
            else None
        ),
    )


def lr_scheduler_config(
    scheduler: ScheduleLR, *, monitor: str | None = None, on_change: OnChange | None = None
) -> dict[str, Any]:
    """What ``configure_optimizers`` returns as ``"lr_scheduler"``.

    A schedule steps once an optimizer step, whatever is accumulated. A `ReduceLROnPlateau` steps
    with its metric, once an epoch or, with `guard`, after every validation; add ``| {"interval":
    "step"}`` for a metric of every training step. A schedule with a plateau inside steps once an
    optimizer step, and needs `guard` for its metric.

    Args:
        scheduler: the scheduler.
        monitor: the name of the logged metric that drives the schedule, if one does.
        on_change: what to do if a checkpoint is of another schedule, if not what `olm.build` was
            told: Lightning itself has no word for it.

    Raises:
        OlmError: a metric drives the schedule, and there is no `monitor`.
    """
    schedule = scheduler.schedule
    config = {"scheduler": scheduler, "interval": "step", "frequency": 1}
    if schedule.metric_driven:
        if monitor is None:
            raise OlmError(f'{schedule.kind} needs a metric: monitor="val_loss", for example')
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
    """What makes a ``LightningCLI`` step its scheduler once an optimizer step, not once an epoch.

    It is the method of that name: ``configure_optimizers = staticmethod(configure_optimizers)`` in
    a subclass, with `functools.partial` if there are options.

    Args:
        module: the model, which is not needed.
        optimizer: the optimizer that the command line or a file asked for.
        lr_scheduler: the scheduler, if there is one; torch's own stay as Lightning has them.
        options: those of `lr_scheduler_config`.
    """
    if lr_scheduler is None:
        return {"optimizer": optimizer}
    if isinstance(lr_scheduler, ScheduleLR):
        config = lr_scheduler_config(lr_scheduler, **options)
        return {"optimizer": optimizer, "lr_scheduler": config}
    # Lightning's own plateau has a monitor.
    monitor = getattr(lr_scheduler, "monitor", None)
    return {"optimizer": optimizer, "lr_scheduler": lr_scheduler, "monitor": monitor}


def guard() -> Any:
    """A callback that a fit needs to resume as if it had not stopped.

    It refuses a checkpoint with more or fewer schedulers: Lightning pairs them with their states by
    position, and those without a partner would begin anew. And it shows the metric of every
    validation to the schedules that one drives, before a checkpoint is saved: Lightning steps a
    plateau after it, and not at all in an epoch that it resumes, so that metrics are lost. The
    checkpoint to resume from is one that was saved after a validation, not in the training step
    just before it: Lightning does not repeat the validation.

    Raises:
        ImportError: there is no Lightning.
        StateError: when the training begins, if the numbers differ.
        OlmError: when a metric is due that was not logged.
    """
    try:
        callbacks = import_module("lightning.pytorch.callbacks")
    except ImportError:
        callbacks = import_module("pytorch_lightning.callbacks")
    mine = _Guard()
    return callbacks.LambdaCallback(
        on_load_checkpoint=mine.count,
        on_train_start=mine.begin,
        on_validation_end=mine.show,
    )


class _Guard:
    def __init__(self) -> None:
        self.saved: int | None = None

    def count(self, trainer: Any, module: Any, checkpoint: dict[str, Any]) -> None:
        self.saved = len(checkpoint.get("lr_schedulers", []))

    def begin(self, trainer: Any, module: Any) -> None:
        configs = trainer.lr_scheduler_configs
        if self.saved not in (None, len(configs)):
            text = f"the checkpoint has {self.saved} lr_schedulers, this trainer {len(configs)}"
            raise StateError(text)
        self.saved = None
        for config in configs:
            if _is_plateau(config):
                # Lightning, which counts from 1, leaves it alone.
                config.frequency = sys.maxsize

    def show(self, trainer: Any, module: Any) -> None:
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        for config in trainer.lr_scheduler_configs:
            if _is_plateau(config):
                config.scheduler.step(_metric(trainer, config))
            elif config.monitor is not None and not config.reduce_on_plateau:
                config.scheduler.observe(_metric(trainer, config))


def _is_plateau(config: Any) -> bool:
    """Whether it steps with a metric of the validation, rather than of the training step."""
    return bool(config.reduce_on_plateau and config.interval == "epoch")


def _metric(trainer: Any, config: Any) -> Any:
    metrics = trainer.callback_metrics
    if config.monitor not in metrics:
        there = ", ".join(sorted(metrics)) or "nothing"
        raise OlmError(f"monitor: {config.monitor} was not logged, but {there}")
    return metrics[config.monitor]
