"""Resuming: who wins, in which order, and how often. Rows 1, 8 and 10."""

import copy
import math
from itertools import permutations

import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    OneCycleLR,
    StepLR,
)

import olm
from failures import LINEAR, after, raised, snapshot, still
from olm.train import schedulers
from training import BASES, EXAMPLES, optimizer_of, rates_of, trained, wanted

COSINE = {"kind": "CosineAnnealingLR", "T_max": 10}
CYCLE = {"kind": "CyclicLR", "base_lr": 0.1, "max_lr": 1.0, "step_size_up": 5}
ONE_CYCLE = {"kind": "OneCycleLR", "max_lr": 0.1, "total_steps": 20}


@pytest.mark.reliability("1a")
def test_a_new_length_is_compared_with_the_checkpoint_and_rejected():
    """In torch, the T_max of a checkpoint silently replaces the new one (#52911, #29697)."""
    old, live = CosineAnnealingLR(optimizer_of(0.5), 10), CosineAnnealingLR(optimizer_of(0.5), 20)
    trained(old, 4)
    live.load_state_dict(old.state_dict())
    rates = [rate for (rate,) in trained(live, 20)]
    still("torch's cosine has the checkpoint's length", live.T_max == 10)
    still("it rises again before the new end", rates[10] > rates[6] == 0.0)

    longer = after({**COSINE, "T_max": 20}, 0)
    before = snapshot(longer)
    with pytest.raises(olm.StateError, match="T_max: the checkpoint has 10, this scheduler 20"):
        longer.load_state_dict(after(COSINE, 4).state_dict())
    assert snapshot(longer) == before


@pytest.mark.reliability("1a")
def test_the_checkpoint_or_the_spec_wins_on_request():
    """In torch, a longer OneCycleLR raises at the old end (#52911, Lightning#19865)."""
    old, live = (
        OneCycleLR(optimizer_of(0.5), 0.1, total_steps=total, cycle_momentum=False)
        for total in (20, 40)
    )
    trained(old, 4)
    live.load_state_dict(old.state_dict())
    still("torch's cycle ends where the checkpoint's did", raised(trained, live, 30) != "nothing")

    state = after(ONE_CYCLE, 4).state_dict()
    longer = {**ONE_CYCLE, "total_steps": 40}
    for on_change, document in (("checkpoint", ONE_CYCLE), ("spec", longer)):
        live = after(longer, 0)
        live.load_state_dict(state, on_change=on_change)
        assert trained(live, 50) == wanted(document, 50, (0.5,), start=4)


@pytest.mark.reliability("1b")
def test_the_same_change_is_rejected_for_every_class():
    """With LambdaLR, as in transformers, the new length silently wins (HF#27749, #34053)."""
    old, live = (
        LambdaLR(optimizer_of(1.0), lambda step, total=total: 1 - step / total)
        for total in (10, 20)
    )
    trained(old, 5)
    live.load_state_dict(old.state_dict())
    live.optimizer.step()
    live.step()
    still("the new lambda goes on, from the old step", rates_of(live.optimizer) == [0.7])

    for document, length in (
        (LINEAR, "total_steps"),
        (COSINE, "T_max"),
        (ONE_CYCLE, "total_steps"),
    ):
        with pytest.raises(
            olm.StateError, match=f"{length}: the checkpoint has {document[length]}"
        ):
            after({**document, length: 30}, 0).load_state_dict(after(document, 5).state_dict())


@pytest.mark.reliability("1b")
def test_a_changed_base_rate_or_shape_is_rejected_like_a_length():
    """Transformers resumes a linear schedule as a cosine, with the old learning rate."""
    old, live = (
        LambdaLR(optimizer_of(1.0), lambda step: 1 - step / 10),
        LambdaLR(optimizer_of(0.3), lambda step: math.cos(step / 20)),
    )
    trained(old, 5)
    live.load_state_dict(old.state_dict())
    still("its state says nothing of the shape", live.last_epoch == 5)
    still("the new base rate is gone", live.base_lrs == [1.0])

    state = after(LINEAR, 5, 1.0).state_dict()
    with pytest.raises(olm.StateError, match="kind: the checkpoint has LinearLR, this scheduler C"):
        after(COSINE, 0, 1.0).load_state_dict(state)
    with pytest.raises(olm.StateError, match=r"base_lrs\[0\]: the checkpoint has 1.0, .* 0.3"):
        after(LINEAR, 0, 0.3).load_state_dict(state)


@pytest.mark.reliability("1c")
@pytest.mark.parametrize("document", EXAMPLES)
@pytest.mark.parametrize("on_change", ["error", "checkpoint", "spec"])
def test_loading_a_state_repeatedly_changes_nothing(document, on_change):
    """Loading in Megatron is a step forward: loading a state twice doubles the step."""
    state = after(document, 7, *BASES).state_dict()
    live = after(document, 11, *BASES)
    for _ in range(3):
        live.load_state_dict(state, on_change=on_change)
        assert live.last_epoch == 7
        assert live.state_dict() == state
        assert [rates_of(live.optimizer)] == wanted(document, 1, start=7)


@pytest.mark.reliability("1d")
def test_loading_does_not_change_the_state_of_the_caller():
    """CyclicLR of torch removes a key from the caller's state: the second load raises."""
    theirs = CyclicLR(optimizer_of(0.5), 0.1, 1.0, 5, cycle_momentum=False)
    state = theirs.state_dict()
    theirs.load_state_dict(state)
    still("the second load is a KeyError", raised(theirs.load_state_dict, state) == "KeyError")

    state = after(CYCLE, 3).state_dict()
    given = copy.deepcopy(state)
    for on_change in ("error", "checkpoint", "spec", "error"):
        after(CYCLE, 0).load_state_dict(state, on_change=on_change)
        assert state == given


@pytest.mark.reliability("8")
def test_a_run_resumed_at_a_boundary_drops_once():
    """Resumed by last_epoch at a boundary, StepLR of torch drops twice (#60265)."""
    old = StepLR(optimizer_of(0.5), 2, 0.5)
    trained(old, 2)
    optimizer = optimizer_of(0.5)
    optimizer.load_state_dict(old.optimizer.state_dict())
    again = StepLR(optimizer, 2, 0.5, last_epoch=1)
    still("the rate has fallen twice", (again.last_epoch, rates_of(optimizer)) == (2, [0.125]))

    document = {"kind": "StepLR", "step_size": 2, "gamma": 0.5}
    for steps in range(7):
        ours = after(document, steps)
        optimizer = optimizer_of(0.5)
        optimizer.load_state_dict(ours.optimizer.state_dict())
        assert trained(olm.build(ours.state_dict(), optimizer), 9) == wanted(
            document, 9, (0.5,), start=steps
        )


@pytest.mark.reliability("8")
@pytest.mark.parametrize("odd", [-2, 1.5, True, math.nan, "3", None])
def test_an_invalid_last_epoch_is_rejected(odd):
    """Torch starts at a last_epoch of -2, 1.5, True or nan as if they were steps."""
    theirs, ours = optimizer_of(0.5), optimizer_of(0.5)
    for optimizer in (theirs, ours):
        optimizer.param_groups[0]["initial_lr"] = 0.5
    if isinstance(odd, float | int):
        outcome = raised(CosineAnnealingLR, theirs, 10, 0.0, odd)
        still(f"torch takes {odd} for a step", outcome == "nothing")
    with pytest.raises(olm.OlmError, match="last_epoch must be a whole number of at least -1"):
        schedulers.CosineAnnealingLR(ours, 10, last_epoch=odd)
    assert not hasattr(ours.step, "_wrapped_by_lr_sched")


@pytest.mark.reliability("8")
def test_a_second_run_on_the_same_optimizer_reports_its_base_rate():
    """A second torch scheduler on an optimizer silently ignores the new rate."""
    optimizer = optimizer_of(0.5)
    trained(StepLR(optimizer, 1), 3)
    optimizer.param_groups[0]["lr"] = 0.2
    still("the new one has the old base rate", CosineAnnealingLR(optimizer, 10).base_lrs == [0.5])

    optimizer = after(LINEAR, 3).optimizer
    second = olm.build(COSINE, optimizer)
    assert (second.base_lrs, rates_of(optimizer)) == ([0.5], [0.5])
    optimizer.param_groups[0]["initial_lr"] = 0.2
    third = olm.build(COSINE, optimizer)
    assert (third.base_lrs, rates_of(optimizer)) == ([0.2], [0.2])


ORDERS = [
    order
    for order in permutations(["build", "optimizer", "scheduler"])
    if order.index("build") < order.index("scheduler")
] + [("build", "scheduler"), ("build", "scheduler", "optimizer", "scheduler")]


def resumed(order, make, old):
    """The scheduler that `make` builds, after the acts of an order, from what `old` says."""
    optimizer, scheduler = optimizer_of(*BASES), None
    for act in order:
        if act == "build":
            scheduler = make(optimizer)
        elif act == "optimizer":
            optimizer.load_state_dict(copy.deepcopy(old.optimizer.state_dict()))
        else:
            scheduler.load_state_dict(copy.deepcopy(old.state_dict()))
    return scheduler


@pytest.mark.reliability("10")
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.parametrize(
    ("document", "make"),
    [
        ({"kind": "LinearFactorLR", "start_factor": 0.2, "total_iters": 10}, "linear"),
        ({"kind": "ExponentialLR", "gamma": 0.9}, "exponential"),
    ],
    ids=["linear", "exponential"],
)
def test_any_order_of_loading_is_correct_unlike_in_torch(document, make, order):
    """In torch, a scheduler built after its optimizer was loaded stays wrong forever (#119168)."""

    def torchs(optimizer):
        if make == "linear":
            return LinearLR(optimizer, 0.2, total_iters=10)
        return ExponentialLR(optimizer, 0.9)

    theirs = torchs(optimizer_of(*BASES))
    trained(theirs, 4)
    again = trained(resumed(order, torchs, theirs), 6)
    if make == "linear" and order != ("build", "scheduler", "optimizer", "scheduler"):
        right = order in (("build", "optimizer", "scheduler"), ("build", "scheduler", "optimizer"))
        still(f"{order} is {'right' if right else 'wrong'}", (again == trained(theirs, 6)) == right)

    ours = after(document, 4, *BASES)
    scheduler = resumed(order, lambda optimizer: olm.build(document, optimizer), ours)
    assert trained(scheduler, 20) == wanted(document, 20, start=4)


@pytest.mark.reliability("10")
@pytest.mark.parametrize("document", EXAMPLES)
def test_loading_the_scheduler_alone_sets_the_rates_at_once(document):
    """With only a scheduler state, the next step of every torch class is wrong (#65342)."""
    theirs = CosineAnnealingLR(optimizer_of(0.5), 10)
    trained(theirs, 4)
    again = CosineAnnealingLR(optimizer_of(0.5), 10)
    again.load_state_dict(theirs.state_dict())
    still("the rate is that of step 0", rates_of(again.optimizer) == [0.5])

    live = after(document, 0, *BASES)
    live.load_state_dict(after(document, 7, *BASES).state_dict())
    assert [rates_of(live.optimizer)] == wanted(document, 1, start=7)
    assert [group["initial_lr"] for group in live.optimizer.param_groups] == list(BASES)


@pytest.mark.reliability("10")
def test_a_new_rate_that_was_chosen_survives_loading_the_optimizer():
    """In torch, the state of the optimizer overwrites a new learning rate."""
    theirs = CosineAnnealingLR(optimizer_of(0.5), 10)
    trained(theirs, 4)
    optimizer = optimizer_of(0.2)
    optimizer.load_state_dict(theirs.optimizer.state_dict())
    still("the new base rate is gone", CosineAnnealingLR(optimizer, 10).base_lrs == [0.5])

    old = after(COSINE, 4)
    live = olm.build(COSINE, optimizer_of(0.2))
    live.load_state_dict(old.state_dict(), on_change="spec")
    live.optimizer.load_state_dict(old.optimizer.state_dict())
    assert trained(live, 10) == wanted(COSINE, 10, (0.2,), start=4)
    assert isinstance(live.optimizer, torch.optim.SGD)


@pytest.mark.reliability("14c")
def test_a_state_that_a_trainer_passes_to_the_wrong_scheduler_is_rejected():
    """Lightning matches states by position: an ExponentialLR loads the state of a StepLR."""
    theirs = ExponentialLR(optimizer_of(0.5), 0.9)
    theirs.load_state_dict(StepLR(optimizer_of(0.5), 2, 0.5).state_dict())
    still("it has the other's gamma", theirs.gamma == 0.5)

    step = {"kind": "StepLR", "step_size": 2, "gamma": 0.5}
    fall = {"kind": "ExponentialLR", "gamma": 0.9}
    ours = after(fall, 1)
    before = snapshot(ours)
    for on_change in ("error", "checkpoint"):
        with pytest.raises(olm.StateError, match="kind: the checkpoint has StepLR, this scheduler"):
            ours.load_state_dict(after(step, 4).state_dict(), on_change=on_change)
        assert snapshot(ours) == before
