"""Two schedulers on one optimizer. Each would overwrite the rates of the other."""

import copy
import gc

import pytest
import torch
from torch.optim.lr_scheduler import ChainedScheduler, SequentialLR

import olm
from failures import still
from training import optimizer_of, rates_of, trained

WARMUP = {"kind": "WarmupLR", "warmup_steps": 4}
DECAY = {"kind": "LinearLR", "total_steps": 10}


def pair(optimizer):
    return olm.build(WARMUP, optimizer), olm.build(DECAY, optimizer)


@pytest.mark.reliability("16")
def test_two_schedulers_that_take_turns_are_an_error_that_names_both():
    """Of two schedulers, the one that steps last sets the rate; the other reports its own."""
    theirs = optimizer_of(1.0)
    product = [
        torch.optim.lr_scheduler.LinearLR(theirs, 0.25, total_iters=3),
        torch.optim.lr_scheduler.StepLR(theirs, 2, 0.5),
    ]
    for _ in range(2):
        theirs.step()
        for scheduler in product:
            scheduler.step()
    still("the rates of torch multiply", rates_of(theirs) == [0.375])

    optimizer = optimizer_of(1.0)
    first, second = pair(optimizer)
    optimizer.step()
    first.step()
    second.step()
    optimizer.step()
    with pytest.raises(olm.OlmError, match=r"LinearLR at step 1, .* of WarmupLR at step 1: "):
        first.step()
    assert (first.last_epoch, rates_of(optimizer)) == (1, [0.9])
    second.step()
    assert rates_of(optimizer) == [0.8]


@pytest.mark.reliability("16")
def test_torchs_chained_scheduler_over_two_schedulers_is_an_error_at_the_second_step():
    """A ChainedScheduler over schedulers that set rates loses the warm-up."""
    optimizer = optimizer_of(1.0)
    chained = ChainedScheduler([*pair(optimizer)], optimizer)
    with pytest.raises(olm.OlmError, match="each overwrites the rates of the other"):
        trained(chained, 3)


@pytest.mark.reliability("16")
def test_a_sequence_of_torch_over_two_schedulers_steps_each_in_its_turn():
    """SequentialLR of torch steps one of its parts at a time, which is no conflict."""
    optimizer = optimizer_of(1.0)
    sequence = SequentialLR(optimizer, [*pair(optimizer)], milestones=[4])
    assert trained(sequence, 7) == [[0.25], [0.5], [0.75], [1.0], [1.0], [0.9], [0.8]]


@pytest.mark.reliability("16")
@pytest.mark.parametrize("how", ["build", "state", "copy"])
def test_a_scheduler_may_replace_another_at_any_step(how):
    """A scheduler that is built again replaces the old one, which then steps as well."""
    old = olm.build(DECAY, optimizer_of(1.0))
    trained(old, 3)
    if how == "copy":
        new = copy.copy(old)
    else:
        new = olm.build(DECAY if how == "build" else old.state_dict(), old.optimizer)
    if how == "build":
        new.load_state_dict(old.state_dict())
    assert trained(new, 2) == [[0.7], [0.6]]
    with pytest.raises(olm.OlmError, match="LinearLR at step 5"):
        old.step()
    old.load_state_dict(new.state_dict())
    assert trained(old, 2) == [[0.5], [0.4]]


@pytest.mark.reliability("16")
def test_a_scheduler_that_was_dropped_is_no_other_scheduler():
    """A scheduler that is no longer used may have stepped once."""
    first, second = pair(optimizer_of(1.0))
    trained(first, 1)
    trained(second, 1)
    del second
    gc.collect()
    assert trained(first, 2) == [[0.9], [0.75]]


@pytest.mark.reliability("16")
def test_two_schedulers_of_two_optimizers_do_not_affect_each_other():
    """A GAN steps two optimizers in turns, each with its scheduler."""
    first, second = olm.build(DECAY, optimizer_of(1.0)), olm.build(DECAY, optimizer_of(0.5))
    for scheduler in (first, second, first, second):
        scheduler.optimizer.step()
        scheduler.step()
    assert (rates_of(first.optimizer), rates_of(second.optimizer)) == ([0.8], [0.4])
