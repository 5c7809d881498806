"""Compositions of schedulers, torch's way: the same as a composition of their schedules."""

import pytest
import torch

import olm
from olm.train import schedulers
from olm.train.schedulers import ConstantLR, LinearLR, SequentialLR, WarmupLR


def sgd(*rates):
    return torch.optim.SGD([{"params": [torch.zeros(1)], "lr": rate} for rate in rates])


def rates_of(scheduler, steps=8):
    rows = []
    for _ in range(steps):
        rows.append([group["lr"] for group in scheduler.optimizer.param_groups])
        scheduler.optimizer.step()
        scheduler.step()
    return rows


COMPOSITIONS = {
    "SequentialLR": lambda parts: {"schedulers": parts, "milestones": [3]},
    "ContinueLR": lambda parts: {"schedulers": parts, "milestones": [3]},
    "PhasesLR": lambda parts: {"schedulers": parts, "lengths": [3, 5]},
    "ChainedScheduler": lambda parts: {"schedulers": parts},
    "MinimumLR": lambda parts: {"schedulers": parts},
    "MaximumLR": lambda parts: {"schedulers": parts},
    "RepeatLR": lambda parts: {"scheduler": parts[0], "period": 3},
    "TimeLR": lambda parts: {"scheduler": parts[1], "every": 2},
}


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_a_composition_of_schedulers_is_that_of_their_schedules(kind):
    fields, made = COMPOSITIONS[kind], getattr(schedulers, kind)
    optimizer = sgd(0.5, 0.1)
    # Each has set the rates of its own step 0.
    parts = [WarmupLR(optimizer, 3), LinearLR(optimizer, 5, end_lr=0.01)]
    built = made(optimizer, **fields(parts))
    expected = made(sgd(0.5, 0.1), **fields([part.schedule for part in parts]))
    assert built.schedule == expected.schedule
    assert built.base_lrs == expected.base_lrs == [0.5, 0.1]
    assert rates_of(built) == rates_of(expected)
    assert built.state_dict() == expected.state_dict()


def test_a_sequence_of_schedulers_has_the_rates_of_torch():
    theirs, ours = sgd(0.5), sgd(0.5)
    lib = torch.optim.lr_scheduler
    parts = [lib.ConstantLR(theirs, 0.25, 3), lib.ExponentialLR(theirs, 0.9)]
    expected = rates_of(lib.SequentialLR(theirs, parts, milestones=[3]))
    mine = [ConstantLR(ours, 0.25, 3), schedulers.ExponentialLR(ours, 0.9)]
    assert rates_of(SequentialLR(ours, mine, [3])) == [pytest.approx(row) for row in expected]


def test_compositions_may_be_nested_and_mixed_with_mappings():
    optimizer = sgd(0.5)
    inner = SequentialLR(optimizer, [WarmupLR(optimizer, 2), {"kind": "HoldLR"}], [2])
    outer = SequentialLR(optimizer, [inner, LinearLR(optimizer, 4)], milestones=[4])
    assert [child.kind for child in outer.schedule.schedulers] == ["SequentialLR", "LinearLR"]
    assert rates_of(outer)[:3] == [[0.25], [0.5], [0.5]]


def test_a_scheduler_of_torch_is_refused_with_the_class_that_would_do():
    optimizer = sgd(0.5)
    theirs = torch.optim.lr_scheduler.ConstantLR(optimizer)
    message = (
        r"^schedulers\[0\] of SequentialLR is torch's ConstantLR, which has no schedule: use "
        "olm.train.schedulers.ConstantLR, or a mapping with the key `kind`$"
    )
    with pytest.raises(olm.OlmError, match=message):
        SequentialLR(optimizer, [theirs], [])
    lambdas = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    with pytest.raises(olm.OlmError, match=r"use a class of olm\.train\.schedulers, or"):
        schedulers.RepeatLR(optimizer, lambdas, 3)


def test_a_scheduler_of_another_optimizer_is_refused():
    optimizer = sgd(0.5)
    parts = [LinearLR(optimizer, 4), LinearLR(sgd(0.5), 4)]
    with pytest.raises(olm.OlmError, match=r"^schedulers\[1\] of ChainedScheduler sets another"):
        schedulers.ChainedScheduler(optimizer, parts)


def test_a_scheduler_with_targets_is_refused():
    target = {"set": "weight_decay", "schedule": {"kind": "HoldLR"}}
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5, weight_decay=0.1)
    part = olm.build({"kind": "HoldLR", "also": [target]}, optimizer)
    with pytest.raises(olm.OlmError, match="has targets besides the learning rate: write the"):
        SequentialLR(optimizer, [part], [])
