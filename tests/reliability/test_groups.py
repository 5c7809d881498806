"""Param groups that are added, removed, replaced or reordered, and rates that are tensors."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from torch.optim import SGD, AdamW

import olm
from failures import LINEAR, after, snapshot, still
from olm.foreign.checkpoints import spec_of, states_of
from training import EXAMPLES, optimizer_of, rates_of, trained, wanted


def late_group(**rates):
    return {"params": [torch.zeros(1, requires_grad=True)], **rates}


@pytest.mark.reliability("6")
def test_the_lr_of_a_late_group_is_its_rate_at_the_current_step():
    """LinearLR of torch takes the live rate of a late group for its base rate."""
    scheduler = after(LINEAR, 5, 1.0)
    scheduler.optimizer.add_param_group(late_group(lr=0.05))
    assert trained(scheduler, 2) == [[0.5, 0.05], *wanted(LINEAR, 1, (1.0, 0.1), start=6)]
    assert scheduler.base_lrs == [1.0, 0.1]
    assert scheduler.optimizer.param_groups[1]["initial_lr"] == 0.1


@pytest.mark.reliability("6")
def test_the_initial_lr_of_a_late_group_is_its_base_rate():
    """Torch adds a late group with an initial_lr, and multiplies what its lr happened to be."""
    scheduler = after(LINEAR, 5, 1.0)
    scheduler.optimizer.add_param_group(late_group(lr=0.3, initial_lr=0.1))
    assert trained(scheduler, 2) == [[0.5, 0.3], *wanted(LINEAR, 1, (1.0, 0.1), start=6)]


@pytest.mark.reliability("6")
def test_a_late_group_with_an_absolute_end_has_the_base_rate_that_gives_its_rate():
    """A late group's rate, taken as its base rate, gives another curve to the same end."""
    scheduler = after({"kind": "LinearLR", "total_steps": 4, "end_lr": 0.2}, 2, 1.0)
    scheduler.optimizer.add_param_group(late_group(lr=0.5))
    assert rates_of(scheduler.optimizer) == [0.6, 0.5]
    assert trained(scheduler, 3)[1:] == [
        [pytest.approx(0.4), pytest.approx(0.35)],
        [pytest.approx(0.2), pytest.approx(0.2)],
    ]
    assert scheduler.base_lrs == [1.0, 0.8]


@pytest.mark.reliability("6")
@pytest.mark.parametrize("lr", [0.0, 0.05])
def test_the_base_rate_of_a_late_group_is_its_lr_where_no_base_rate_gives_it(lr):
    """Where the schedule has come to zero, no base rate gives the rate of a late group."""
    scheduler = after(LINEAR, 10, 1.0)
    scheduler.optimizer.add_param_group(late_group(lr=lr))
    trained(scheduler, 1)
    assert scheduler.base_lrs == [1.0, lr]


@pytest.mark.reliability("6")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_late_group_goes_on_like_one_that_was_there_from_the_start(document):
    """The rate of a late group differs from that of an equal group for the rest of the run."""
    scheduler = after(document, 3, 0.5, 0.25)
    live = scheduler.get_last_lr()[1]
    late = after(document, 3, 0.5)
    late.optimizer.add_param_group(late_group(lr=live))
    trained(scheduler, 9)
    trained(late, 9)
    reached = 0 < live != wanted(document, 1, (0.75,), start=3)[0][0]
    if reached:
        assert late.base_lrs == pytest.approx([0.5, 0.25])
        assert late.get_last_lr() == pytest.approx(scheduler.get_last_lr())


@pytest.mark.reliability("6")
def test_a_removed_group_is_noticed_if_another_one_was_added():
    """Torch counts the groups: one removed and one added go unnoticed."""
    scheduler = after(LINEAR, 1, 0.4, 0.2, 0.1)
    optimizer = scheduler.optimizer
    del optimizer.param_groups[1]
    optimizer.add_param_group(late_group(lr=0.05))
    rates = rates_of(optimizer)
    with pytest.raises(olm.StateError, match=r"param_groups\[1\] was removed"):
        scheduler.step()
    assert (scheduler.last_epoch, rates_of(optimizer)) == (1, rates)


@pytest.mark.reliability("6")
def test_reordered_groups_keep_their_base_rates():
    """Torch assigns rates by position: reordered groups exchange their rates."""
    scheduler = after(LINEAR, 1, 0.4, 0.2, 0.1)
    scheduler.optimizer.param_groups.reverse()
    scheduler.step()
    assert rates_of(scheduler.optimizer) == [0.1 * 0.8, 0.2 * 0.8, 0.4 * 0.8]
    assert scheduler.state_dict()["base_lrs"] == [0.1, 0.2, 0.4]


@pytest.mark.reliability("6")
def test_a_group_is_the_same_after_the_optimizer_has_loaded_a_state_or_lists_were_replaced():
    """An optimizer that loads a state has new groups, which are none that were added."""
    scheduler = after(LINEAR, 1, 0.4, 0.2)
    optimizer = scheduler.optimizer
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    scheduler.step()
    optimizer.param_groups = [
        {**group, "params": list(group["params"])} for group in optimizer.param_groups
    ]
    scheduler.step()
    assert rates_of(optimizer) == wanted(LINEAR, 1, (0.4, 0.2), start=3)[0]


def integer():
    return torch.tensor(1)


def with_gradient():
    return torch.tensor(0.5, requires_grad=True)


def inference():
    with torch.inference_mode():
        return torch.tensor(0.5)


def meta():
    return torch.tensor(0.5, device="meta")


@pytest.mark.reliability("7")
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (integer, "of torch.int64"),
        (with_gradient, "requires a gradient"),
        (inference, "inference_mode"),
        (meta, "meta device"),
    ],
)
@pytest.mark.parametrize("key", ["lr", "initial_lr"])
def test_a_tensor_that_cannot_be_filled_with_a_rate_is_an_error_before_anything_changes(
    make, why, key
):
    """Torch fills a rate that is an integer tensor with 0, and trains at it."""
    optimizer = optimizer_of(0.5, 0.1)
    optimizer.param_groups[1][key] = make()
    before = [{**group} for group in optimizer.param_groups], {*vars(optimizer)}
    with pytest.raises(olm.RateError, match=rf"param_groups\[1\]: {key} is a tensor .*{why}"):
        olm.build(LINEAR, optimizer)
    now = [{**group} for group in optimizer.param_groups]
    assert all(now[i][name] is before[0][i][name] for i in range(2) for name in now[i])
    assert [{*group} for group in now] == [{*group} for group in before[0]]
    assert {*vars(optimizer)} == before[1]


@pytest.mark.reliability("7")
def test_a_base_rate_that_a_tensor_cannot_hold_is_an_error_when_it_is_built():
    """A rate above what float16 holds is infinite in the optimizer."""
    optimizer = optimizer_of(0.5, torch.tensor(0.5, dtype=torch.float16), make=AdamW)
    optimizer.param_groups[1]["initial_lr"] = 1e5
    with pytest.raises(olm.RateError, match=r"param_groups\[1\]: lr .*float16 holds at most 65504"):
        olm.build(LINEAR, optimizer)
    assert [float(rate) for rate in rates_of(optimizer)] == [0.5, 0.5]
    assert "initial_lr" not in optimizer.param_groups[0]


RISE = {"kind": "RampLR", "total_steps": 1, "end_lr": 1.0e5}


@pytest.mark.reliability("2b")
@pytest.mark.parametrize(
    ("document", "bases"),
    [
        (RISE, (0.5, torch.tensor(0.5, dtype=torch.float16))),
        (
            {"kind": "ExponentialLR", "gamma": 1e20},
            (torch.tensor(1e60, dtype=torch.float64), torch.tensor(1e20), torch.tensor(1e15)),
        ),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_a_rate_that_a_tensor_cannot_hold_is_an_error_before_any_group_is_written(
    document, bases, late
):
    """A rate that one tensor cannot hold stops a step of torch between two groups."""
    optimizer = optimizer_of(*map(float, bases) if late else bases, make=AdamW)
    scheduler = olm.build(document, optimizer)
    if late:
        for group, base in zip(optimizer.param_groups, bases, strict=True):
            group["lr"] = base
    optimizer.step()
    before = snapshot(scheduler)
    with pytest.raises(olm.RateError, match="holds at most"):
        scheduler.step()
    assert snapshot(scheduler) == before


@pytest.mark.reliability("2b")
def test_a_state_whose_rates_a_tensor_cannot_hold_changes_nothing():
    """A state whose rates one tensor cannot hold is loaded by torch in half."""
    make = partial(SGD, [torch.zeros(1)])
    state = {**olm.build(LINEAR, make(lr=1e5)).state_dict(), "last_epoch": 3}
    tensor = torch.tensor(0.5, dtype=torch.float16)
    scheduler = olm.build(LINEAR, make(lr=tensor))
    before = snapshot(scheduler)
    with pytest.raises(olm.RateError, match="holds at most"):
        scheduler.load_state_dict(state, on_change="checkpoint")
    assert snapshot(scheduler) == before
    with pytest.raises(olm.RateError, match="holds at most"):
        olm.build(state, optimizer := make(lr=tensor), on_change="checkpoint")
    assert "initial_lr" not in optimizer.param_groups[0]


def scaled(key, *scales, **rates):
    """An optimizer whose param groups have scales."""
    return SGD([late_group(**{key: scale}, **rates) for scale in scales], lr=1.0)


@pytest.mark.reliability("6")
@pytest.mark.parametrize(("key", "scale"), [("lr_scale", 0.5), ("lr_mult", np.float32(0.5))])
@pytest.mark.parametrize("state", [{}, after(LINEAR, 0, 1.0, 1.0).state_dict()])
def test_the_scale_of_a_param_group_multiplies_its_rates_floors_included(key, scale, state):
    """Schedulers of torch ignore timm's lr_scale: layers train at 100 times their rate."""
    torch_scheduler = torch.optim.lr_scheduler.LambdaLR(scaled(key, 1.0, 0.5), lambda step: 1.0)
    still("torch ignores the scale", torch_scheduler.get_last_lr() == [1.0, 1.0])
    scheduler = olm.build(state or LINEAR, scaled(key, 1.0, scale))
    assert trained(scheduler, 3) == [[1.0, 0.5], [0.9, 0.45], [0.8, 0.4]]
    assert scheduler.base_lrs == [1.0, 1.0]
    floor = {"kind": "HoldLR", "fixed_lr": 0.2}
    assert rates_of(olm.build(floor, scaled(key, 1.0, scale)).optimizer) == [0.2, 0.1]


@pytest.mark.reliability("6")
def test_the_scale_of_a_late_or_a_loaded_group_counts_from_the_next_step():
    """A group that is added late, or an optimizer's state, brings a scale that torch ignores."""
    scheduler = after(LINEAR, 5, 1.0)
    scheduler.optimizer.add_param_group(late_group(lr=0.3, initial_lr=1.0, lr_scale=0.5))
    trained(scheduler, 1)
    assert rates_of(scheduler.optimizer) == [0.4, 0.2]
    scheduler = after(LINEAR, 5, 1.0)
    scheduler.optimizer.add_param_group(late_group(lr=0.2, lr_scale=0.5))
    trained(scheduler, 1)
    assert scheduler.base_lrs == [1.0, 0.8]
    assert rates_of(scheduler.optimizer) == [0.4, pytest.approx(0.16)]
    scheduler = after(LINEAR, 5, 1.0, 1.0)
    scheduler.optimizer.load_state_dict(scaled("lr_scale", 1.0, 0.5).state_dict())
    trained(scheduler, 1)
    assert rates_of(scheduler.optimizer) == [0.4, 0.2]


@pytest.mark.reliability("6")
def test_a_scale_that_changes_nothing_is_accepted():
    """A scale of 1, or a scale that the rates of mmpretrain's groups have already, is sound."""
    olm.build(LINEAR, scaled("lr_mult", 1, 1.0, torch.tensor(1.0)))
    groups = [late_group(lr=1e-3 * scale, lr_scale=scale) for scale in (1.0, 0.75, 0.75**12)]
    scheduler = olm.build(LINEAR, SGD(groups))
    trained(scheduler, 3)
    scheduler.optimizer.load_state_dict(scheduler.optimizer.state_dict())
    trained(scheduler, 1)
    assert rates_of(scheduler.optimizer) == wanted(LINEAR, 1, scheduler.base_lrs, start=4)[0]
    # mmengine's custom keys: the scale is beside the rate of one group only.
    groups = [late_group(lr=0.1), late_group(lr=0.2), late_group(lr=0.05, lr_mult=0.5)]
    olm.build(LINEAR, SGD(groups))


@pytest.mark.reliability("6")
def test_a_checkpoint_of_scaled_groups_is_not_read_as_one_of_equal_groups():
    """A state of torch's scheduler beside scaled groups lacks the scales with which it trained."""
    optimizer = scaled("lr_scale", 1.0, 0.5)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    saved = {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
    [state] = states_of(saved)
    with pytest.raises(
        olm.StateError, match=r"the optimizer's param groups have scales, which torch"
    ):
        spec_of(state)
