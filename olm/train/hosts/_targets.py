"""What hosts check and observe of a document's targets besides the rate of the root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim.lr_scheduler import ReduceLROnPlateau

from olm.problem import OlmError, listed
from olm.spec.spec import Spec
from olm.spec.targets import Target, assign
from olm.train.hosts._beginning import unwrapped
from olm.train.schedulers.group_names import names_of
from olm.train.schedulers.schedule_lr import ScheduleLR


def targets_of(scheduler: Any) -> tuple[Target, ...]:
    """The targets of a scheduler; none for a scheduler of torch."""
    if not isinstance(scheduler, ScheduleLR) or scheduler._targets is None:
        return ()
    return scheduler._targets.also


def labels(also: tuple[Target, ...]) -> str:
    """What targets set, for messages."""
    return listed((target.label for target in also), "and")


def driven(document: Spec | ScheduleLR) -> str | None:
    """What the metric of the host drives: a kind or a target. None if it drives nothing."""
    if document.schedule.metric_driven:
        return document.schedule.kind
    also = document.also if isinstance(document, Spec) else targets_of(document)
    driven = (target for target in also if target.curve.metric_driven and target.metric is None)
    return next((f"the schedule of {target.label}" for target in driven), None)


def observe(scheduler: ScheduleLR, metrics: Mapping[str, Any], monitor: str | None) -> None:
    """Pass the monitored metric, and those that targets name, to a scheduler.

    Args:
        scheduler: the scheduler.
        metrics: the metrics of an evaluation by name.
        monitor: the name of the metric that needs no target to name it.

    Raises:
        OlmError: a metric is missing; the error lists those that there are.
    """
    names = sorted({target.metric for target in targets_of(scheduler) if target.metric})
    if missing := [name for name in names if name not in metrics]:
        raise OlmError(
            f"there is no metric {listed(missing)}, which a target observes, found "
            f"{listed(metrics) or 'none'}"
        )
    if monitor is not None or names:
        named = {name: metrics[name] for name in names}
        scheduler.observe(None if monitor is None else metrics[monitor], **named)


def check_steps(scheduler: ScheduleLR, host: str) -> None:
    """Refuse a plateau with targets where the host steps it only with its metric.

    Raises:
        OlmError: the targets would move once per evaluation, and their schedules count steps.
    """
    if isinstance(scheduler, ReduceLROnPlateau) and (also := targets_of(scheduler)):
        raise OlmError(
            f"{host} steps a ReduceLROnPlateau only when it has a metric, but {labels(also)} "
            "must be set at every step: write {kind: ChainedScheduler, schedulers: "
            "[{kind: ReduceLROnPlateau}]}"
        )


def check_one_optimizer(spec: Spec, count: int, host: str) -> None:
    """Refuse targets of some param groups where a host builds a scheduler for each optimizer.

    Raises:
        OlmError: a target names param groups, which only some of the optimizers may have.
    """
    named = tuple(target for target in spec.also if target.groups)
    if named and count > 1:
        raise OlmError(
            f"{host} builds a scheduler for each of {count:,} optimizers, and those without such "
            f"param groups would drop {labels(named)}: use one optimizer, or no groups"
        )


def check_covered(spec: Spec, optimizer: Any, host: str) -> None:
    """Refuse targets whose param groups the document lists and this optimizer lacks.

    They may be added later, but where a host builds a scheduler for each optimizer, another one is
    more likely to have them.

    Raises:
        OlmError: a target would set nothing. It names the targets.
    """
    listed_names = spec.group_names
    assignment = assign(spec.also, names_of(unwrapped(optimizer), listed_names), listed_names)
    dropped = tuple(
        target
        for index, target in enumerate(spec.also)
        if target.groups and not assignment.groups_of(index)
    )
    # `build` reports names that the document does not list, with a suggestion.
    if dropped and not assignment.problems:
        raise OlmError(
            f"{host} builds a scheduler for each optimizer, and this one has no param groups for "
            f"{labels(dropped)}: write a document for each optimizer"
        )
