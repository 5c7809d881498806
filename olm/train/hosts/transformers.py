"""transformers: a `Trainer` that builds its scheduler from a spec and its own number of steps.

A scheduler that you build yourself needs no adapter: pass ``Trainer(..., optimizers=(optimizer,
scheduler))``; ``resume_from_checkpoint`` works too. Use `with_schedule` if the `Trainer` should
compute the run length and create the optimizer::

    from transformers import Trainer
    from olm.train.hosts.transformers import with_schedule

    spec = {"kind": "WarmupCosineScheduler", "warmup_steps": "10%", "total_steps": "100%"}
    trainer = with_schedule(Trainer, spec)(model=model, args=args, train_dataset=data)
    trainer.train(resume_from_checkpoint=True)

The trainer's clock has the steps of the run, the steps of an epoch and the samples of a step. It
does not have the tokens of a sample: a spec in tokens needs ``clock=``.

A step is an optimizer step, also with gradient accumulation and on many processes. A metric-driven
schedule observes the metric that ``metric_for_best_model`` names at every evaluation, and a target
with a `metric` of its own that of this name, with or without ``eval_``. The trainer
steps a `ReduceLROnPlateau` only then; a sequence or a product that contains a plateau steps with
the optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from olm.problem import OlmError, StateError, listed
from olm.schedule.clock import Clock
from olm.spec.agreement import OnChange
from olm.spec.load import SpecSource
from olm.train.hosts._beginning import clock_over, scheduler_of
from olm.train.hosts._targets import check_steps, driven, observe, targets_of
from olm.train.schedulers import ScheduleLR

OWN = ("lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "warmup_ratio")
"""The options of TrainingArguments that specify the trainer's own schedule."""

TrainerT = TypeVar("TrainerT")


def with_schedule(
    trainer: type[TrainerT],
    spec: SpecSource | Callable[[int], SpecSource],
    *,
    clock: Clock | Mapping[str, Any] | None = None,
    on_change: OnChange = "error",
) -> type[TrainerT]:
    """A trainer class that builds its scheduler from a spec.

    Args:
        trainer: transformers' ``Trainer``, or a subclass of it.
        spec: what `olm.build` takes, or a function that returns it for a number of training steps.
        clock: the run's numbers if the spec has durations. It overrides the trainer's clock, and
            both override the spec's own.
        on_change: what to do when a run is resumed with another spec, learning rate or run length:
            raise an ``"error"`` that lists the differences, or continue with the ``"checkpoint"``'s
            schedule or with this ``"spec"``.

    Returns:
        A subclass. Its ``train`` raises a SpecError if the spec is invalid, and a StateError if the
        checkpoint has another schedule, or lacks the state of the scheduler or the optimizer: a
        plain `Trainer` would then start the schedule again. It raises an OlmError if the trainer
        was given a scheduler as well, if its arguments have a schedule of their own, such as
        `warmup_steps`, or if the metric for a metric-driven schedule is missing.
    """

    class Scheduled(trainer):  # type: ignore[valid-type, misc]  # known at run time only
        lr_scheduler: Any
        _steps_per_epoch: int | None = None
        _settings: Mapping[str, float] = MappingProxyType({})

        def set_initial_training_values(self, args: Any, dataloader: Any, *more: Any) -> Any:
            values = super().set_initial_training_values(args, dataloader, *more)
            # For a stream, the trainer claims that the whole run is one epoch.
            self._steps_per_epoch = values[1] if _length(dataloader) else None
            return values

        def create_scheduler(
            self, num_training_steps: int, optimizer: Optimizer | None = None
        ) -> Any:
            if self.lr_scheduler is not None:
                # DeepSpeed's engine has called this method before, and has created this scheduler.
                if self.is_deepspeed_enabled:
                    return self.lr_scheduler
                raise OlmError(
                    "the trainer was given a scheduler and a spec: leave out optimizers=(..., "
                    "scheduler) or with_schedule"
                )
            _check_arguments(self.args)
            document = spec(num_training_steps) if callable(spec) else spec
            samples = self.get_total_train_batch_size(self.args)
            known = Clock(
                total_steps=num_training_steps,
                steps_per_epoch=self._steps_per_epoch,
                # The trainer mistakes a split batch for the batch of one process.
                samples_per_step=None if self.accelerator.split_batches else samples,
            )
            known = clock_over(clock, known)
            scheduler = scheduler_of(document, optimizer or self.optimizer, known, on_change)
            check_steps(scheduler, "the trainer")
            if (what := driven(scheduler)) and self.args.metric_for_best_model is None:
                raise OlmError(
                    f"{what} is driven by a metric: set metric_for_best_model, such as 'loss'"
                )
            self.lr_scheduler = scheduler
            # The trainer's own method does so too: a second `train` starts a new schedule.
            self._created_lr_scheduler = True
            return scheduler

        def _evaluate(self, trial: Any, ignored: Any, skip_scheduler: bool = False) -> Any:
            metrics = super()._evaluate(trial, ignored, skip_scheduler)
            # The trainer steps a plateau itself, but not a plateau inside another schedule.
            plateau = isinstance(self.lr_scheduler, ReduceLROnPlateau)
            if isinstance(self.lr_scheduler, ScheduleLR) and not plateau and not skip_scheduler:
                _observe(self.lr_scheduler, metrics, self.args.metric_for_best_model)
            return metrics

        def _get_learning_rate(self) -> Any:
            # Called before the scheduler steps: the log has the numbers of the step just taken.
            if targets_of(self.lr_scheduler):
                self._settings = self.lr_scheduler.settings()
            return super()._get_learning_rate()

        def log(self, logs: dict[str, float], *more: Any, **options: Any) -> None:
            """Log, with the rate, the numbers that the document schedules besides it."""
            settings = self._settings if "learning_rate" in logs else {}
            super().log({**logs, **settings}, *more, **options)

        def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
            if checkpoint is not None and not self.is_deepspeed_enabled:
                _check_files(Path(checkpoint))
            super()._load_optimizer_and_scheduler(checkpoint)

    Scheduled.__name__ = trainer.__name__
    Scheduled.__qualname__ = trainer.__qualname__
    return Scheduled


def _check_arguments(args: Any) -> None:
    """Raise an OlmError for options that would be ignored: all that differ from the defaults."""
    defaults = {field.name: field.default for field in fields(args)}
    both = [
        name for name in OWN if (value := getattr(args, name, None)) and value != defaults.get(name)
    ]
    if both:
        raise OlmError(f"TrainingArguments: leave out {listed(both)}: the spec has the schedule")


def _length(dataloader: Any) -> int | None:
    """The number of batches; None for a stream."""
    try:
        return len(dataloader)
    except TypeError:
        return None


def _observe(scheduler: ScheduleLR, metrics: Mapping[str, float], monitor: str | None) -> None:
    """Pass the metrics that drive a schedule, under their names without ``eval_``."""
    if driven(scheduler) is None:
        monitor = None
    elif monitor is not None:
        monitor = monitor.removeprefix("eval_")
        if f"eval_{monitor}" not in metrics:
            raise OlmError(
                f"metric_for_best_model: there is no eval_{monitor}, found {', '.join(metrics)}"
            )
    observe(scheduler, {name.removeprefix("eval_"): metrics[name] for name in metrics}, monitor)


def _check_files(checkpoint: Path) -> None:
    missing = [
        f"{name}.pt" for name in ("optimizer", "scheduler") if not any(checkpoint.glob(f"*{name}*"))
    ]
    if missing:
        raise StateError(
            f"{checkpoint} has no {' and no '.join(missing)}, so the schedule would start again at "
            "step 0: resume from a checkpoint that has both files, or start a new run"
        )
