"""Branches of runs: the parent's state at one step is a state of the branch, and no other is."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import olm
from olm.problem import SpecError, StateError
from olm.train.hosts.dcp import SchedulerState
from strategies import schedules
from training import optimizer_of, rates_of, trained

BASES = (0.8, 0.1, 0.0)
RUN = {"kind": "CosineAnnealingLR", "T_max": 100, "eta_min": 0.05}
HOLD = {"kind": "HoldLR"}
DOWN = {"kind": "RampLR", "total_steps": 20}


def state_at(spec, step, bases=BASES, **options):
    scheduler = olm.build(spec, optimizer_of(*bases), **options)
    trained(scheduler, step)
    return scheduler.state_dict()


def branch_of(state, *parts, milestones):
    """A branch by hand, in the mapping of a spec."""
    run = olm.parse(state).schedule.model_dump(mode="json")
    parent = {"digest": state["digest"], "step": state["last_epoch"]}
    lists = {"schedulers": [run, *parts], "milestones": milestones}
    return {"kind": "ContinueLR", **lists, "parent": parent}


STATE = state_at(RUN, 40)
BRANCH = branch_of(STATE, HOLD, DOWN, milestones=[40, 60])


def test_the_state_of_the_parent_loads_without_on_change_and_the_rates_continue():
    scheduler = olm.build(BRANCH, optimizer_of(*BASES))
    scheduler.load_state_dict(STATE)
    assert scheduler.last_epoch == 40
    reached = olm.parse(RUN).lr([40] * 3, BASES).tolist()
    assert rates_of(scheduler.optimizer) == reached
    rates = np.array(trained(scheduler, 60))
    assert (rates[:21] == reached).all()
    assert rates[30] == pytest.approx(np.array(reached) / 2)
    assert rates_of(scheduler.optimizer) == [0.0] * 3


def test_a_state_of_the_branch_keeps_its_parent_and_resumes_the_branch():
    scheduler = olm.build(BRANCH, optimizer_of(*BASES))
    scheduler.load_state_dict(STATE)
    trained(scheduler, 7)
    state = scheduler.state_dict()
    assert state["parent"] == BRANCH["parent"]
    assert state["digest"] != STATE["digest"]
    for again in (olm.build(state, optimizer_of(*BASES)), olm.build(BRANCH, optimizer_of(*BASES))):
        again.load_state_dict(state)
        assert again.state_dict() == state
        again.load_state_dict(STATE)
        assert again.last_epoch == 40


def test_the_state_of_the_parent_also_loads_as_one_leaf_of_a_distributed_checkpoint():
    saved = SchedulerState(olm.build(STATE, optimizer_of(*BASES))).state_dict()
    scheduler = olm.build(BRANCH, optimizer_of(*BASES))
    SchedulerState(scheduler).load_state_dict(saved)
    assert scheduler.last_epoch == 40
    assert scheduler.schedule.kind == "ContinueLR"


def test_a_state_of_the_scheduler_of_torch_can_be_the_parent():
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer_of(*BASES), 100, 0.05)
    for _ in range(40):
        theirs.optimizer.step()
        theirs.step()
    scheduler = olm.build(BRANCH, optimizer_of(*BASES))
    scheduler.load_state_dict(theirs.state_dict())
    assert scheduler.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=1e-11)


def refusal(scheduler, state, **options):
    before = scheduler.state_dict(), rates_of(scheduler.optimizer)
    with pytest.raises(StateError) as raised:
        scheduler.load_state_dict(state, **options)
    assert (scheduler.state_dict(), rates_of(scheduler.optimizer)) == before
    return str(raised.value)


def test_another_step_of_the_parent_is_refused_by_name():
    scheduler = olm.build(BRANCH, optimizer_of(*BASES))
    message = refusal(scheduler, state_at(RUN, 41))
    assert message == (
        "this state is at step 41 of the run that this schedule branches from at step 40: load "
        "that run's state at step 40, or write a branch from this state with `olm branch`; to "
        'continue with this schedule at step 41: on_change="spec"'
    )
    scheduler.load_state_dict(state_at(RUN, 41), on_change="spec")
    assert scheduler.last_epoch == 41


def test_a_state_of_another_run_is_refused():
    scheduler = olm.build(BRANCH, optimizer_of(*BASES))
    other = state_at({**RUN, "T_max": 101}, 40)
    assert refusal(scheduler, other) == (
        "kind: the checkpoint has CosineAnnealingLR, this scheduler ContinueLR"
    )


def test_base_rates_of_the_parent_are_compared():
    scheduler = olm.build(BRANCH, optimizer_of(0.8, 0.1, 0.2))
    assert "base_lrs[2]: the checkpoint has 0.0, this scheduler 0.2" in refusal(scheduler, STATE)
    scheduler.load_state_dict(STATE, on_change="checkpoint")
    assert scheduler.state_dict()["base_lrs"] == [*BASES]
    assert scheduler.schedule.kind == "ContinueLR"
    few = olm.build(BRANCH, optimizer_of(0.8))
    assert "the checkpoint has 3 param groups, this optimizer 1" in refusal(few, STATE)


def test_a_branch_remembers_the_metrics_of_its_parent():
    """The digest does not cover them: they come from the state, whatever the spec has."""
    plateau = {"kind": "ReduceLROnPlateau", "patience": 0, "factor": 0.5}
    scheduler = olm.build(plateau, optimizer_of(0.8))
    for metric in (1.0, 2.0, 3.0):
        scheduler.step(metric)
    state = scheduler.state_dict()
    branch = {**branch_of(state, HOLD, milestones=[3]), "schedulers": [plateau, HOLD]}
    continued = olm.build(branch, optimizer_of(0.8))
    continued.load_state_dict(state)
    assert continued.get_last_lr() == scheduler.get_last_lr() == [0.2]


def test_targets_continue_with_the_own_numbers_of_the_parent_and_its_memory():
    decay = {"kind": "LinearLR", "total_steps": 100}
    target = {"set": "weight_decay", "schedule": decay}
    run = {**RUN, "also": [target, {"value": "ema", "schedule": decay}]}
    optimizer = optimizer_of(0.8, 0.1)
    optimizer.param_groups[0]["weight_decay"] = 0.5
    scheduler = olm.build(run, optimizer)
    trained(scheduler, 40)
    state = scheduler.state_dict()
    held = {"kind": "ContinueLR", "schedulers": [decay, HOLD], "milestones": [40]}
    also = [{**target, "schedule": held}, run["also"][1]]
    branch = {**branch_of(STATE, HOLD, milestones=[40]), "also": also}
    branch["parent"] = {"digest": state["digest"], "step": 40}
    other = optimizer_of(0.8, 0.1)
    other.param_groups[0]["weight_decay"] = 0.5
    continued = olm.build(branch, other)
    continued.load_state_dict(state)
    trained(continued, 10)
    assert [group["weight_decay"] for group in other.param_groups] == [0.3, 0.0]
    assert continued.values() == {"ema": 0.5}
    unlike = olm.build(branch, optimizer_of(0.8, 0.1))
    assert "weight_decay: bases[0] (#0): the checkpoint has 0.5" in refusal(unlike, state)


def test_the_durations_of_the_parent_are_known_and_are_not_converted_again():
    run = {"kind": "LinearLR", "total_steps": "100%"}
    state = state_at(run, 40, clock={"total_steps": 100})
    branch = branch_of(state, HOLD, {**DOWN, "total_steps": "rest"}, milestones=[40, "90%"])
    branch["durations"] = [["schedulers[0].total_steps", "100%"]]
    scheduler = olm.build(branch, optimizer_of(*BASES), clock={"total_steps": 200})
    scheduler.load_state_dict(state)
    saved = scheduler.state_dict()
    assert saved["durations"] == [
        ["schedulers[0].total_steps", "100%"],
        ["milestones[1]", "90%"],
        ["schedulers[2].total_steps", "rest"],
    ]
    again = olm.build(saved, optimizer_of(*BASES), clock={"total_steps": 200})
    assert again.state_dict() == saved
    with pytest.raises(
        StateError, match=r"milestones\[1\]: the checkpoint has 180, this sch.* 270"
    ):
        olm.build(saved, optimizer_of(*BASES), clock={"total_steps": 300})


@settings(max_examples=25, deadline=None)
@given(schedules(depth=2), st.integers(1, 40))
def test_the_rate_of_any_parent_continues_to_the_bit(run, step):
    state = olm.Spec.trusted(run, last_epoch=step, base_lrs=BASES).model_dump()
    try:
        parent = olm.build(state, optimizer_of(*BASES))
    except olm.RateError:
        return
    branch = olm.build(branch_of(state, HOLD, milestones=[step]), optimizer_of(*BASES))
    branch.load_state_dict(state)
    assert branch.get_last_lr() == parent.get_last_lr()
    branch.optimizer.step()
    branch.step()
    assert branch.get_last_lr() == parent.get_last_lr()


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        (1, "parent must be a mapping with digest and step, found 1"),
        ({"digest": STATE["digest"]}, "a parent needs the field `step`"),
        ({"digest": STATE["digest"], "step": 0}, "step must be at least 1, found 0"),
        ({"digest": "40", "step": 40}, "must be `sha256:` and 64 hexadecimal digits, found the"),
        ({**BRANCH["parent"], "stop": 1}, "a parent has no field `stop`"),
    ],
)
def test_an_invalid_parent_is_an_error(parent, message):
    with pytest.raises(SpecError) as raised:
        olm.parse({**BRANCH, "parent": parent})
    assert message in str(raised.value)
