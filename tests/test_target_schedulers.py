"""Schedulers of documents with targets: numbers in the param groups, values, states, resumes."""

import copy
import json
import logging
import pickle

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.optim import SGD, AdamW

import olm
from strategies import schedules

HOLD = {"kind": "HoldLR"}
DECAY = {"kind": "LinearLR", "total_steps": 10}
GROUPS = {"wd": 0.04, "no_wd": 0.0, "head": 0.04}
ALSO = [
    {"set": "lr", "groups": "head", "scaled_by": {"kind": "HoldLR", "factor": 0.1}},
    {"set": "weight_decay", "schedule": {"kind": "RampLR", "total_steps": 8, "end_factor": 5.0}},
    {"set": "betas[0]", "base": 1.0, "schedule": {"kind": "HoldLR", "factor": 0.8}},
    {"value": "ema", "schedule": {"kind": "WarmupLR", "warmup_steps": 4}},
]


def document(*also, **root):
    return {**DECAY, "also": [*(also or ALSO)], **root}


def groups_of(names=GROUPS, **more):
    return [
        {"params": [torch.zeros(2, requires_grad=True)], "name": name, "weight_decay": decay} | more
        for name, decay in dict(names).items()
    ]


def adamw(names=GROUPS, lr=0.5, **more):
    return AdamW(groups_of(names, **more), lr=lr)


def stepped(scheduler, steps):
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
    return scheduler


def snapshot(optimizer):
    return str([{**group} for group in optimizer.param_groups])


def refused(error, match, *also, optimizer=None):
    """Assert that nothing is touched when a scheduler cannot be built."""
    optimizer = optimizer or adamw()
    before = snapshot(optimizer)
    with pytest.raises(error, match=match):
        olm.build(document(*also), optimizer)
    assert snapshot(optimizer) == before


def test_every_number_by_hand():
    scheduler = stepped(olm.build(document(), adamw()), 4)
    assert scheduler.get_last_lr() == pytest.approx([0.3, 0.3, 0.03])
    assert scheduler.settings() == {
        "lr/wd": pytest.approx(0.3),
        "lr/no_wd": pytest.approx(0.3),
        "lr/head": pytest.approx(0.03),
        "weight_decay/wd": pytest.approx(0.12),
        "weight_decay/no_wd": 0.0,
        "weight_decay/head": pytest.approx(0.12),
        "betas[0]/wd": 0.8,
        "betas[0]/no_wd": 0.8,
        "betas[0]/head": 0.8,
        "ema": 1.0,
    }
    groups = scheduler.optimizer.param_groups
    assert [group["betas"] for group in groups] == [(0.8, 0.999)] * 3
    assert [group["initial_weight_decay"] for group in groups] == [0.04, 0.0, 0.04]
    assert [group["initial_lr"] for group in groups] == [0.5] * 3
    assert scheduler.values() == {"ema": 1.0}
    assert scheduler.optimizer.param_groups[0]["eps"] == 1e-8


def test_the_numbers_are_those_of_the_spec_at_every_step():
    spec = olm.parse(document())
    scheduler = olm.build(spec, adamw())
    for step in range(12):
        found = scheduler.settings()
        for name, decay in GROUPS.items():
            assert found[f"lr/{name}"] == spec.of("lr", step, base=0.5, group=name)
            wanted = spec.of("weight_decay", step, base=decay, group=name)
            assert found[f"weight_decay/{name}"] == wanted
        assert found["ema"] == spec.value("ema", step)
        stepped(scheduler, 1)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedules(depth=2), schedules(depth=2), st.integers(0, 30))
def test_any_schedules_set_the_numbers_of_the_spec_and_survive_a_state(root, decay, steps):
    spec = olm.parse(
        {
            **root.model_dump(mode="json"),
            "also": [{"set": "weight_decay", "schedule": decay.model_dump(mode="json")}],
        }
    )
    try:
        scheduler = olm.build(spec, adamw({"a": 0.04, "b": 0.0}))
        for _ in range(steps):
            scheduler.optimizer.step()
            scheduler.step() if scheduler.schedule.kind != "ReduceLROnPlateau" else None
    except olm.RateError:
        return
    step = scheduler.last_epoch
    for group, base in zip(scheduler.optimizer.param_groups, (0.04, 0.0), strict=True):
        assert group["weight_decay"] == decay.lr(step, base)
        assert group["lr"] == root.lr(step, 0.5)
    state = json.loads(json.dumps(scheduler.state_dict()))
    resumed = olm.build(state, adamw({"a": 0.04, "b": 0.0}))
    assert resumed.settings() == scheduler.settings()
    assert resumed.state_dict() == state


@pytest.mark.parametrize("order", ["scheduler first", "optimizer first", "build", "pickle", "copy"])
def test_a_resumed_run_has_the_same_numbers(order):
    whole = stepped(olm.build(document(), adamw()), 7)
    scheduler = stepped(olm.build(document(), adamw()), 3)
    state, of_optimizer = scheduler.state_dict(), copy.deepcopy(scheduler.optimizer.state_dict())
    optimizer = adamw()
    if order == "pickle":
        resumed = pickle.loads(pickle.dumps(scheduler))
    elif order == "copy":
        resumed = copy.deepcopy(scheduler)
    elif order == "build":
        optimizer.load_state_dict(of_optimizer)
        resumed = olm.build(state, optimizer)
    else:
        resumed = olm.build(document(), optimizer)
        if order == "scheduler first":
            resumed.load_state_dict(state)
        optimizer.load_state_dict(of_optimizer)
        if order == "optimizer first":
            resumed.load_state_dict(state)
    assert resumed.settings() == scheduler.settings()
    assert resumed.state_dict() == state
    stepped(resumed, 4)
    assert resumed.settings() == whole.settings()
    assert [group["betas"] for group in resumed.optimizer.param_groups] == [(0.8, 0.999)] * 3


def test_a_build_that_is_refused_touches_nothing():
    refused(
        olm.SpecError,
        r"also\[0\]\.groups: error\[no-group\]: no param group is called `heads\*`; they are "
        r"`wd`, `no_wd`, `head` \(did you mean `head\*`\?\)",
        {"set": "lr", "groups": "heads*", "schedule": HOLD},
    )
    refused(
        olm.SpecError,
        r"also\[1\]\.groups: error\[two-targets\]: also\[0\] and also\[1\] both set the eps of "
        "`head`",
        {"set": "eps", "groups": "head", "schedule": HOLD},
        {"set": "eps", "groups": "h*", "schedule": HOLD},
    )
    refused(
        olm.SpecError,
        r"error\[no-hyperparameter\]: param group `wd` has no `momentum`; its numbers are "
        r"weight_decay, lr, betas\[0\], betas\[1\], eps \(write `betas\[0\]`, which is Adam's\)",
        {"set": "momentum", "schedule": HOLD},
    )
    refused(
        olm.SpecError,
        r"param group `wd` has no `weight_deacy`; .* \(did you mean `weight_decay`\?\)",
        {"set": "weight_deacy", "schedule": HOLD},
    )
    refused(
        olm.SpecError,
        r"error\[not-a-number\]: mine is the string 'fast' in param group `wd`",
        {"set": "mine", "schedule": HOLD},
        optimizer=adamw(mine="fast"),
    )
    refused(
        olm.RateError,
        r"the betas\[1\] of wd would be 1 at step 0: it must be at least 0 and below 1",
        {"set": "betas[1]", "base": 1.0, "schedule": HOLD},
    )
    refused(
        olm.RateError,
        r"the betas\[0\] of wd would be 1 at step 3,999: it must be at least 0 and below 1",
        {"set": "betas[0]", "base": 1.0, "schedule": {"kind": "WarmupLR", "warmup_steps": 4000}},
    )
    refused(
        olm.RateError,
        "the value x would be",
        {"value": "x", "base": 1e308, "schedule": {"kind": "HoldLR", "factor": 10.0}},
    )


def test_a_number_that_cannot_be_written_leaves_all_others():
    rise = {"kind": "RampLR", "total_steps": 2, "end_factor": 1e40}
    optimizer = adamw()
    optimizer.param_groups[1]["eps"] = torch.tensor(1e-8)
    scheduler = olm.build(document(*ALSO, {"set": "eps", "schedule": rise}), optimizer)
    stepped(scheduler, 1)
    optimizer.param_groups[1]["eps"].fill_(1.0)
    before = snapshot(optimizer), scheduler.state_dict(), scheduler.get_last_lr()
    scheduler._targets.own[1]["eps"] = 1.0
    scheduler._targets = scheduler._targets.again(scheduler.schedule, optimizer.param_groups)
    with pytest.raises(olm.RateError, match="holds at most"):
        scheduler.step()
    assert (snapshot(optimizer), scheduler.get_last_lr()) == (before[0], before[2])
    assert scheduler.last_epoch == 1


def test_tensors_are_filled_and_ints_stay_ints():
    optimizer = SGD(groups_of({"a": 2, "b": 0}), lr=0.5, momentum=0.9)
    tensor = optimizer.param_groups[0]["momentum"] = torch.tensor(0.5)
    also = [
        {"set": "weight_decay", "schedule": {"kind": "StepLR", "step_size": 1, "gamma": 0.5}},
        {"set": "momentum", "schedule": {"kind": "HoldLR", "factor": 0.5}},
    ]
    scheduler = olm.build(document(*also), optimizer)
    numbers = []
    for _ in range(3):
        numbers.append([group["weight_decay"] for group in optimizer.param_groups])
        stepped(scheduler, 1)
    assert str(numbers) == "[[2, 0], [1, 0], [0.5, 0]]"
    assert optimizer.param_groups[0]["momentum"] is tensor
    assert tensor.item() == 0.25


def test_two_groups_that_share_a_tensor_are_an_error():
    optimizer = adamw()
    optimizer.param_groups[0]["eps"] = optimizer.param_groups[2]["eps"] = torch.tensor(1e-8)
    with pytest.raises(olm.RateError, match="share one tensor as their eps"):
        olm.build(document({"set": "eps", "schedule": HOLD}), optimizer)


def test_a_group_that_is_added_finds_its_targets_by_name():
    names = ["wd", "no_wd", "head", "late_head"]
    also = [{**ALSO[0], "groups": "*head"}, *ALSO[1:]]
    scheduler = stepped(olm.build(document(*also, param_groups=names), adamw()), 3)
    (late,) = groups_of({"late_head": 0.5})
    scheduler.optimizer.add_param_group({**late, "lr": 0.035})
    stepped(scheduler, 1)
    found = scheduler.settings()
    assert found["lr/late_head"] == pytest.approx(found["lr/head"])
    assert found["weight_decay/late_head"] == pytest.approx(0.5 * 3.0)
    assert found["betas[0]/late_head"] == 0.8
    state = scheduler.state_dict()
    assert [*state["param_groups"]] == names
    assert state["also"][1]["bases"] == [0.04, 0.0, 0.04, 0.5]


def test_a_group_that_is_added_and_that_two_targets_name_is_an_error_before_anything_is_written():
    also = [
        {"set": "eps", "groups": "h*", "schedule": HOLD},
        {"set": "eps", "groups": "*d", "schedule": HOLD},
    ]
    scheduler = stepped(olm.build(document(*also), adamw({"h": 0.0, "d": 0.0})), 1)
    (late,) = groups_of({"hd": 0.5})
    scheduler.optimizer.add_param_group(late)
    before = snapshot(scheduler.optimizer)
    with pytest.raises(olm.SpecError, match="both set the eps of `hd`"):
        scheduler.step()
    assert snapshot(scheduler.optimizer) == before


def test_differences_are_reported_by_target_and_by_the_name_of_the_group():
    state = stepped(olm.build(document(), adamw()), 4).state_dict()
    other = [
        {**ALSO[0], "scaled_by": {"kind": "HoldLR", "factor": 0.2}},
        {**ALSO[1], "schedule": {"kind": "RampLR", "total_steps": 8, "end_factor": 3.0}},
        {"value": "temp", "schedule": HOLD},
    ]
    scheduler = olm.build(document(*other), adamw({"wd": 0.04, "no_wd": 0.02, "head": 0.04}))
    before = snapshot(scheduler.optimizer), scheduler.state_dict()
    with pytest.raises(olm.StateError) as error:
        scheduler.load_state_dict(state)
    assert str(error.value).splitlines() == [
        "this state is of another schedule",
        "  lr of head: scaled_by.factor: the checkpoint has 0.1, this scheduler 0.2",
        "  weight_decay: schedule.end_factor: the checkpoint has 5.0, this scheduler 3.0",
        "  weight_decay: bases[1] (no_wd): the checkpoint has 0.0, this optimizer 0.02",
        "  betas[0]: only the checkpoint has it",
        "  ema: only the checkpoint has it",
        "  temp: only this scheduler has it",
        "  the lr of head at step 5: 0.025 by the checkpoint, 0.05 by this scheduler",
        "  the weight_decay at step 5: 0.14, 0 by the checkpoint, 0.09, 0.045 by this scheduler",
        "to go on with the checkpoint's: on_change=\"checkpoint\"; with this one's, from step 4 "
        'on: on_change="spec"',
    ]
    assert (snapshot(scheduler.optimizer), scheduler.state_dict()) == before
    scheduler.load_state_dict(state, on_change="checkpoint")
    assert scheduler.state_dict() == state
    assert scheduler.optimizer.param_groups[1]["initial_weight_decay"] == 0.0


def test_the_spec_may_win_from_the_step_of_the_checkpoint_on():
    state = stepped(olm.build(document(), adamw()), 4).state_dict()
    scheduler = olm.build(document({"value": "temp", "schedule": DECAY}), adamw())
    scheduler.load_state_dict(state, on_change="spec")
    assert scheduler.last_epoch == 4
    assert scheduler.values() == {"temp": pytest.approx(0.6)}
    assert [target["value"] for target in scheduler.state_dict()["also"]] == ["temp"]


def test_a_state_without_targets_differs_by_what_only_the_scheduler_has():
    state = stepped(olm.build(DECAY, adamw()), 4).state_dict()
    assert not {"also", "param_groups"} & set(state)
    scheduler = olm.build(document({"value": "temp", "schedule": DECAY}), adamw())
    with pytest.raises(olm.StateError, match="  temp: only this scheduler has it"):
        scheduler.load_state_dict(state)
    scheduler.load_state_dict(state, on_change="spec")
    assert scheduler.values() == {"temp": pytest.approx(0.6)}


def test_reordered_groups_are_named_and_not_applied():
    state = stepped(olm.build(document(), adamw()), 4).state_dict()
    scheduler = olm.build(document(), adamw({"wd": 0.04, "head": 0.04, "no_wd": 0.0}))
    before = snapshot(scheduler.optimizer)
    for on_change in ("error", "checkpoint"):
        with pytest.raises(olm.StateError) as error:
            scheduler.load_state_dict(state, on_change=on_change)
        assert "  param_groups[1]: the checkpoint has no_wd, this optimizer head" in str(
            error.value
        )
    assert snapshot(scheduler.optimizer) == before


def test_names_that_change_when_the_optimizer_loads_a_state_are_an_error_at_the_next_step():
    scheduler = stepped(olm.build(document(), adamw()), 2)
    other = adamw({"wd": 0.04, "head": 0.04, "no_wd": 0.0})
    scheduler.optimizer.load_state_dict(other.state_dict())
    before = snapshot(scheduler.optimizer)
    with pytest.raises(olm.StateError, match=r"param_groups\[1\] was called no_wd, and is called"):
        scheduler.step()
    assert snapshot(scheduler.optimizer) == before


def test_names_that_an_old_state_of_the_optimizer_lacks_are_put_back(caplog):
    scheduler = stepped(olm.build(document(), adamw()), 2)
    old = copy.deepcopy(scheduler.optimizer.state_dict())
    for group in old["param_groups"]:
        del group["name"], group["initial_weight_decay"]
    with caplog.at_level(logging.WARNING, "olm"):
        scheduler.optimizer.load_state_dict(old)
    assert "no names of param groups: they are `wd`, `no_wd`, `head`" in caplog.text
    whole = stepped(olm.build(document(), adamw()), 4)
    assert stepped(scheduler, 2).settings() == whole.settings()
    assert scheduler.optimizer.param_groups[0]["initial_weight_decay"] == 0.04


def test_named_metrics_reach_the_targets_that_name_them():
    plateau = {"kind": "ReduceLROnPlateau", "patience": 0, "factor": 0.5}
    also = [
        {"value": "kl_weight", "metric": "kl", "schedule": plateau},
        {"value": "loss_weight", "schedule": plateau},
    ]
    scheduler = stepped(olm.build(document(*also), adamw()), 1)
    for kl, loss in ((1.0, 1.0), (2.0, 1.0), (0.5, 2.0)):
        scheduler.observe(loss, kl=kl)
    assert scheduler.values() == {"kl_weight": 0.5, "loss_weight": 0.25}
    with pytest.raises(olm.OlmError, match=r"no target observes the metric .*'k': they are kl"):
        scheduler.observe(k=1.0)
    state = scheduler.state_dict()
    resumed = olm.build(document(*also), adamw())
    resumed.load_state_dict(state)
    assert resumed.values() == scheduler.values()
    assert resumed.state_dict() == state


def test_frozen_lists_the_groups_at_zero_while_the_others_train():
    freeze = {"kind": "TableLR", "milestones": [0, 2], "factors": [0.0, 1.0]}
    also = [{"set": "lr", "groups": "head", "scaled_by": freeze}]
    scheduler = olm.build(document(*also), adamw())
    frozen = []
    for _ in range(3):
        frozen.append(scheduler.frozen())
        stepped(scheduler, 1)
    assert frozen == [["head"], ["head"], []]
    assert olm.build(DECAY, adamw()).frozen() == []


def test_groups_without_names_have_positions_or_those_of_the_document():
    optimizer = SGD([{"params": [torch.zeros(1)]} for _ in range(2)], lr=0.5)
    also = [{"set": "lr", "groups": "#1", "scaled_by": {"kind": "HoldLR", "factor": 0.5}}]
    scheduler = olm.build(document(*also), optimizer)
    assert scheduler.settings() == {"lr/#0": 0.5, "lr/#1": 0.25}
    state = scheduler.state_dict()
    assert state["param_groups"] == ["#0", "#1"]
    assert olm.parse(state).model_dump() == state
    optimizer = SGD([{"params": [torch.zeros(1)]} for _ in range(2)], lr=0.5)
    named = document({**also[0], "groups": "head"}, param_groups=["body", "head"])
    assert olm.build(named, optimizer).settings() == {"lr/body": 0.5, "lr/head": 0.25}


def test_a_document_without_targets_is_as_it_was():
    scheduler = stepped(olm.build(DECAY, adamw()), 2)
    assert scheduler.values() == {}
    assert [*scheduler.settings()] == ["lr/wd", "lr/no_wd", "lr/head"]
    group = scheduler.optimizer.param_groups[0]
    assert [key for key in group if key.startswith("initial")] == ["initial_lr"]
    assert [*scheduler.state_dict()][-3:] == ["last_epoch", "base_lrs", "digest"]


@pytest.mark.parametrize(
    ("root", "wanted"),
    [
        ({"optimizer": {"lr": 0.5, "weight_decay": 0.04}}, ""),
        (
            {"optimizer": {"lr": 0.05}},
            "optimizer.lr: error[expectation]: lr is 0.05 in the document, and the optimizer "
            'has 0.5 (construct the optimizer with it, or pass base="any" to build)',
        ),
        (
            {"optimizer": {"momentum": 0.9}},
            "optimizer.momentum: error[expectation]: momentum is 0.9 in the document, and the "
            'optimizer has none (construct the optimizer with it, or pass base="any" to build)',
        ),
        ({"param_groups": ["wd", {"name": "no_wd", "weight_decay": 0.0}, "head", "late"]}, ""),
        (
            {"param_groups": ["wd", {"name": "no_wd", "weight_decay": 0.1}, "head"]},
            "param_groups[1].weight_decay: error[expectation]: weight_decay is 0.1 in the "
            'document, and the optimizer has 0 (construct the optimizer with it, or pass base="any"'
            " to build)",
        ),
        (
            {"param_groups": ["wd", "no_wd", "heads"]},
            "param_groups: error[no-group]: the optimizer has a param group `head`, which is not "
            "in the list (did you mean `heads`?)",
        ),
    ],
)
def test_the_optimizer_has_the_numbers_and_groups_of_the_document(root, wanted):
    given = document({"value": "ema", "schedule": HOLD}, **root)
    optimizer = adamw()
    before = snapshot(optimizer)
    if wanted:
        with pytest.raises(olm.SpecError) as error:
            olm.build(given, optimizer)
        assert str(error.value) == wanted
        assert snapshot(optimizer) == before
    olm.build(given, optimizer, base="any" if wanted else "spec")


def muon_and_adamw():
    matrices = [torch.nn.Parameter(torch.ones(2, 2))]
    return {"muon": torch.optim.Muon(matrices, lr=0.02, momentum=0.95), "adamw": adamw()}


def test_several_optimizers_have_targets_by_part():
    also = [
        {"set": "momentum", "groups": "muon", "schedule": {"kind": "HoldLR", "factor": 0.5}},
        {"set": "betas[0]", "groups": "adamw/*", "schedule": {"kind": "HoldLR", "factor": 0.5}},
        {"set": "lr", "groups": "adamw/head", "scaled_by": {"kind": "HoldLR", "factor": 0.1}},
    ]
    scheduler = olm.build(document(*also), muon_and_adamw())
    found = scheduler.settings()
    assert found["momentum/muon/0"] == 0.475
    assert found["betas[0]/adamw/head"] == 0.45
    assert found["lr/adamw/head"] == pytest.approx(0.05)
    assert found["lr/muon/0"] == 0.02
    state = stepped(scheduler, 2).state_dict()
    assert state["param_groups"] == ["muon/0", "adamw/wd", "adamw/no_wd", "adamw/head"]
    resumed = olm.build(document(*also), muon_and_adamw())
    resumed.load_state_dict(state)
    assert resumed.settings() == scheduler.settings()
    whole = copy.deepcopy(scheduler.optimizer.state_dict())
    resumed.optimizer.load_state_dict(whole)
    assert stepped(resumed, 1).settings() == stepped(scheduler, 1).settings()
    with pytest.raises(olm.SpecError, match=r"write `groups: muon/\*`"):
        olm.build(document({"set": "momentum", "schedule": HOLD}), muon_and_adamw())


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_param_group_that_an_equal_one_replaces_is_followed(index):
    optimizer = adamw(lr=0.5)
    scheduler = stepped(olm.build(document(), optimizer), 3)
    old = optimizer.param_groups[index]
    optimizer.param_groups[index] = {**old}
    before = snapshot(optimizer)
    frozen = str(old)
    stepped(scheduler, 2)
    twin = stepped(olm.build(document(), adamw(lr=0.5)), 5)
    assert snapshot(optimizer) == snapshot(twin.optimizer) != before
    assert str(old) == frozen
