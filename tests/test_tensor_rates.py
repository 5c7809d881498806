"""Rates that are tensors: a single one is filled, several by one copy."""

import copy
import pickle

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

import olm
from olm.train.schedulers import rate_setter
from olm.train.schedulers.stacked_rates import ENOUGH
from training import advance, optimizer_of, rates_of, trained

COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": 50}
FEW = ENOUGH["cpu"] - 1
TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


def bases_of(groups):
    return [0.1 * (1 + index / groups) for index in range(groups)]


def tensors_of(groups, dtype=torch.float32, shape=()):
    return [torch.full(shape, base, dtype=dtype) for base in bases_of(groups)]


def live(scheduler):
    return [group["lr"] for group in scheduler.optimizer.param_groups]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("groups", [1, FEW, ENOUGH["cpu"], 300])
def test_every_tensor_stays_and_has_the_bits_that_filling_it_gives(groups, shape, dtype):
    tensors = tensors_of(groups, dtype, shape)
    scheduler = olm.build(COSINE, optimizer_of(*tensors))
    for _ in range(40):
        rates = scheduler.get_last_lr()
        expected = [torch.empty(shape, dtype=dtype).fill_(rate) for rate in rates]
        assert all(map(torch.equal, live(scheduler), expected))
        assert all(now is tensor for now, tensor in zip(live(scheduler), tensors, strict=True))
        scheduler.optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("groups", [2, 20])
@pytest.mark.parametrize("change", ["another tensor", "another type", "a float", "an array of two"])
def test_a_rate_that_is_replaced_between_steps_is_followed(groups, change):
    scheduler = olm.build(COSINE, optimizer_of(*tensors_of(groups)))
    trained(scheduler, 5)
    new = {
        "another tensor": torch.tensor(0.5),
        "another type": torch.tensor(0.5, dtype=torch.float64),
        "a float": 0.5,
        "an array of two": torch.tensor([0.5, 0.5]),
    }[change]
    old = live(scheduler)[1]
    before = old.clone()
    scheduler.optimizer.param_groups[1]["lr"] = new
    for _ in range(2):
        scheduler.optimizer.step()
        scheduler.step()
    rate = scheduler.get_last_lr()[1]
    now = live(scheduler)[1]
    assert torch.equal(old, before)
    if change == "a float":
        assert now == rate
    else:
        assert now is new
        assert torch.equal(now, torch.full_like(now, rate))
    assert live(scheduler)[0] == torch.tensor(scheduler.get_last_lr()[0])


@pytest.mark.parametrize("groups", [1, 3, 20])
@pytest.mark.parametrize("floats", [False, True])
def test_new_tensors_in_all_groups_are_checked_once(groups, floats, monkeypatch):
    bases = bases_of(groups)
    scheduler = olm.build(COSINE, optimizer_of(*(bases if floats else tensors_of(groups))))
    trained(scheduler, 5)
    checks = []
    check = rate_setter.check_groups
    monkeypatch.setattr(rate_setter, "check_groups", lambda now: checks.append(check(now)))
    for number in (1, 2):
        new = tensors_of(groups)
        for group, tensor in zip(scheduler.optimizer.param_groups, new, strict=True):
            group["lr"] = tensor
        trained(scheduler, 3)
        assert all(now is tensor for now, tensor in zip(live(scheduler), new, strict=True))
        assert rates_of(scheduler.optimizer) == pytest.approx(scheduler.get_last_lr(), rel=1e-6)
        assert len(checks) == number


@pytest.mark.parametrize("groups", [1, 2, 20])
def test_a_float_may_replace_a_tensor_for_a_while(groups):
    tensors = tensors_of(groups)
    scheduler = olm.build(COSINE, optimizer_of(*tensors))
    trained(scheduler, 5)
    scheduler.optimizer.param_groups[0]["lr"] = 0.5
    trained(scheduler, 3)
    assert live(scheduler)[0] == scheduler.get_last_lr()[0]
    scheduler.optimizer.param_groups[0]["lr"] = tensors[0]
    trained(scheduler, 3)
    assert live(scheduler)[0] is tensors[0]
    assert rates_of(scheduler.optimizer) == pytest.approx(scheduler.get_last_lr(), rel=1e-6)


@pytest.mark.parametrize("groups", [1, 2, 20])
@pytest.mark.parametrize("change", ["a group is added", "a state is loaded"])
def test_tensors_are_filled_after_the_groups_have_changed(groups, change):
    scheduler = olm.build(COSINE, optimizer_of(*tensors_of(groups)))
    trained(scheduler, 5)
    optimizer = scheduler.optimizer
    old = live(scheduler)[0]
    if change == "a group is added":
        new = {"params": [torch.zeros(1)], "lr": torch.tensor(0.3), "initial_lr": 0.3}
        optimizer.add_param_group(new)
    else:
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    trained(scheduler, 3)
    assert (live(scheduler)[0] is old) == (change == "a group is added")
    assert len(scheduler.get_last_lr()) == len(optimizer.param_groups)
    assert rates_of(optimizer) == pytest.approx(scheduler.get_last_lr(), rel=1e-6)


@pytest.mark.parametrize("groups", [3, 20])
@pytest.mark.parametrize("floats", [False, True])
def test_a_tensor_of_whole_numbers_in_place_of_a_rate_is_refused(groups, floats):
    bases = bases_of(groups)
    scheduler = olm.build(COSINE, optimizer_of(*(bases if floats else tensors_of(groups))))
    trained(scheduler, 5)
    scheduler.optimizer.param_groups[2]["lr"] = torch.tensor(1)
    before = [float(lr) for lr in live(scheduler)]
    with pytest.raises(olm.RateError, match=r"param_groups\[2\]: lr is a tensor of torch.int64"):
        scheduler.step()
    assert [float(lr) for lr in live(scheduler)] == before
    assert scheduler.last_epoch == 5


@pytest.mark.parametrize("groups", [3, 20])
def test_no_tensor_changes_if_one_cannot_hold_its_rate(groups):
    rising = {"kind": "LinearLR", "total_steps": 10, "end_lr": 1e5}
    tensors = tensors_of(groups)
    tensors[2] = tensors[2].to(torch.float16)
    scheduler = olm.build(rising, optimizer_of(*tensors))
    trained(scheduler, 6)
    before = [tensor.clone() for tensor in tensors]
    with pytest.raises(olm.RateError, match=r"param_groups\[2\].*at most 65504"):
        scheduler.step()
    assert all(map(torch.equal, tensors, before))
    assert scheduler.last_epoch == 6


@pytest.mark.parametrize("groups", [1, 2, 20])
@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_fills_the_tensors_of_its_own_optimizer(again, groups):
    scheduler = olm.build(COSINE, optimizer_of(*tensors_of(groups)))
    trained(scheduler, 5)
    twin = again(scheduler)
    before = [tensor.clone() for tensor in live(scheduler)]
    trained(twin, 5)
    assert all(map(torch.equal, live(scheduler), before))
    trained(scheduler, 5)
    assert all(map(torch.equal, live(scheduler), live(twin)))


def test_steps_in_inference_mode_and_outside_of_it_take_turns():
    scheduler = olm.build(COSINE, optimizer_of(*tensors_of(20)))
    scheduler.optimizer.step()
    for step in range(1, 9):
        with torch.inference_mode(step % 2 == 1):
            advance(scheduler)
        rates = torch.tensor(scheduler.get_last_lr())
        assert torch.equal(torch.stack(live(scheduler)), rates)


def operations(scheduler):
    """The operations of a step of a scheduler: those that Python calls, and all of them."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        scheduler.step()
    events = [event for event in profiled.events() if event.name.startswith("aten::")]
    return [event.name for event in events if event.cpu_parent is None], {e.name for e in events}


@pytest.mark.parametrize(("groups", "most"), [(1, 1), (FEW, FEW), (ENOUGH["cpu"], 1), (1000, 1)])
def test_a_step_calls_few_operations_and_reads_nothing_back_from_a_device(groups, most):
    scheduler = olm.build(COSINE, optimizer_of(*tensors_of(groups)))
    trained(scheduler, 5)
    called, names = operations(scheduler)
    assert 1 <= len(called) <= most, called
    assert not names & {"aten::item", "aten::_local_scalar_dense", "aten::is_nonzero"}
