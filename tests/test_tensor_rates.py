"""Rates that are tensors: filled one by one where they are few, by one copy where they are many."""

import copy
import pickle

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

import olm
from olm.train.schedulers.stacked_rates import ENOUGH
from training import advance, optimizer_of, trained

COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": 50}
TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


def bases_of(groups):
    return [0.1 * (1 + index / groups) for index in range(groups)]


def tensors_of(groups, dtype=torch.float32, shape=()):
    return [torch.full(shape, base, dtype=dtype) for base in bases_of(groups)]


def live(scheduler):
    return [group["lr"] for group in scheduler.optimizer.param_groups]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("groups", [1, ENOUGH - 1, ENOUGH, 300])
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


@pytest.mark.parametrize("change", ["another tensor", "another type", "a float", "an array of two"])
def test_a_rate_that_is_replaced_between_steps_is_followed(change):
    scheduler = olm.build(COSINE, optimizer_of(*tensors_of(20)))
    trained(scheduler, 5)
    new = {
        "another tensor": torch.tensor(0.5),
        "another type": torch.tensor(0.5, dtype=torch.float64),
        "a float": 0.5,
        "an array of two": torch.tensor([0.5, 0.5]),
    }[change]
    old = live(scheduler)[7]
    before = old.clone()
    scheduler.optimizer.param_groups[7]["lr"] = new
    for _ in range(2):
        scheduler.optimizer.step()
        scheduler.step()
    rate = scheduler.get_last_lr()[7]
    now = live(scheduler)[7]
    assert torch.equal(old, before)
    if change == "a float":
        assert now == rate
    else:
        assert now is new
        assert torch.equal(now, torch.full_like(now, rate))
    assert live(scheduler)[6] == torch.tensor(scheduler.get_last_lr()[6])


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


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_fills_the_tensors_of_its_own_optimizer(again):
    scheduler = olm.build(COSINE, optimizer_of(*tensors_of(20)))
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


@pytest.mark.parametrize(("groups", "most"), [(1, 1), (ENOUGH - 1, ENOUGH - 1), (1000, 3)])
def test_a_step_calls_few_operations_and_reads_nothing_back_from_a_device(groups, most):
    scheduler = olm.build(COSINE, optimizer_of(*tensors_of(groups)))
    trained(scheduler, 5)
    called, names = operations(scheduler)
    assert 1 <= len(called) <= most, called
    assert not names & {"aten::item", "aten::_local_scalar_dense", "aten::is_nonzero"}
