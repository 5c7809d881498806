"""The numbers of targets that torch's optimizers would refuse somewhere in the run."""

from __future__ import annotations

from collections.abc import Iterator

from olm.checking.lint._subject import Subject, steps_between
from olm.problem import Problem
from olm.spec.hyperparameters import LR, check_range


def out_of_range(subject: Subject) -> Iterator[Problem]:
    """Each hyperparameter that is too large at a step of the run, for each known base number.

    Without a known base, every number that a group may have must lead to one that is too large.
    """
    for inner in subject.of_targets():
        target = inner.target
        number = target.set if target is not None else None
        if number in (None, LR) or not check_range(number or "", 1.0):
            continue
        schedule = inner.schedule
        last = inner.total_steps or schedule.holds_from() or schedule.ends_at() or 0
        steps = steps_between(schedule, 0, last)
        rates = inner.rates(schedule, steps)
        beyond = rates >= 1
        for step, row, numbers in zip(steps, beyond, rates, strict=True):
            if row.any() if inner.known_bases else row.all():
                text = f"{number} would be {numbers.max():g} at step {step:,}: it must be below 1"
                yield Problem("range", text, inner.place)
                break
