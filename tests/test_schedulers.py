"""Properties of the torch scheduler of every kind."""

import copy
import gc
import inspect
import io
import pickle
import weakref

import pytest
import torch
from torch.optim import AdamW
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

import olm
from olm.fields.types import memory_fields
from olm.kinds import KINDS
from olm.train import schedulers
from olm.train.schedulers import SchedulerBase, read_ahead
from olm.train.schedulers.factory import torch_class
from training import BASES, EXAMPLES, advance, optimizer_of, rates_of, trained, wanted


@pytest.mark.parametrize("document", EXAMPLES)
def test_the_steps_are_those_of_the_schedule_to_the_bit(document):
    scheduler = olm.build(document, optimizer_of(*BASES))
    assert trained(scheduler, 120) == wanted(document, 120)
    assert scheduler.last_epoch == 120
    assert scheduler.get_last_lr() == rates_of(scheduler.optimizer) == scheduler.get_lr()


@pytest.mark.parametrize("document", EXAMPLES)
def test_reading_ahead_in_blocks_of_any_size_changes_nothing(document, monkeypatch):
    for first, block, listed in ((1, 1, 1), (2, 3, 1), (9, 7, 2), (4, 16, 4), (16, 16, 100)):
        monkeypatch.setattr(read_ahead, "FIRST_BLOCK", first)
        monkeypatch.setattr(read_ahead, "BLOCK", block)
        monkeypatch.setattr(read_ahead, "FIRST_LISTED", first)
        monkeypatch.setattr(read_ahead, "LISTED", listed)
        assert trained(olm.build(document, optimizer_of(*BASES)), 40) == wanted(document, 40)
        alike = olm.build(document, optimizer_of(0.5, 0.5))
        assert trained(alike, 40) == wanted(document, 40, (0.5, 0.5))


@pytest.mark.parametrize("document", EXAMPLES)
def test_the_class_has_the_name_and_the_fields_of_the_kind(document):
    kind, fields = document["kind"], {k: v for k, v in document.items() if k != "kind"}
    public = getattr(schedulers, kind)
    scheduler = public(optimizer_of(0.5), **fields)
    assert type(scheduler) is type(olm.build(document, optimizer_of(0.5))) is public
    assert public is torch_class(KINDS[kind])
    assert isinstance(scheduler, LRScheduler)
    assert isinstance(scheduler, SchedulerBase)
    assert scheduler.schedule == olm.parse(document).schedule


@pytest.mark.parametrize("kind", KINDS)
def test_the_signature_has_the_fields_of_the_model_between_optimizer_and_last_epoch(kind):
    own = inspect.signature(getattr(schedulers, kind).__init__).parameters
    fields = [name for name in KINDS[kind].model_fields if name != "kind"]
    fields = [name for name in fields if name not in memory_fields(KINDS[kind])]
    assert [*own] == ["self", "optimizer", *fields, "last_epoch"]
    assert own["last_epoch"].default == -1
    for name in fields:
        field = KINDS[kind].model_fields[name]
        required = own[name].default is inspect.Parameter.empty
        assert required == field.is_required()
        assert required or own[name].default == field.default
        assert "Annotated" not in str(own[name].annotation)


@pytest.mark.parametrize("document", EXAMPLES)
def test_it_has_torchs_attributes_and_no_others(document):
    scheduler = olm.build(document, optimizer_of(0.5))
    plain = torch.optim.lr_scheduler.LambdaLR(optimizer_of(0.5), lambda step: 1.0)
    ours = {name for name in dir(scheduler) if not name.startswith("_")}
    torchs = {name for name in dir(plain) if not name.startswith("_")} - {"lr_lambdas"}
    plateaus = {"in_cooldown"} if isinstance(scheduler, ReduceLROnPlateau) else set()
    added = {"schedule", "observe", "values", "settings", "frozen", "plot"}
    assert ours == torchs | added | plateaus
    for name in ("__call__", "__len__", "__bool__"):
        assert not hasattr(scheduler, name)
    assert type(scheduler).__eq__ is object.__eq__


@pytest.mark.parametrize("document", EXAMPLES)
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_is_an_independent_scheduler(document, clone):
    scheduler = olm.build(document, optimizer_of(*BASES))
    trained(scheduler, 3)
    twin = clone(scheduler)
    assert type(twin) is type(scheduler)
    assert twin.optimizer is not scheduler.optimizer
    assert trained(twin, 20) == wanted(document, 20, start=3)
    assert scheduler.last_epoch == 3
    assert trained(scheduler, 20) == wanted(document, 20, start=3)


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_tensor_rate_keeps_its_identity_and_follows_in_its_own_precision(document):
    tensors = [torch.tensor(0.5, dtype=torch.float64), torch.tensor(0.1)]
    bases = [tensor.item() for tensor in tensors]
    scheduler = olm.build(document, optimizer_of(*tensors, make=AdamW))
    for step in range(30):
        exact = wanted(document, 1, bases, start=step)[0]
        assert tensors[0].item() == exact[0]
        assert tensors[1].item() == torch.tensor(exact[1], dtype=torch.float32).item()
        assert scheduler.get_last_lr() == exact
        scheduler.optimizer.step()
        advance(scheduler)
    groups = scheduler.optimizer.param_groups
    assert all(group["lr"] is tensor for group, tensor in zip(groups, tensors, strict=True))


def test_an_optimizer_state_that_turns_rates_into_tensors_is_followed():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5))
    trained(scheduler, 2)
    state = scheduler.optimizer.state_dict()
    state["param_groups"][0]["lr"] = torch.tensor(0.4)
    scheduler.optimizer.load_state_dict(state)
    scheduler.step()
    assert scheduler.optimizer.param_groups[0]["lr"].item() == pytest.approx(0.35)


def test_base_rates_can_be_changed_in_place_and_by_assignment():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5, 0.1))
    scheduler.base_lrs[0] = 1.0
    assert trained(scheduler, 2)[1] == [0.9, 0.1 * 0.9]
    scheduler.base_lrs = [2.0, 0.1]
    assert trained(scheduler, 2)[1] == [2.0 * 0.7, 0.1 * 0.7]
    assert scheduler.state_dict()["base_lrs"] == [2.0, 0.1]


def test_the_step_can_be_set_as_the_composites_of_torch_do():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5))
    scheduler.last_epoch = 6
    scheduler._update_lr()
    assert rates_of(scheduler.optimizer) == [0.5 * (1 - 7 / 10)]
    scheduler._update_lr(0)
    assert rates_of(scheduler.optimizer) == [0.5]


def test_a_param_group_that_is_added_joins_the_schedule_at_its_step():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5))
    trained(scheduler, 3)
    scheduler.optimizer.add_param_group({"params": [torch.zeros(1)], "lr": 0.1 * (1 - 3 / 10)})
    scheduler.step()
    assert rates_of(scheduler.optimizer) == [0.5 * (1 - 4 / 10), 0.1 * (1 - 4 / 10)]
    assert scheduler.base_lrs == [0.5, 0.1]
    assert scheduler.state_dict()["base_lrs"] == [0.5, 0.1]


def test_a_missing_param_group_is_an_error_before_anything_is_written():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5, 0.1))
    del scheduler.optimizer.param_groups[1]
    scheduler.optimizer.step()
    with pytest.raises(
        olm.StateError, match="has 1 param group, but this scheduler was built for 2"
    ):
        scheduler.step()
    assert (scheduler.last_epoch, rates_of(scheduler.optimizer)) == (0, [0.5])


OVERFLOWS = {
    "kind": "SequentialLR",
    "schedulers": [{"kind": "ConstantLR", "total_iters": 0}, {"kind": "ConstantLR", "factor": 10}],
    "milestones": [3],
}


def test_a_rate_that_overflows_is_an_error_at_its_step_and_not_before():
    scheduler = olm.build(OVERFLOWS, optimizer_of(0.5, 1e308))
    assert trained(scheduler, 2) == [[0.5, 1e308]] * 2
    with pytest.raises(olm.RateError, match=r"param_groups\[1\] at step 3 would be inf"):
        scheduler.step()
    assert (scheduler.last_epoch, rates_of(scheduler.optimizer)) == (2, [0.5, 1e308])


@pytest.mark.parametrize(
    ("document", "bases", "error"),
    [
        ({"kind": "LinearLR", "total_steps": 0}, [0.5], "total_steps must be at least 1, found 0"),
        ({"kind": "LinearLR", "total_steps": 3}, [0.5, -1.0], r"param_groups\[1\]"),
        ({"kind": "LinearLR", "total_steps": 3}, [float("nan")], r"param_groups\[0\]"),
        ({"kind": "ConstantLR", "factor": 10}, [0.1, 1e308], "at step 0 would be inf"),
    ],
)
def test_a_failed_build_does_not_change_the_optimizer(document, bases, error):
    optimizer = optimizer_of(*(abs(base) for base in bases))
    for group, base in zip(optimizer.param_groups, bases, strict=True):
        group["lr"] = base
    before = [{**group} for group in optimizer.param_groups]
    with pytest.raises(ValueError, match=error):
        olm.build(document, optimizer)
    assert str(optimizer.param_groups) == str(before)
    assert not hasattr(optimizer.step, "_wrapped_by_lr_sched")


def test_an_epoch_is_rejected_without_a_type_error():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5))
    with pytest.raises(ValueError, match=r"step\(\) takes no epoch, found 3"):
        scheduler.step(3)
    assert scheduler.last_epoch == 0


def test_stepping_before_the_optimizer_warns_as_torch_does():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5))
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()


def test_last_epoch_lands_one_step_on_as_in_torch():
    optimizer = optimizer_of(0.5)
    with pytest.raises(KeyError, match="initial_lr"):
        schedulers.LinearLR(optimizer, 10, last_epoch=3)
    optimizer.param_groups[0]["initial_lr"] = 0.5
    scheduler = schedulers.LinearLR(optimizer, 10, last_epoch=3)
    assert (scheduler.last_epoch, rates_of(optimizer)) == (4, [0.5 * 0.6])
    for odd in (-2, 1.5, True, "3", None):
        with pytest.raises(ValueError, match="last_epoch must be a whole number"):
            schedulers.LinearLR(optimizer, 10, last_epoch=odd)


def test_returned_rates_and_lists_are_copies():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5))
    for given in (scheduler.get_last_lr(), scheduler.get_lr(), scheduler.state_dict()["base_lrs"]):
        given[0] = 99.0
    assert trained(scheduler, 2) == wanted({"kind": "LinearLR", "total_steps": 10}, 2, (0.5,))


def test_a_scheduler_is_freed_by_reference_count_and_holds_no_optimizer():
    gc.collect()
    gc.disable()
    try:
        scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5))
        gone = [weakref.ref(scheduler), weakref.ref(scheduler.optimizer)]
        del scheduler
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


def test_anything_but_an_optimizer_is_a_type_error():
    with pytest.raises(TypeError, match="optimizer must be a torch Optimizer, found list"):
        olm.build({"kind": "LinearLR", "total_steps": 10}, [])


def test_a_spec_comes_from_a_path_a_mapping_a_schedule_a_spec_and_omegaconf(tmp_path):
    from omegaconf import OmegaConf

    document = {"kind": "WarmupCosineScheduler", "warmup_steps": 2, "total_steps": 8}
    path = tmp_path / "a.olm.yaml"
    path.write_text("kind: WarmupCosineScheduler\nwarmup_steps: 2\ntotal_steps: 8\n")
    given = [path, str(path), document, olm.parse(document), olm.parse(document).schedule]
    lazy = OmegaConf.create({"steps": 8, "lr": {**document, "total_steps": "${steps}"}})
    for spec in (*given, lazy.lr):
        assert trained(olm.build(spec, optimizer_of(0.5)), 9) == wanted(document, 9, (0.5,))


def test_the_state_is_loaded_by_torch_without_pickled_code():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 10}, optimizer_of(0.5))
    buffer = io.BytesIO()
    torch.save(scheduler.state_dict(), buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True) == scheduler.state_dict()


def test_the_catalogue_is_what_the_package_exports():
    assert {*KINDS} | {"SchedulerBase", "ScheduleLR", "build"} == {*schedulers.__all__}
    assert all(hasattr(schedulers, name) for name in schedulers.__all__)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"total_step": 9}, "LinearLR has no field `total_step` (did you mean `total_steps`?)"),
        (
            {"total_iters": 9},
            "LinearLR has no field `total_iters` (torch's LinearLR is `LinearFactorLR` here)",
        ),
        ({}, "LinearLR needs the field `total_steps`"),
    ],
)
def test_arguments_of_a_torch_class_are_refused_in_the_words_for_a_document(arguments, message):
    with pytest.raises(TypeError) as error:
        schedulers.LinearLR(optimizer_of(0.5), **arguments)
    with pytest.raises(olm.SpecError) as of_document:
        olm.parse({"kind": "LinearLR", **arguments})
    assert isinstance(error.value, olm.SpecError)
    assert str(error.value).endswith(message)
    assert error.value.problems == of_document.value.problems


@pytest.mark.parametrize("key", ["lr", "initial_lr"])
@pytest.mark.parametrize("rate", ["0.1", True])
def test_a_rate_of_a_group_that_is_no_number_is_refused_with_the_group(key, rate):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    optimizer.param_groups[0][key] = rate
    before = dict(optimizer.param_groups[0])
    with pytest.raises(olm.RateError, match=rf"param_groups\[0\]: {key} must be a number, found"):
        olm.build({"kind": "HoldLR"}, optimizer)
    assert optimizer.param_groups[0] == before
