"""Accelerate: prepare schedulers so that one step is one optimizer step.

Accelerate assumes that a scheduler counts the batches of one process. The scheduler that its own
``prepare`` returns takes one step per process for each optimizer step, so on two processes a
schedule of 1,000 steps ends after 500, without a warning. Call this `prepare` instead::

    from accelerate import Accelerator
    from olm.train.hosts.accelerate import prepare

    accelerator = Accelerator(gradient_accumulation_steps=4)
    scheduler = olm.build("run.olm.yaml", optimizer)
    model, optimizer, loader, scheduler = prepare(accelerator, model, optimizer, loader, scheduler)
    for batch in loader:
        with accelerator.accumulate(model):
            accelerator.backward(model(batch))
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()

A spec with durations needs a clock, and the clock needs the prepared loader::

    loader = accelerator.prepare(loader)
    clock = clock_of(accelerator, loader, epochs=3)
    scheduler = olm.build("run.olm.yaml", optimizer, clock=clock)
    model, optimizer, scheduler = prepare(accelerator, model, optimizer, scheduler)

Without `prepare`, use ``Accelerator(step_scheduler_with_optimizer=False)`` and call the scheduler
in the loop under ``if accelerator.sync_gradients and not accelerator.optimizer_step_was_skipped``.
With ``DataLoaderConfiguration(split_batches=True)`` Accelerate counts correctly, but divides each
batch among the processes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch.optim.lr_scheduler import ReduceLROnPlateau

from olm.problem import OlmError, found
from olm.schedule.clock import Clock
from olm.spec.agreement import OnChange
from olm.train.schedulers import ScheduleLR


def clock_of(accelerator: Any, loader: Any, **options: Any) -> Clock:
    """The clock of a run: `olm.Clock.of_run` with the numbers that Accelerate has.

    Args:
        accelerator: an ``accelerate.Accelerator``: it has the number of batches per step and the
            number of processes.
        loader: the training data loader that ``accelerator.prepare`` returned: it has the batches
            of one process.
        options: ``epochs`` or ``max_steps``, and ``sequence_length``, as in `olm.Clock.of_run`.

    Raises:
        OlmError: the loader is not prepared, or an epoch may end without a step.
        SpecError: arguments contradict each other, or one is missing; it names them.
    """
    if not hasattr(loader, "total_batch_size"):
        raise OlmError(
            f"loader must be one that accelerator.prepare returned, found {found(loader)}"
        )
    if not accelerator.gradient_state.sync_with_dataloader:
        raise OlmError(
            "sync_with_dataloader is off, so a step may span two epochs: pass an olm.Clock instead"
        )
    return Clock.of_run(
        dataloader=loader,
        accumulate=accelerator.gradient_accumulation_steps,
        # Split batches are those of all processes together.
        world_size=1 if accelerator.split_batches else accelerator.num_processes,
        **options,
    ).yielding()


def prepare(accelerator: Any, *objects: Any, on_change: OnChange | None = None) -> Any:
    """``accelerator.prepare(*objects)``, with schedulers that step with the optimizer.

    On any number of processes, a call of a scheduler's ``step`` is one step if the optimizer has
    stepped, and none while gradients accumulate or if the optimizer's step was skipped. A
    `ReduceLROnPlateau` takes one step per call: pass the same metric on every process.

    Args:
        accelerator: an ``accelerate.Accelerator``.
        objects: models, optimizers, data loaders and schedulers, as ``accelerator.prepare`` takes.
        on_change: what ``accelerator.load_state`` does with a state of another schedule; by
            default, the ``on_change`` that was passed to `olm.build`.

    Returns:
        The prepared objects in the same order; a single object without a tuple around it.
    """
    scheduler_class = import_module("accelerate.scheduler").AcceleratedScheduler

    prepared = accelerator.prepare(*objects)
    for item in prepared if len(objects) > 1 else (prepared,):
        if not isinstance(item, scheduler_class):
            continue
        # Accelerate's switch for not multiplying by the number of processes; it has no other use.
        item.split_batches = True
        item.step_with_optimizer = not isinstance(item.scheduler, ReduceLROnPlateau)
        if on_change is not None and isinstance(item.scheduler, ScheduleLR):
            item.scheduler._on_change = on_change
    return prepared
