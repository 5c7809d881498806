"""Branches of runs: the parent's state at one step is a state of the branch, and no other is."""

from copy import deepcopy

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


def reached(state, *groups):
    """The rates of a state's schedule at its step."""
    return olm.parse(state).lr([state["last_epoch"]] * len(groups), groups)


def test_a_branch_holds_its_rate_and_decays_to_the_end_of_the_run():
    spec = olm.branch(STATE, decay="10%", total_steps=1000, end_factor=0.1)
    assert spec.schedule.milestones == (40, 900)
    rates = spec.lr([[40], [899], [900], [950], [1000], [2000]], BASES)
    level = reached(STATE, *BASES)
    shares = np.array([1, 1, 1, 0.55, 0.1, 0.1])[:, None]
    assert rates == pytest.approx(shares * level, rel=1e-12)
    assert spec.parent.model_dump() == {"digest": STATE["digest"], "step": 40}
    assert spec.clock.total_steps == 1000


def test_without_a_length_the_decay_takes_all_steps_that_are_left():
    spec = olm.branch(STATE, total_steps=100, end_lr=0.01, ease="cosine")
    assert spec.schedule.milestones == (40,)
    assert spec.lr([[40], [100]], BASES).tolist() == [reached(STATE, *BASES).tolist(), [0.01] * 3]


def test_a_branch_can_hold_or_follow_its_parent_or_warm_up_again():
    assert set(olm.branch(STATE, hold=True).lr(np.arange(40, 200), 0.8)) == {reached(STATE, 0.8)[0]}
    power = state_at({"kind": "InverseSqrtLR", "warmup_steps": 10}, 40)
    follows = olm.branch(power, follow=True, decay=100, total_steps=1000)
    steps = np.arange(901)
    assert (follows.lr(steps, 0.8) == olm.parse(power).lr(steps, 0.8)).all()
    assert follows.lr(1000, 0.8) == 0.0
    one = state_at(RUN, 40, (0.8, 0.8))
    again = olm.branch(one, warmup=10, decay=10, total_steps=100)
    assert again.lr([50, 89, 90, 100], 0.8).tolist() == [0.8, 0.8, 0.8, 0.0]
    peak = olm.branch(STATE, warmup=10, peak=0.3, hold=True)
    assert peak.lr([[50], [99]], BASES).tolist() == [[0.3] * 3] * 2
    factors = state_at({"kind": "LinearLR", "total_steps": 80}, 40, (0.8, 0.4))
    assert olm.branch(factors, warmup=10, hold=True).lr([60, 60], [0.8, 0.4]).tolist() == [0.8, 0.4]


def test_a_branch_of_a_branch_has_one_list_of_parts():
    """WSD-S: a decay, then up to the rate before it, and another decay."""
    first = olm.branch(state_at(HOLD, 40, (0.5,)), decay=10, total_steps=60)
    decayed = state_at(first, 60, (0.5,))
    again = olm.branch(decayed, warmup=5, decay=20, total_steps=160)
    assert [part.kind for part in again.schedule.schedulers] == [
        *("HoldLR", "HoldLR", "RampLR"),
        *("RampLR", "RampLR"),
    ]
    assert again.schedule.milestones == (40, 50, 60, 140)
    assert again.lr([49, 55, 60, 65, 140, 150, 160], 0.5) == pytest.approx(
        [0.5, 0.25, 0.0, 0.5, 0.5, 0.25, 0.0]
    )
    scheduler = olm.build(again, optimizer_of(0.5))
    scheduler.load_state_dict(decayed)
    early = olm.branch(state_at(first, 45, (0.5,)), hold=True)
    assert early.schedule.milestones == (40, 45)
    at_once = olm.branch(state_at(first, 40, (0.5,)), decay=10, total_steps=60)
    assert at_once.schedule == first.schedule


def test_a_branch_where_a_part_begins_at_another_rate_keeps_that_rate():
    jumps = {"kind": "ContinueLR", "schedulers": [HOLD, {"kind": "HoldLR", "factor": 0.5}]}
    state = state_at({**jumps, "milestones": [40]}, 40, (0.8,))
    spec = olm.branch(state, hold=True)
    assert spec.lr([39, 40, 99], 0.8).tolist() == [0.8, 0.4, 0.4]


@settings(max_examples=25, deadline=None)
@given(schedules(depth=2), st.integers(1, 40), st.sampled_from(["hold", "decay", "late"]))
def test_a_branch_has_the_rates_of_any_parent_up_to_its_step_to_the_bit(run, step, way):
    state = olm.Spec.trusted(run, last_epoch=step, base_lrs=BASES).model_dump()
    ways = {"hold": {"hold": True}, "decay": {}, "late": {"decay": 7}}
    ends = {} if way == "hold" else {"total_steps": step + 10}
    spec = olm.branch(state, **ends, **ways[way])
    steps = np.arange(step + 1)[:, None]
    try:
        rates = run.lr(steps, [*BASES])
    except olm.RateError:
        return
    assert (spec.lr(steps, [*BASES]) == rates).all()
    if ends:
        assert (spec.lr([[step + 10], [step + 99]], [*BASES]) == 0).all()
    assert olm.parse(spec.model_dump()) == spec


def test_targets_of_the_rate_branch_and_others_continue_unless_they_are_named():
    line = {"kind": "LinearLR", "total_steps": 100}
    also = [
        {"set": "lr", "groups": "#1", "schedule": line},
        {"set": "weight_decay", "schedule": line},
        {"value": "ema", "schedule": line},
    ]
    optimizer = optimizer_of(0.8, 0.4)
    scheduler = olm.build({**RUN, "also": also}, optimizer)
    trained(scheduler, 40)
    spec = olm.branch(scheduler.state_dict(), hold=True, also=["ema"])
    kinds = [target.schedule.kind for target in spec.also]
    assert kinds == ["ContinueLR", "LinearLR", "ContinueLR"]
    assert spec.value("ema", [40, 99]).tolist() == [0.6, 0.6]
    continued = olm.build(spec, optimizer_of(0.8, 0.4))
    continued.load_state_dict(scheduler.state_dict())
    trained(continued, 20)
    assert rates_of(continued.optimizer)[1] == 0.4 * 0.6


def test_durations_of_the_parent_are_kept_where_its_parts_are():
    spec = {"kind": "LinearLR", "total_steps": "100%"}
    state = state_at(spec, 40, clock={"total_steps": 100})
    branch = olm.branch(state, decay="10%", total_steps=200)
    assert branch.durations == (("schedulers[0].total_steps", "100%"),)
    again = olm.branch(state_at(branch, 60), hold=True)
    assert again.durations == branch.durations
    assert again.schedule.milestones == (40, 60)


def test_a_decay_in_epochs_or_tokens_is_converted_by_the_clock():
    spec = olm.branch(STATE, decay="2ep", total_steps="8ep", clock={"steps_per_epoch": 50})
    assert spec.schedule.milestones == (40, 300)
    ramp = {"batch_stages": [{"from": 0, "samples": 1}, {"from": 100, "samples": 10}]}
    grown = olm.branch(STATE, decay="100sp", total_steps=200, clock=ramp)
    assert grown.schedule.milestones == (40, 190)


def test_a_branch_of_a_metric_driven_run_is_exact_at_its_step_which_is_reported(caplog):
    scheduler = olm.build({"kind": "ReduceLROnPlateau", "patience": 0}, optimizer_of(0.8))
    for metric in (1.0, 2.0, 3.0):
        scheduler.step(metric)
    spec = olm.branch(scheduler.state_dict(), hold=True)
    assert "its rates are those of the run at step 3 only" in caplog.text
    assert spec.lr([3, 99], 0.8).tolist() == scheduler.get_last_lr() * 2


REFUSED = {
    "give total_steps, at which a decay ends, or hold=True": {},
    "hold and decay contradict each other": {"hold": True, "decay": 3},
    "hold and follow contradict each other": {"hold": True, "follow": True},
    "decay needs total_steps": {"decay": 3},
    "follow needs decay": {"follow": True, "total_steps": 90},
    "follow and warmup contradict": {"follow": True, "warmup": 3, "decay": 3, "total_steps": 90},
    "peak needs warmup": {"peak": 0.1, "total_steps": 90},
    "end_lr and end_factor both": {"end_lr": 0.1, "end_factor": 0.1, "total_steps": 90},
    "must be above the step of the state, 40, found 40": {"total_steps": 40},
    "decay (60) is 60 steps, but from step 40 to total_steps, 90, there are only 50": {
        "decay": 60,
        "total_steps": 90,
    },
    "decay (150%) is longer than the run": {"decay": "150%", "total_steps": 90},
    "decay must be at least 1, found 0": {"decay": 0, "total_steps": 90},
    "decay must be a whole number": {"decay": "soon", "total_steps": 90},
    "decay: 2ep needs a clock with steps_per_epoch": {"decay": "2ep", "total_steps": 90},
    "warmup takes 60 steps, but from step 40": {"warmup": 60, "total_steps": 90},
    "there is no target `ema`: the state has no targets": {"hold": True, "also": ["ema"]},
    "different shares of their base rates": {"hold": True, "warmup": 5},
}


@pytest.mark.parametrize("message", REFUSED)
def test_arguments_that_contradict_each_other_or_the_state_are_refused(message):
    state = state_at(RUN, 40, (0.8, 0.1))
    with pytest.raises(olm.OlmError) as raised:
        olm.branch(state, **REFUSED[message])
    assert message in str(raised.value)


def test_only_a_state_after_a_step_has_branches():
    with pytest.raises(StateError, match="this is a spec, not a state"):
        olm.branch(RUN, hold=True)
    for step in (-1, 0):
        with pytest.raises(StateError, match=f"the state is at step {step}: no step was taken"):
            olm.branch({**STATE, "last_epoch": step}, hold=True)


def test_a_model_is_trained_branched_decayed_and_resumed(tmp_path):
    """A checkpoint of a real training is branched without on_change, and killed and resumed."""

    def training():
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 1)
        return model, torch.optim.AdamW(model.parameters(), lr=0.05)

    def train(model, optimizer, scheduler, until):
        for step in range(scheduler.last_epoch, until):
            data = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
            optimizer.zero_grad()
            (model(data) - data.sum(1, keepdim=True)).square().mean().backward()
            optimizer.step()
            scheduler.step()

    def load(scheduler, saved, model, optimizer):
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        scheduler.load_state_dict(saved["scheduler"])

    def save(model, optimizer, scheduler):
        parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
        torch.save({name: part.state_dict() for name, part in parts.items()}, tmp_path / "saved.pt")
        return torch.load(tmp_path / "saved.pt", weights_only=True)

    model, optimizer = training()
    run = olm.build({"kind": "WarmupLR", "warmup_steps": 5}, optimizer)
    train(model, optimizer, run, 30)
    parent = save(model, optimizer, run)
    spec = olm.branch(parent["scheduler"], decay="25%", total_steps=40)

    def branched(*stops):
        saved = deepcopy(parent)  # an optimizer changes the tensors that it loads
        for stop in stops:
            model, optimizer = training()
            scheduler = olm.build(spec, optimizer)
            load(scheduler, saved, model, optimizer)
            train(model, optimizer, scheduler, stop)
            saved = save(model, optimizer, scheduler)
        assert scheduler.get_last_lr() == [0.0]
        return model.state_dict()

    whole, killed = branched(40), branched(33, 40)
    assert all((whole[name] == killed[name]).all() for name in whole)


def test_a_run_whose_batch_grows_has_branches():
    """Its curve along samples continues, and the plan of the batch stays the clock."""
    decay = {"kind": "WarmupDecayLR", "warmup_steps": "100sp", "total_steps": "2000sp"}
    stages = [{"from": 0, "samples": 1}, {"from": 100, "samples": 10}]
    clock = {"total_steps": 400, "batch_stages": stages}
    run = {"kind": "TimeLR", "axis": "samples", "scheduler": decay, "clock": clock}
    state = state_at(run, 150)
    spec = olm.branch(state, decay="500sp", total_steps=500)
    assert spec.schedule.milestones == (150, 450)
    assert spec.clock.known == {**clock, "total_steps": 500}
    scheduler = olm.build(spec, optimizer_of(*BASES))
    scheduler.load_state_dict(state)
    assert scheduler.get_last_lr() == olm.build(state, optimizer_of(*BASES)).get_last_lr()
    saved = scheduler.state_dict()
    assert olm.build(saved, optimizer_of(*BASES), clock=spec.clock).state_dict() == saved
