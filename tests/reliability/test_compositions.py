"""Sequences and products, nested and odd. Row 3."""

import math

import pytest
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    ExponentialLR,
    LRScheduler,
    MultiplicativeLR,
    OneCycleLR,
    SequentialLR,
)

import olm
from failures import after, raised, still
from training import BASES, EXAMPLES, optimizer_of, rates_of, trained, wanted


def torchs(makers, milestones):
    """Torch's sequence of what some functions make of an optimizer with the rate 1."""
    optimizer = optimizer_of(1.0)
    return SequentialLR(optimizer, [make(optimizer) for make in makers], milestones)


def flat(factor):
    return lambda optimizer: ConstantLR(optimizer, factor, 99)


def halves(optimizer):
    return SequentialLR(optimizer, [flat(0.5)(optimizer), flat(0.2)(optimizer)], [2])


def held(factor):
    return {"kind": "HoldLR", "factor": factor}


def sequence(*parts, milestones):
    return {"kind": "SequentialLR", "schedulers": [*parts], "milestones": [*milestones]}


def first_rates(document, steps):
    scheduler = olm.build(document, optimizer_of(1.0))
    return [rate for (rate,) in trained(scheduler, steps)]


def first_of(scheduler, steps):
    return [rate for (rate,) in trained(scheduler, steps)]


@pytest.mark.reliability("3a")
def test_a_sequence_starts_at_its_first_part_and_changes_at_the_milestone():
    """SequentialLR of torch long started with the wrong part (#67586, #72874; fixed since)."""
    fall = {"kind": "ExponentialLR", "gamma": 0.5}
    assert first_rates(sequence(held(0.1), fall, milestones=[2]), 4) == [0.1, 0.1, 1.0, 0.5]
    assert first_rates(sequence(held(0.1), fall, milestones=[1]), 3) == [0.1, 1.0, 0.5]
    for _ in range(2):
        scheduler = after(sequence(held(0.1), fall, milestones=[2]), 2, 1.0, 0.5)
        assert scheduler.get_last_lr() == rates_of(scheduler.optimizer) == [1.0, 0.5]


@pytest.mark.reliability("3b")
def test_a_sequence_in_a_sequence_is_where_it_should_be_from_the_first_step_on():
    """A nested SequentialLR of torch is one step ahead, and its constructor warns (#196243)."""
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        theirs = torchs([halves], [])
    still("the second part comes a step early", first_of(theirs, 3) == [0.5, 0.2, 0.2])

    inner = sequence(held(0.5), held(0.2), milestones=[2])
    # Every warning is an error in these tests.
    assert first_rates(sequence(inner, milestones=[]), 4) == [0.5, 0.5, 0.2, 0.2]
    deep = sequence(held(1.0), sequence(inner, held(0.1), milestones=[3]), milestones=[1])
    assert first_rates(deep, 6) == [1.0, 0.5, 0.5, 0.2, 0.1, 0.1]


@pytest.mark.reliability("3b")
def test_a_composition_may_be_a_later_part():
    """SequentialLR of torch raises when a later part of it is a SequentialLR."""
    theirs = torchs([flat(0.9), halves], [2])
    still("it dies at the milestone", raised(trained, theirs, 5) == "NotImplementedError")

    inner = sequence(held(0.5), held(0.2), milestones=[2])
    for part in (inner, {"kind": "ChainedScheduler", "schedulers": [inner, held(1.0)]}):
        document = sequence(held(0.9), part, milestones=[2])
        assert first_rates(document, 6) == [0.9, 0.9, 0.5, 0.5, 0.2, 0.2]


@pytest.mark.reliability("3b")
def test_a_product_in_a_sequence_is_not_a_step_ahead():
    """In SequentialLR of torch, a ChainedScheduler is one step ahead."""
    parts = [lambda it: ChainedScheduler([ExponentialLR(it, 0.5)], it), flat(0.1)]
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        theirs = torchs(parts, [3])
    still("the first rate is that of step 1", first_of(theirs, 2) == [0.5, 0.25])

    product = {"kind": "ChainedScheduler", "schedulers": [{"kind": "ExponentialLR", "gamma": 0.5}]}
    document = sequence(product, held(0.1), milestones=[3])
    assert first_rates(document, 5) == [1.0, 0.5, 0.25, 0.1, 0.1]


@pytest.mark.reliability("3c")
def test_a_part_starts_at_its_first_step_and_does_not_affect_the_others():
    """In SequentialLR of torch, a OneCycleLR changes the rates of all other parts."""
    theirs = torchs(
        [flat(0.5), lambda it: OneCycleLR(it, 0.1, total_steps=10, cycle_momentum=False)], [2]
    )
    still("the first part starts at 0.002", first_of(theirs, 1) == [0.002])
    fading = torchs([lambda it: ExponentialLR(it, 0.5), lambda it: MultiplicativeLR(it, int)], [2])
    still("MultiplicativeLR goes on from what it finds", first_of(fading, 3)[2] < 1.0)

    cycle = {"kind": "OneCycleLR", "max_lr": 0.1, "total_steps": 10}
    rates = first_rates(sequence(held(0.5), cycle, milestones=[2]), 12)
    assert rates == [0.5, 0.5, *first_rates(cycle, 10)]
    fall = {"kind": "ExponentialLR", "gamma": 0.5}
    again = sequence(fall, {**fall, "gamma": 0.9}, milestones=[2])
    assert first_rates(again, 4) == [1.0, 0.5, 1.0, 0.9]


@pytest.mark.reliability("3d")
@pytest.mark.parametrize("milestones", [[5, 2], [-3, 2], [True, 4], [math.nan, 4], [2.5, 4]])
def test_milestones_that_do_not_ascend_or_are_not_steps_are_rejected(milestones):
    """SequentialLR of torch accepts descending, negative or fractional milestones, True, nan."""
    parts = [flat(0.5), lambda it: ExponentialLR(it, 0.9), flat(0.1)]
    still(f"it runs with {milestones}", raised(trained, torchs(parts, milestones), 7) == "nothing")

    document = sequence(held(0.5), held(0.9), held(0.1), milestones=milestones)
    with pytest.raises(olm.SpecError, match="milestones"):
        olm.build(document, optimizer := optimizer_of(0.5))
    assert "initial_lr" not in optimizer.param_groups[0]


@pytest.mark.reliability("3e")
@pytest.mark.parametrize("steps", [0, 1, 3, 4, 5, 6, 12])
def test_a_sequence_is_built_at_any_step(steps):
    """SequentialLR of torch with last_epoch=N counts from N with the rate of step 0 (#162591)."""
    optimizer = optimizer_of(1.0)
    optimizer.param_groups[0]["initial_lr"] = 1.0
    parts = [ExponentialLR(optimizer, 0.9), ExponentialLR(optimizer, 0.5)]
    theirs = SequentialLR(optimizer, parts, [5], last_epoch=2)
    still("it has the rate of step 0", (theirs.last_epoch, rates_of(optimizer)) == (3, [1.0]))

    fall = {"kind": "ExponentialLR", "gamma": 0.9}
    document = sequence(fall, {**fall, "gamma": 0.5}, milestones=[5])
    optimizer = optimizer_of(1.0)
    optimizer.param_groups[0]["initial_lr"] = 1.0
    by_number = olm.train.schedulers.SequentialLR(
        optimizer, document["schedulers"], document["milestones"], last_epoch=steps - 1
    )
    by_state = olm.build(after(document, steps, 1.0).state_dict(), optimizer_of(1.0))
    for scheduler in (by_number, by_state):
        assert scheduler.last_epoch == steps
        assert trained(scheduler, 9) == wanted(document, 9, (1.0,), start=steps)


@pytest.mark.reliability("3f")
@pytest.mark.parametrize("document", EXAMPLES)
def test_every_scheduler_has_the_attributes_and_methods_of_torchs_base(document):
    """SequentialLR of torch has no base_lrs, no _step_count and no get_lr() (#132745)."""
    theirs, chained = torchs([flat(0.5)], []), ChainedScheduler([flat(0.5)(optimizer_of(1.0))])
    still("a sequence has no base_lrs", not hasattr(theirs, "base_lrs"))
    still("it has no get_lr", raised(theirs.get_lr) == "NotImplementedError")
    still("its step() takes nothing", raised(theirs.step, 3) == "TypeError")
    still("a product has no last_epoch", not hasattr(chained, "last_epoch"))

    ours = olm.build(document, optimizer_of(*BASES))
    assert isinstance(ours, LRScheduler)
    assert (ours.base_lrs, ours.last_epoch, ours._step_count) == (list(BASES), 0, 1)
    assert ours.get_lr() == ours.get_last_lr() == rates_of(ours.optimizer)
    trained(ours, 3)
    assert (ours.last_epoch, ours._step_count) == (3, 4)
    if not ours.schedule.metric_driven:
        with pytest.raises(olm.OlmError, match=r"step\(\) takes no epoch"):
            ours.step(3)
