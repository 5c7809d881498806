"""From a spec and an optimizer to a scheduler, and from a kind to its torch class."""

from __future__ import annotations

from collections.abc import Mapping
from types import new_class
from typing import Any

from torch.optim import Optimizer

from olm.schedule.clock import Clock
from olm.schedule.schedule import Schedule
from olm.spec.agreement import OnChange, agreed
from olm.spec.spec import Spec, parse
from olm.train.schedulers.counted import again, counted
from olm.train.schedulers.groups import group_rates
from olm.train.schedulers.schedule_lr import CLASSES, ScheduleLR


def build(
    spec: Spec | Schedule | Mapping[str, Any],
    optimizer: Optimizer,
    *,
    clock: Clock | None = None,
    on_change: OnChange = "error",
    only_if_stepped: bool = False,
) -> ScheduleLR:
    """The torch scheduler of a spec; of a state, one that stands where the state does.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    >>> scheduler = build({"kind": "LinearLR", "total_steps": 4}, optimizer)
    >>> type(scheduler).__name__, scheduler.get_last_lr()
    ('LinearLR', [0.5])

    Args:
        spec: a Spec, a Schedule, or a mapping that says one, such as a ``state_dict()``.
        optimizer: the optimizer whose rates are set. Nothing of it is touched before all is
            validated.
        clock: what the run is, if the spec has durations. It wins over the spec's own, which says
            what this one does not; where they differ, that is logged.
        on_change: what to do if the base rates of a state are not the optimizer's, or its durations
            are other numbers of steps by this clock: raise an ``"error"``, go on with the
            ``"checkpoint"``'s, or with the new ones, ``"spec"``. The scheduler keeps to it when a
            state is loaded later, as trainers do.
        only_if_stepped: whether ``step()`` advances only if the optimizer has stepped since the
            last one: with GradScaler, which leaves steps out, and in loops over micro-batches.

    Raises:
        SpecError: the spec is not valid, or has durations that no clock counts.
        StateError: the state is of other base rates, of another number of param groups, or of a run
            of another length.
        RateError: a base rate, or the first rate, is negative or not finite.
    """
    spec = counted(parse(spec), clock)
    kind = torch_class(type(spec.schedule))
    scheduler = kind.__new__(kind)
    if spec.is_state:
        live = again(spec, clock) if clock is not None else spec
        bases = group_rates(optimizer)
        state = agreed(spec, live, bases, on_change)
        scheduler._construct_from(optimizer, bases, state, on_change)
    else:
        ScheduleLR.__init__(scheduler, optimizer, spec.schedule)
        scheduler._durations = spec.durations
    scheduler._on_change = on_change
    if only_if_stepped:
        scheduler._wait_for_the_optimizer()
    return scheduler


def torch_class(model: type[Schedule]) -> type[ScheduleLR]:
    """The torch scheduler class of a kind, made when it is first asked for.

    That of a plugin's kind is called by the last word of its name, and is found, pickles too, by
    the whole of it: ``olm.train.schedulers.acme.Rex``.

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
