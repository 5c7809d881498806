"""From a spec and an optimizer to a scheduler, and from a kind to its torch class."""

from __future__ import annotations

from collections.abc import Mapping
from types import new_class
from typing import Any, Literal

from torch.optim import Optimizer

from olm.schedule.clock import Clock, clock_given
from olm.schedule.schedule import Schedule
from olm.spec.agreement import OnChange, agreed
from olm.spec.begin import check_begin, updates_taken
from olm.spec.spec import Spec, parse
from olm.train.optimizers import Optimizers
from olm.train.schedulers.begin import begin_at
from olm.train.schedulers.counted import counted, recounted
from olm.train.schedulers.document_numbers import check_optimizer
from olm.train.schedulers.groups import group_rates
from olm.train.schedulers.schedule_lr import CLASSES, ScheduleLR
from olm.train.schedulers.target_setter import in_optimizer, setter_for


def build(
    spec: Spec | Schedule | Mapping[str, Any],
    optimizer: Optimizer | Mapping[str, Optimizer],
    *,
    clock: Clock | Mapping[str, Any] | None = None,
    on_change: OnChange = "error",
    only_if_stepped: bool = False,
    base: Literal["spec", "any"] = "spec",
    step: int | None = None,
) -> ScheduleLR:
    """The torch scheduler of a spec. For a state, the scheduler resumes at the state's step.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    >>> scheduler = build({"kind": "LinearLR", "total_steps": 4}, optimizer)
    >>> type(scheduler).__name__, scheduler.get_last_lr()
    ('LinearLR', [0.5])

    Args:
        spec: a Spec, a Schedule, or a mapping in the form of a spec, such as a ``state_dict()``.
        optimizer: the optimizer whose rates are set, or several by name, which `Optimizers` joins.
            Nothing is changed unless everything is valid.
        clock: the lengths of the run, if the spec has durations: a Clock, or a mapping such as
            ``{"total_steps": 160}``. The spec's own clock fills in what
            this clock lacks; where they differ, this one applies and the difference is logged.
        on_change: what to do if a state has other base rates than the optimizer, or if this clock
            counts its durations differently. ``"error"`` raises an error, ``"checkpoint"``
            continues with the state's values, ``"spec"`` with the new ones. The choice also
            applies when the scheduler later loads a state, as it does in a trainer.
        only_if_stepped: whether ``step()`` advances only if the optimizer has stepped since the
            last call. Use it with GradScaler, which skips steps, and in loops over micro-batches.
        base: whether the optimizer must have the numbers that the spec lists under ``optimizer``
            and ``param_groups``, ``"spec"``, or may have any.
        step: the updates already taken, for a checkpoint that has a step and no scheduler state.
            ``step=400`` is a state's ``last_epoch`` 400: the rates are those of step 400 at once,
            also if the optimizer loads its state afterwards. The base numbers are each group's
            ``initial_lr`` (``initial_<key>`` for a target), else those of the document. 0 is a new
            run.

    Raises:
        OlmError: `step` is no number of updates, is given for a state or a metric-driven schedule,
            or a param group's base number is unknown.
        SpecError: the spec is invalid, has durations that no clock counts, or has targets or
            numbers that the optimizer lacks.
        StateError: the state has other base rates, another number of param groups, or comes from a
            run of another length.
        RateError: a base rate, or the first rate, is negative or not finite.
    """
    clock = clock_given(clock)
    spec = counted(parse(spec), clock)
    if step is not None:
        step = updates_taken(step)
        check_begin(spec, step)
    if isinstance(optimizer, Mapping):
        optimizer = Optimizers(**optimizer)
    if base != "any" and not (spec.is_state or step):
        check_optimizer(spec, optimizer)
    kind = torch_class(type(spec.schedule))
    scheduler = kind.__new__(kind)
    if spec.is_state:
        live = recounted(spec, clock) if clock is not None else spec
        bases = group_rates(optimizer)
        state = agreed(spec, in_optimizer(live, optimizer), bases, on_change)
        scheduler._construct_from(optimizer, bases, state, on_change)
    elif step:
        state, targets = begin_at(spec, optimizer, step, base)
        bases = group_rates(optimizer)
        scheduler._construct_from(optimizer, bases, state, on_change, targets)
        # An optimizer's state without base numbers may have been saved at any rate.
        scheduler._survives_optimizer_load = True
    else:
        targets = setter_for(optimizer, spec)
        scheduler._construct_new(optimizer, spec.schedule, targets=targets)
        scheduler._origin = spec.origin
    scheduler._on_change = on_change
    if only_if_stepped:
        scheduler._step_only_if_stepped()
    return scheduler


def torch_class(model: type[Schedule]) -> type[ScheduleLR]:
    """The torch scheduler class of a kind, made on the first call.

    For a plugin's kind, the class has the last part of the kind's name. It is imported and pickled
    by the full name: ``olm.train.schedulers.acme.Rex``.

    >>> from olm.kinds.constant import Constant
    >>> print(torch_class(Constant).__name__)
    ConstantLR
    """
    if model not in CLASSES:
        kind = model.model_fields["kind"].default
        summary = (model.__doc__ or kind).splitlines()[0]
        doc = f"{summary}\n\nThe torch scheduler of `{model.__module__}.{model.__name__}`."
        space = {"__doc__": doc, "__module__": "olm.train.schedulers", "__qualname__": kind}
        name = kind.rpartition(".")[2]
        new_class(name, (ScheduleLR,), {"model": model}, lambda namespace: namespace.update(space))
    return CLASSES[model]
