"""Schedulers that begin at a known step, for checkpoints with a step and no scheduler state."""

import json
import logging
from io import BytesIO

import numpy as np
import pytest
import torch
from torch.optim import AdamW, Muon
from torch.optim.lr_scheduler import LRScheduler

import olm
from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.fields.types import MAX_STEPS
from training import EXAMPLES, optimizer_of, rates_of, trained

LINE = {"kind": "LinearLR", "total_steps": 1000}
RAMP = {"kind": "RampLR", "total_steps": 1000, "end_factor": 2.0}
DECAY = {"set": "weight_decay", "schedule": RAMP}
PLATEAU = {"kind": "ReduceLROnPlateau"}
STEPS = 7


def with_initial(optimizer):
    """The optimizer as if an earlier scheduler had kept the base rates."""
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return optimizer


def begun(document, step, optimizer=None, **options):
    return olm.build(document, optimizer or with_initial(optimizer_of(1.0)), step=step, **options)


def adamw(lrs=(1.0,), names=(), **options):
    groups = optimizer_of(*lrs).param_groups
    named = [{"name": name} if name else {} for name in (*names, *[None] * len(groups))]
    members = [
        {"params": group["params"], "lr": group["lr"], **name}
        for group, name in zip(groups, named, strict=False)
    ]
    return AdamW(members, weight_decay=0.04, **options)


def refused(document, match, optimizer=None, error=olm.OlmError, step=400, **options):
    """Assert that an error leaves the optimizer as it was."""
    optimizer = optimizer or with_initial(optimizer_of(1.0))
    before = str((optimizer.__dict__, [*map(dict, optimizer.param_groups)]))
    with pytest.raises(error, match=match) as caught:
        olm.build(document, optimizer, step=step, **options)
    assert str((optimizer.__dict__, [*map(dict, optimizer.param_groups)])) == before
    return str(caught.value)


def test_the_rate_is_that_of_the_step_at_once_and_the_next_one_follows():
    scheduler = begun(LINE, 400)
    assert (scheduler.last_epoch, trained(scheduler, 2)) == (400, [[0.6], [0.599]])


@pytest.mark.parametrize("document", EXAMPLES)
def test_every_kind_begins_where_a_scheduler_is_after_as_many_steps(document):
    if olm.parse(document).schedule.metric_driven:
        refused(document, "metric-driven")
        return
    bases, clock = (0.5, 0.1), {"total_steps": 50, "steps_per_epoch": 10}
    stepped = olm.build(document, optimizer_of(*bases), clock=clock)
    trained(stepped, STEPS)
    scheduler = begun(document, STEPS, with_initial(optimizer_of(*bases)), clock=clock)
    assert scheduler.state_dict() == stepped.state_dict()
    assert trained(scheduler, 5) == trained(stepped, 5)


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_step_far_beyond_the_end_is_a_step_like_any_other(document):
    spec = olm.parse(document)
    if spec.schedule.metric_driven:
        return
    scheduler = begun(document, 10**9, with_initial(optimizer_of(0.5)))
    assert scheduler.get_last_lr() == [spec.lr(10**9, 0.5)]


def test_step_0_is_a_new_run():
    new, scheduler = (olm.build(LINE, optimizer_of(0.5), **given) for given in ({}, {"step": 0}))
    assert scheduler.state_dict() == new.state_dict()
    assert olm.build(PLATEAU, optimizer_of(0.5), step=0).last_epoch == 0


@pytest.mark.parametrize("step", [np.int64(400), torch.tensor(400)])
def test_a_step_may_be_a_whole_number_of_another_library(step):
    assert begun(LINE, step).get_last_lr() == [0.6]


@pytest.mark.parametrize("step", [-1, True, 400.0, "400", MAX_STEPS + 1, 10**400, [4], np.True_])
def test_a_step_that_is_no_number_of_updates_is_an_error(step):
    refused(LINE, "step must be a whole number of updates from 0 to", step=step)


def test_a_step_together_with_a_state_is_an_error():
    state = begun(LINE, 3).state_dict()
    for step in (0, 3, 400):
        refused(state, "this is a state, at step 3 already", step=step)


def test_a_metric_driven_schedule_has_no_numbers_at_a_step():
    refused(PLATEAU, r"the schedule is metric-driven \(ReduceLROnPlateau\)")
    text = r"also\[0\] is metric-driven \(ReduceLROnPlateau\) and cannot begin at step 400"
    refused({**LINE, "also": [{"set": "weight_decay", "schedule": PLATEAU}]}, text)


def test_a_current_rate_is_never_taken_for_a_base_rate():
    text = refused(LINE, "initial_lr", adamw((0.6, 0.06), ["body"]))
    assert text.splitlines() == [
        "step=400 needs the base rate of every param group: the current numbers may have changed "
        "since step 0",
        "  lr: no `initial_lr` in `body`, `#1`",
        "load the optimizer's state first if it has them, list them in the document "
        '(`optimizer: {lr: ...}`), or set group["initial_lr"] = ... in each',
    ]
    optimizer = adamw((0.6, 0.06), ["body"])
    optimizer.param_groups[0]["initial_lr"] = 1.0
    refused(LINE, "in `#1`\n", optimizer)
    documented = {**LINE, "optimizer": {"lr": 0.6}}
    refused(documented, 'leave out base="any"', adamw((0.6,)), base="any")


def test_the_document_has_the_base_rate_where_no_param_group_has_kept_it():
    documented = {**LINE, "optimizer": {"lr": 1.0}}
    for lrs in ((1.0,), (0.6,), (0.25, 0.25)):
        optimizer = optimizer_of(*lrs)
        assert begun(documented, 400, optimizer).get_last_lr() == [0.6] * len(lrs)
        assert {group["initial_lr"] for group in optimizer.param_groups} == {1.0}


def test_each_param_group_has_its_own_number_of_the_document():
    groups = ["body", {"name": "head", "lr": 0.1}]
    documented = {**LINE, "optimizer": {"lr": 1.0}, "param_groups": groups}
    for lrs in ((1.0, 0.1), (0.6, 0.06), (0.3, 0.3)):
        assert begun(documented, 400, optimizer_of(*lrs)).get_last_lr() == [0.6, 0.06]


def test_what_a_param_group_has_kept_is_compared_with_the_document():
    documented = {**LINE, "optimizer": {"lr": 1.0}}
    other = with_initial(optimizer_of(0.5))
    refused(documented, "lr is 1 in the document, and the optimizer has 0.5", other, olm.SpecError)
    assert begun(documented, 400, other, base="any").get_last_lr() == [0.3]


def test_a_rate_that_a_param_group_apparently_has_of_its_own_must_be_listed():
    documented = {**LINE, "optimizer": {"lr": 1.0}}
    text = "param group `#1` has the lr 0.1, which is neither the 1 under `optimizer` nor its lr"
    refused(documented, text, optimizer_of(1.0, 0.1))
    scaled = {"set": "lr", "groups": "#1", "scaled_by": {"kind": "HoldLR", "factor": 0.1}}
    named = {**documented, "also": [{**scaled, "groups": "head"}]}
    for lrs in ((1.0, 1.0), (0.6, 0.06), (0.601, 0.0601)):
        scheduler = begun(named, 400, adamw(lrs, ["body", "head"]))
        assert scheduler.get_last_lr() == pytest.approx([0.6, 0.06])


def test_targets_begin_with_the_number_that_each_param_group_has_kept():
    document = {**LINE, "also": [DECAY]}
    refused(document, "`initial_weight_decay` in `#0`", with_initial(adamw()))
    optimizer = with_initial(adamw())
    optimizer.param_groups[0].update(initial_weight_decay=0.04, weight_decay=0.07)
    scheduler = begun(document, 400, optimizer)
    assert optimizer.param_groups[0]["weight_decay"] == pytest.approx(0.04 * 1.4)
    assert scheduler.state_dict()["also"][0]["bases"] == [0.04]


def test_targets_begin_as_after_as_many_steps():
    scaled = {"set": "lr", "groups": "head", "scaled_by": {"kind": "HoldLR", "factor": 0.1}}
    ema = {"value": "ema", "schedule": {"kind": "WarmupLR", "warmup_steps": "50%"}}
    document = {
        **LINE,
        "total_steps": "100%",
        "clock": {"total_steps": 1000},
        "optimizer": {"lr": 1.0, "weight_decay": 0.04},
        "also": [DECAY, scaled, ema, {"set": "eps", "base": 1e-8, "schedule": RAMP}],
    }
    names = ["body", "head"]
    stepped = olm.build(document, adamw((1.0, 1.0), names))
    trained(stepped, 40)
    optimizer = adamw((1.0, 1.0), names)
    scheduler = begun(document, 40, optimizer)
    assert scheduler.state_dict() == stepped.state_dict()
    for _ in range(3):
        ours, theirs = (s.optimizer.param_groups for s in (scheduler, stepped))
        for group, other in zip(ours, theirs, strict=True):
            assert {**group, "params": 0} == {**other, "params": 0}
        assert scheduler.values() == stepped.values()
        trained(scheduler, 1), trained(stepped, 1)


def test_a_target_for_an_unknown_param_group_or_an_invalid_number_leaves_everything():
    lost = {**LINE, "also": [{**DECAY, "groups": "lost"}], "optimizer": {"lr": 1.0}}
    refused(lost, "no param group is called `lost`", error=olm.SpecError)
    lacking = {**LINE, "also": [{"set": "momentums", "schedule": RAMP}], "optimizer": {"lr": 1.0}}
    refused(lacking, "has no `momentums`", error=olm.SpecError)
    for number in ("1", -1.0, float("nan"), True):
        optimizer = optimizer_of(1.0)
        optimizer.param_groups[0]["initial_lr"] = number
        refused(LINE, "initial_lr|base rate", optimizer, olm.RateError)
    high = {**LINE, "optimizer": {"lr": 1.0}, "also": [{"set": "betas[0]", "schedule": RAMP}]}
    high["optimizer"]["betas"] = [0.6, 0.999]
    refused(high, "below 1", adamw(betas=(0.6, 0.999)), olm.RateError)


def test_several_optimizers_begin_at_one_step():
    matrix, bias = torch.nn.Linear(2, 2).parameters()
    parts = {"muon": Muon([matrix], lr=0.02), "adamw": AdamW([bias], lr=0.01)}
    groups = [{"name": "muon/0", "lr": 0.02}, {"name": "adamw/0", "lr": 0.01}]
    with pytest.raises(olm.OlmError, match="`muon/0`, `adamw/0`"):
        olm.build(LINE, parts, step=400)
    scheduler = olm.build({**LINE, "param_groups": groups}, parts, step=400)
    assert scheduler.get_last_lr() == pytest.approx([0.012, 0.006])
    assert parts["adamw"].param_groups[0]["initial_lr"] == 0.01


def test_a_scheduler_that_begins_at_a_step_ignores_steps_without_an_update():
    scheduler = begun(LINE, 400, only_if_stepped=True)
    scheduler.step()
    assert scheduler.last_epoch == 400
    assert trained(scheduler, 2) == [[0.6], [0.599]]


def test_the_rate_of_a_tensor_is_filled():
    rate = torch.tensor(1.0)
    scheduler = begun({**LINE, "optimizer": {"lr": 1.0}}, 400, optimizer_of(rate))
    assert scheduler.optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.6)


def test_the_rates_of_the_step_survive_an_optimizer_state_that_is_loaded_later():
    scheduler = begun({**LINE, "optimizer": {"lr": 1.0}}, 400, optimizer_of(1.0))
    scheduler.optimizer.load_state_dict(optimizer_of(0.123).state_dict())
    group = scheduler.optimizer.param_groups[0]
    assert (group["lr"], group["initial_lr"]) == (0.6, 1.0)
    assert trained(scheduler, 2) == [[0.6], [0.599]]


class OfOnesOwn(LRScheduler):
    """A schedule whose class no other library knows, with a field that LinearLR has as well."""

    def __init__(self, optimizer, total_steps):
        self.total_steps = total_steps
        super().__init__(optimizer)

    def get_lr(self):
        return [base * (1 - self.last_epoch / self.total_steps) for base in self.base_lrs]


def test_a_class_with_a_field_of_the_same_name_has_a_plain_position():
    theirs = OfOnesOwn(optimizer_of(1.0), 1000)
    trained(theirs, 400)
    scheduler = olm.build(LINE, optimizer_of(1.0))
    with pytest.raises(olm.StateError, match='from step 400 on: on_change="spec"'):
        scheduler.load_state_dict(theirs.state_dict())
    scheduler.load_state_dict(theirs.state_dict(), on_change="spec")
    assert trained(scheduler, 2) == [[0.6], [0.599]]


@pytest.mark.parametrize(
    ("state", "way"),
    [
        ({"last_epoch": 400}, r"olm\.build\(spec, optimizer, step=400\)"),
        ({"counter": 400}, r"olm\.build\(spec, optimizer, step=\.\.\.\)"),
        ({"counter": 4, "last_epoch": True}, r"step=\.\.\."),
        ({"base_lrs": [1.0], "last_epoch": 400}, 'from step 400 on: on_change="spec"'),
    ],
)
def test_a_state_that_cannot_be_read_names_the_way_out(state, way):
    scheduler = olm.build(LINE, optimizer_of(1.0))
    with pytest.raises(olm.StateError, match=way):
        scheduler.load_state_dict(state)
    assert scheduler.last_epoch == 0
    if "base_lrs" not in state:
        with pytest.raises(olm.StateError, match="step="):
            scheduler.load_state_dict(state, on_change="spec")


def test_a_metric_driven_schedule_takes_a_plain_position_and_no_step():
    theirs = OfOnesOwn(optimizer_of(1.0), 1000)
    trained(theirs, 400)
    scheduler = olm.build(PLATEAU, optimizer_of(1.0))
    with pytest.raises(olm.StateError, match='from step 400 on: on_change="spec"'):
        scheduler.load_state_dict(theirs.state_dict())
    scheduler.load_state_dict(theirs.state_dict(), on_change="spec")
    assert (scheduler.last_epoch, scheduler.get_last_lr()) == (400, [1.0])
    with pytest.raises(olm.StateError, match="only a state has what a metric-driven schedule"):
        scheduler.load_state_dict({"last_epoch": 4})


@pytest.mark.parametrize("also", [[], [DECAY]])
def test_changed_param_groups_are_reported_by_name_and_continue_with_this_spec(also, caplog):
    document = {**LINE, **({"also": also} if also else {})}
    before = olm.build(document, adamw((1.0,), ["body"]))
    trained(before, 400)
    names = ["body", "lora_a", "lora_b"]
    reported = "only this optimizer has `lora_a`, `lora_b`" if also else "`lora_a`, `lora_b`"
    for on_change in ("error", "checkpoint"):
        scheduler = olm.build(document, adamw((1.0, 0.1, 0.5), names))
        with pytest.raises(olm.StateError, match=reported):
            scheduler.load_state_dict(before.state_dict(), on_change=on_change)
        with pytest.raises(olm.StateError, match=reported):
            olm.build(before.state_dict(), adamw((1.0, 0.1, 0.5), names), on_change=on_change)
        assert scheduler.last_epoch == 0
    with caplog.at_level(logging.WARNING, "olm"):
        scheduler.load_state_dict(before.state_dict(), on_change="spec")
    assert "lora_a" in caplog.text
    assert scheduler.get_last_lr() == [0.6, 0.06, 0.3]
    built = olm.build(before.state_dict(), adamw((1.0, 0.1, 0.5), names), on_change="spec")
    assert built.get_last_lr() == [0.6, 0.06, 0.3]


def test_a_param_group_with_another_name_is_no_other_schedule():
    document = {**LINE, "also": [DECAY]}
    state = olm.build(document, adamw((1.0, 0.1), ["body", "head"])).state_dict()
    scheduler = olm.build(document, adamw((1.0, 0.1), ["body", "lora"]))
    with pytest.raises(olm.StateError, match=r"this state is of other param groups\n.*has head"):
        scheduler.load_state_dict(state)


def test_a_run_resumed_from_a_step_alone_equals_the_uninterrupted_one_to_the_bit():
    document = {
        "kind": "WarmupCosineScheduler",
        "warmup_steps": 5,
        "total_steps": 30,
        "optimizer": {"lr": 0.01, "weight_decay": 0.1},
        "also": [{**DECAY, "schedule": {**RAMP, "total_steps": 30}}],
    }

    def new():
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        return model, AdamW(model.parameters(), lr=0.01, weight_decay=0.1)

    def train(model, scheduler, start, stop):
        for step in range(start, stop):
            batch = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
            scheduler.optimizer.zero_grad()
            (model(batch) - batch.sum(1, keepdim=True)).square().mean().backward()
            scheduler.optimizer.step()
            scheduler.step()
        return [parameter.tolist() for parameter in model.parameters()]

    model, optimizer = new()
    scheduler = olm.build(document, optimizer)
    train(model, scheduler, 0, 13)
    file = BytesIO()
    parts = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save({"step": 13, **parts}, file)
    whole = train(model, scheduler, 13, 30)
    for loaded_first in (True, False):
        saved = torch.load(BytesIO(file.getvalue()), weights_only=True)
        model, optimizer = new()
        model.load_state_dict(saved["model"])
        if loaded_first:
            optimizer.load_state_dict(saved["optimizer"])
        scheduler = olm.build(document, optimizer, step=saved["step"])
        if not loaded_first:
            optimizer.load_state_dict(saved["optimizer"])
        assert train(model, scheduler, 13, 30) == whole


def command(capsys, *arguments):
    status = main(["state", *map(str, arguments)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture
def spec_file(tmp_path):
    def write(document):
        path = tmp_path / "run.olm.yaml"
        path.write_text(json.dumps(document))
        return path

    return write


def test_the_command_writes_the_state_that_build_begins_with(capsys, spec_file, tmp_path):
    path, out = spec_file({**LINE, "total_steps": "100%"}), tmp_path / "state.json"
    arguments = (path, "--at-step", 400, "--base-lr", "1,0.1", "--total-steps", 1000)
    assert command(capsys, *arguments, "--out", out) == (FINE, "", "")
    state = json.loads(out.read_text())
    built = begun(
        path, 400, with_initial(optimizer_of(1.0, 0.1)), clock={"total_steps": 1000}
    ).state_dict()
    assert state == built
    resumed = olm.build(olm.parse(state), optimizer_of(1.0, 0.1))
    assert trained(resumed, 2) == [[0.6, 0.06], [0.599, pytest.approx(0.0599)]]
    status, printed, _ = command(capsys, *arguments)
    assert status == FINE
    assert "  rates now   0.6, 0.06\n" in printed


def test_the_command_takes_the_bases_of_targets_from_options_and_document(capsys, spec_file):
    groups = ["body", {"name": "head", "lr": 0.1}]
    document = {**LINE, "also": [DECAY], "param_groups": groups, "optimizer": {"lr": 1.0}}
    decays = ("--base", "weight_decay=0.04", "--base", "weight_decay:head=0")
    status, printed, _ = command(capsys, spec_file(document), "--at-step", 4, *decays, "--json")
    state = json.loads(printed)
    assert (status, state["base_lrs"], state["also"][0]["bases"]) == (FINE, [1.0, 0.1], [0.04, 0.0])
    built = olm.build(state, adamw((1.0, 0.1), ["body", "head"]), on_change="checkpoint")
    assert rates_of(built.optimizer) == pytest.approx([0.996, 0.0996])
    status, printed, _ = command(
        capsys, spec_file(document), "--at-step", 4, "--base-lr", "2", *decays, "--json"
    )
    assert json.loads(printed)["base_lrs"] == [2.0, 2.0]


@pytest.mark.parametrize(
    ("document", "options", "status", "text"),
    [
        (LINE, (), MISUSE, "give --base-lr LR, or `optimizer: {lr: ...}` in FILE"),
        (LINE, ("--base-lr", "1", "--base", "eps=1"), MISUSE, "the hyperparameters are lr"),
        (LINE, ("--base-lr", "1", "--spec", "run.olm.yaml"), MISUSE, "leave --spec out"),
        ({**LINE, "param_groups": ["a"]}, ("--base-lr", "1,2"), MISUSE, "1 param group under"),
        ({**LINE, "also": [DECAY]}, ("--base-lr", "1"), MISUSE, "--base weight_decay=BASE"),
        (PLATEAU, ("--base-lr", "1"), PROBLEMS, "metric-driven"),
        ({**LINE, "total_steps": "9%"}, ("--base-lr", "1"), PROBLEMS, "--total-steps N"),
        (
            {**LINE, "also": [{**DECAY, "groups": "lost"}]},
            ("--base-lr", "1"),
            PROBLEMS,
            "no param group is called `lost`",
        ),
    ],
)
def test_the_command_reports_what_the_state_lacks(
    document, options, status, text, capsys, spec_file, monkeypatch
):
    path = spec_file(document)
    monkeypatch.chdir(path.parent)
    found, printed, error = command(capsys, path, "--at-step", 400, *options, "--json")
    assert (found, printed) == (status, "")
    assert text in error


def test_the_command_refuses_a_state_at_another_step_and_bases_without_a_step(capsys, spec_file):
    path = spec_file(begun(LINE, 3).state_dict())
    status, _, error = command(capsys, path, "--at-step", 400, "--base-lr", "1")
    assert (status, "this is a state, at step 3 already" in error) == (PROBLEMS, True)
    assert command(capsys, path, "--base-lr", "1")[0] == MISUSE
    for step in ("-1", "1.5", "x", "1e400", "nan"):
        status, _, error = command(capsys, path, f"--at-step={step}")
        assert (status, "must be a" in error) == (MISUSE, True)
