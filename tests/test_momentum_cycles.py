"""States of torch's cycles that set the momentum too, for documents with a target for it."""

import copy

import pytest
import torch
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR

import olm

MOMENTUM = {
    "kind": "PhasesLR",
    "lengths": [299, 700],
    "schedulers": [
        {"kind": "RampLR", "total_steps": 299, "ease": "cosine", "start_factor": 0.95}
        | {"end_factor": 0.85},
        {"kind": "RampLR", "total_steps": 700, "ease": "cosine", "start_factor": 0.85}
        | {"end_factor": 0.95},
    ],
}
ONE = {"kind": "OneCycleLR", "max_lr": 0.1, "total_steps": 1000}
"""The cycle of recipe 4.4."""
MANY = {"kind": "CyclicLR", "base_lr": 0.01, "max_lr": 0.1, "step_size_up": 20}


def sgd(groups=1):
    return SGD([{"params": [torch.zeros(1)]} for _ in range(groups)], lr=0.1, momentum=0.9)


def adamw():
    return AdamW([torch.zeros(1)], lr=0.1)


def stepped(scheduler, steps):
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
    return scheduler


def document(root, key, momentum):
    return {**root, "also": [{"set": key, "base": 1.0, "schedule": momentum}]}


def numbers(optimizer):
    (group,) = optimizer.param_groups
    return group["lr"], group["betas"][0] if "betas" in group else group["momentum"]


@pytest.mark.parametrize(("make", "key"), [(sgd, "momentum"), (adamw, "betas[0]")])
@pytest.mark.parametrize("steps", [1, 299, 400, 998])
def test_one_cycle_goes_on_with_the_momentum_in_the_groups_of_the_optimizer(make, key, steps):
    theirs = stepped(OneCycleLR(make(), 0.1, total_steps=1000), steps)
    ours = olm.build(document(ONE, key, MOMENTUM), make())
    ours.optimizer.load_state_dict(copy.deepcopy(theirs.optimizer.state_dict()))
    ours.load_state_dict(theirs.state_dict())
    assert ours.last_epoch == steps
    for _ in range(min(50, 999 - steps)):
        assert numbers(ours.optimizer) == pytest.approx(numbers(theirs.optimizer), abs=1e-11)
        stepped(theirs, 1), stepped(ours, 1)


@pytest.mark.parametrize(("make", "key"), [(sgd, "momentum"), (adamw, "betas[0]")])
@pytest.mark.parametrize("mode", ["triangular", "triangular2"])
def test_a_cycle_goes_on_with_the_momentum_in_its_state(make, key, mode):
    theirs = stepped(CyclicLR(make(), 0.01, 0.1, step_size_up=20, mode=mode), 50)
    momentum = {**MANY, "base_lr": 0.9, "max_lr": 0.8, "mode": mode}
    ours = olm.build(document({**MANY, "mode": mode}, key, momentum), make())
    ours.load_state_dict(theirs.state_dict())
    for _ in range(50):
        assert numbers(ours.optimizer) == pytest.approx(numbers(theirs.optimizer), abs=1e-12)
        stepped(theirs, 1), stepped(ours, 1)


def test_another_momentum_is_an_error_that_names_both_and_the_step():
    theirs = stepped(CyclicLR(sgd(), 0.01, 0.1, step_size_up=20, base_momentum=0.7), 5)
    momentum = {**MANY, "base_lr": 0.9, "max_lr": 0.8}
    ours = olm.build(document(MANY, "momentum", momentum), sgd())
    before = ours.state_dict(), numbers(ours.optimizer)
    with pytest.raises(olm.StateError) as error:
        ours.load_state_dict(theirs.state_dict())
    assert str(error.value) == (
        "cycle_momentum: at step 1 the momentum is 0.89 by the checkpoint, from base_momentum 0.7 "
        "to max_momentum 0.9, and 0.895 by this scheduler\n"
        'to go on with this scheduler\'s, from step 5 on: on_change="spec"'
    )
    assert (ours.state_dict(), numbers(ours.optimizer)) == before


def test_one_cycle_whose_momentum_is_nowhere_is_an_error_that_says_where_it_is():
    theirs = stepped(OneCycleLR(sgd(), 0.1, total_steps=1000), 5)
    ours = olm.build(document(ONE, "momentum", MOMENTUM), sgd())
    with pytest.raises(olm.StateError, match="load the optimizer's state first, whose param"):
        ours.load_state_dict(theirs.state_dict())


def test_a_cycle_of_the_momentum_without_a_target_is_an_error():
    theirs = stepped(CyclicLR(sgd(), 0.01, 0.1, step_size_up=20), 5)
    ours = olm.build(MANY, sgd())
    with pytest.raises(olm.StateError, match="from its base_momentum to its max_momentum"):
        ours.load_state_dict(theirs.state_dict())
