"""Accelerate: prepare schedulers so that one step is one optimizer step.

Accelerate takes a scheduler to count the batches of one process: what its own ``prepare`` returns
takes as many steps as there are processes, for each step of the optimizer. A schedule of 1,000
steps is then over after 500 on two of them, and nothing says so. Call `prepare` in its place::

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

A spec with durations is counted by a clock, which needs the loader as Accelerate has it::

    loader = accelerator.prepare(loader)
    clock = clock_of(accelerator, loader, epochs=3)
    scheduler = olm.build("run.olm.yaml", optimizer, clock=clock)
    model, optimizer, scheduler = prepare(accelerator, model, optimizer, scheduler)

Without `prepare`, ``Accelerator(step_scheduler_with_optimizer=False)`` leaves the counting to the
loop, which then has to say ``if accelerator.sync_gradients and not
accelerator.optimizer_step_was_skipped: scheduler.step()``. With
``DataLoaderConfiguration(split_batches=True)`` Accelerate counts right, but divides each batch
among the processes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch.optim.lr_scheduler import ReduceLROnPlateau

from olm.problem import OlmError, found
from olm.schedule.clock import Clock
from olm.spec.agreement import OnChange
from olm.train.schedulers import ScheduleLR


def clock_of(accelerator: Any, loader: Any, **said: Any) -> Clock:
    """The clock of a run: `olm.Clock.of_run` with what Accelerate knows.

    Args:
        accelerator: an ``accelerate.Accelerator``, which says how many batches make a step, and how
            many processes there are.
        loader: the data loader of the training, as ``accelerator.prepare`` gave it: it has the
            batches of one process.
        said: ``epochs`` or ``max_steps``, and ``sequence_length``, as `olm.Clock.of_run` takes
            them.

    Raises:
        OlmError: the loader is not prepared, or an epoch may end without a step.
        ValidationError: something contradicts something else, or is missing; it names both.
    """
    if not hasattr(loader, "total_batch_size"):
        raise OlmError(f"loader must be what accelerator.prepare gave, found {found(loader)}")
    if not accelerator.gradient_state.sync_with_dataloader:
        raise OlmError("sync_with_dataloader: without it a step may span two epochs, say a Clock")
    return Clock.of_run(
        dataloader=loader,
        accumulate=accelerator.gradient_accumulation_steps,
        # A split batch is that of all processes.
        world_size=1 if accelerator.split_batches else accelerator.num_processes,
        **said,
    )


def prepare(accelerator: Any, *objects: Any, on_change: OnChange | None = None) -> Any:
    """What ``accelerator.prepare(*objects)`` gives, with schedulers that follow the optimizer.

    One call of a scheduler's ``step`` is one step if the optimizer has stepped, and none while
    gradients accumulate or if the optimizer's step was skipped; on any number of processes. A
    `ReduceLROnPlateau` takes one step a call: give every process the same metric.

    Args:
        accelerator: an ``accelerate.Accelerator``.
        objects: models, optimizers, data loaders and schedulers, as ``accelerator.prepare`` takes.
        on_change: what ``accelerator.load_state`` does about a state of another schedule, if not
            what `olm.build` was told.

    Returns:
        The prepared objects in the same order, one of them as it is.
    """
    scheduler_class = import_module("accelerate.scheduler").AcceleratedScheduler

    prepared = accelerator.prepare(*objects)
    for item in prepared if len(objects) > 1 else (prepared,):
        if not isinstance(item, scheduler_class):
            continue
        # Its name for: do not multiply by the number of processes. Nothing else reads it.
        item.split_batches = True
        item.step_with_optimizer = not isinstance(item.scheduler, ReduceLROnPlateau)
        if on_change is not None and isinstance(item.scheduler, ScheduleLR):
            item.scheduler._on_change = on_change
    return prepared
