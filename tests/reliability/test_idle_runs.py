"""Runs that go on although their rates no longer change as intended: one warning, once."""

import copy

import pytest
import torch

import olm
from failures import LINEAR, after, still
from training import optimizer_of, trained

PLATEAU = {"kind": "ReduceLROnPlateau", "patience": 1}


def sequence(warmup_steps, *parts, last=()):
    milestones = [warmup_steps, *last]
    warmup = {"kind": "WarmupLR", "warmup_steps": warmup_steps}
    return {"kind": "SequentialLR", "schedulers": [warmup, *parts], "milestones": milestones}


@pytest.mark.reliability("9c")
def test_a_run_that_goes_on_after_its_end_at_a_rate_of_0_is_warned_once(caplog):
    """A finished run is resumed under the same numbers, and trains at a rate of 0 (kohya#954)."""
    theirs = optimizer_of(1.0)
    scheduler = torch.optim.lr_scheduler.LinearLR(theirs, 1.0, 0.0, total_iters=10)
    trained(scheduler, 20)
    still("torch trains on at a rate of 0", scheduler.get_last_lr() == [0.0])

    scheduler = after(LINEAR, 10, 1.0)
    assert not caplog.messages
    trained(scheduler, 20)
    assert caplog.messages == [
        "LinearLR is over since step 10, but the run goes on at a rate of 0, which trains nothing: "
        'to train longer, raise total_steps and resume with on_change="spec"'
    ]


@pytest.mark.reliability("9c")
@pytest.mark.parametrize("steps", [10, 15])
def test_a_run_that_is_resumed_at_its_end_is_warned_at_the_next_step(caplog, steps):
    """A finished run is resumed and trains nothing, without a message (LLaMA-Factory#7476)."""
    state = after(LINEAR, steps, 1.0).state_dict()
    for resumed in (olm.build(state, optimizer_of(1.0)), after(LINEAR, 0, 1.0)):
        caplog.clear()
        resumed.load_state_dict(state)
        assert not caplog.messages
        trained(resumed, 3)
        assert len(caplog.messages) == 1


@pytest.mark.reliability("9c")
@pytest.mark.parametrize(
    "document",
    [
        LINEAR | {"end_lr": 0.1},
        {"kind": "ConstantLR"},
        {"kind": "CosineAnnealingLR", "T_max": 10, "eta_min": 0.1},
        sequence(5, {"kind": "ConstantLR"}),
    ],
)
def test_a_run_whose_rate_is_above_0_after_its_end_is_not_warned(caplog, document):
    """No library tells a rate that holds from a rate of 0 at which nothing is trained."""
    after(document, 30, 1.0)
    # A base rate of 0 is intended.
    after(document, 30, 0.0)
    assert not caplog.messages


@pytest.mark.reliability("9c")
def test_the_end_of_a_composition_is_the_end_of_its_last_part(caplog):
    """A SequentialLR of torch, too, trains on at a rate of 0 without a message."""
    scheduler = after(sequence(5, LINEAR), 15, 1.0)
    assert not caplog.messages
    trained(copy.deepcopy(scheduler), 5)
    assert [text.split(",")[0] for text in caplog.messages] == [
        "SequentialLR is over since step 15"
    ]


@pytest.mark.reliability("17")
@pytest.mark.parametrize(
    ("document", "due"),
    [
        ({"kind": "ChainedScheduler", "schedulers": [PLATEAU, {"kind": "ConstantLR"}]}, 1000),
        (sequence(300, PLATEAU), 1300),
        (sequence(10, PLATEAU, LINEAR | {"end_lr": 0.5}, last=[60]), 71),
    ],
)
def test_a_composition_that_is_driven_by_a_metric_and_observes_none_is_warned_once(
    caplog, document, due
):
    """A trainer never passes a metric to a plateau in a composition: it holds the rate forever."""
    scheduler = after(document, due - 1, 1.0)
    assert not caplog.messages
    trained(scheduler, 500)
    assert caplog.messages == [
        f"{document['kind']} is driven by a metric and has observed none at step {due:,}: call "
        "observe(metric) or step(metric), such as after each validation"
    ]


@pytest.mark.reliability("17")
def test_a_composition_that_has_observed_a_metric_is_not_warned(caplog):
    """A state of torch's SequentialLR does not show whether its plateau has observed a metric."""
    scheduler = after(sequence(2, PLATEAU), 900, 1.0)
    scheduler.observe(1.0)
    trained(scheduler, 200)
    resumed = olm.build(scheduler.state_dict(), optimizer_of(1.0))
    trained(resumed, 200)
    assert not caplog.messages
