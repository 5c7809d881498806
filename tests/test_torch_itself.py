"""A scheduler in the surroundings of torch: wrapped and compiled steps, AMP, finders, SWA."""

import functools
import json
import pickle
import warnings

import pytest
import torch
from torch.amp import GradScaler
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import LambdaLR, SequentialLR
from torch.optim.swa_utils import SWALR

import olm
from training import BASES, EXAMPLES, optimizer_of, rates_of, trained, wanted

LINEAR = {"kind": "LinearLR", "total_steps": 10}
WARMUP = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": 10}


def training_optimizer(make=SGD, **arguments):
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.ones(2)
    return make([parameter], **{"lr": 0.5, **arguments})


def counted(step):
    """A function that calls `step` and counts."""

    @functools.wraps(step)
    def counting(*args, **kwargs):
        counting.calls += 1
        return step(*args, **kwargs)

    counting.calls = 0
    return counting


@pytest.mark.parametrize("wrap", [functools.partial, counted, lambda step: lambda: step()])
def test_a_step_wrapped_before_the_scheduler_exists_works_and_is_marked(wrap):
    optimizer = training_optimizer()
    optimizer.step = wrap(optimizer.step)
    scheduler = olm.build(LINEAR, optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert trained(scheduler, 5) == wanted(LINEAR, 5, (0.5,))
    assert optimizer.param_groups[0]["params"][0][0].item() == pytest.approx(
        1 - sum(0.5 * (1 - step / 10) for step in range(5))
    )


def test_a_wrapped_step_that_is_not_called_causes_a_warning():
    optimizer = training_optimizer()
    optimizer.step = functools.partial(optimizer.step)
    scheduler = olm.build(LINEAR, optimizer)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()


# A warning of torch, when its compiler is imported.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_compiled_step_is_compiled_once_for_a_rate_that_is_a_tensor():
    """The eager backend traces like the others, and needs no compiler."""
    torch._dynamo.reset()
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    optimizer = training_optimizer(lr=torch.tensor(0.5), foreach=False)
    scheduler = olm.build(LINEAR, optimizer)
    step = torch.compile(optimizer.step, backend=backend)
    counts = []
    for _ in range(8):
        step()
        scheduler.step()
        counts.append(len(graphs))
    assert counts[0] >= 1
    assert counts[1:] == [counts[1]] * 7
    assert scheduler.last_epoch == 8


def test_a_step_that_the_grad_scaler_skips_does_not_advance_the_schedule():
    optimizer = training_optimizer()
    parameter = optimizer.param_groups[0]["params"][0]
    scheduler = olm.build(LINEAR, optimizer, only_if_stepped=True)
    scaler = GradScaler("cpu", init_scale=2.0)
    positions = []
    for finite in (True, False, False, True, True):
        parameter.grad = None
        loss = (parameter * (1.0 if finite else float("inf"))).sum()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
        positions.append(scheduler.last_epoch)
    assert positions == [1, 1, 1, 2, 3]
    assert rates_of(optimizer) == [0.5 * (1 - 3 / 10)]


def test_a_skipped_step_of_a_fused_optimizer_does_not_advance_the_schedule():
    optimizer = training_optimizer(AdamW, fused=True)
    scheduler = olm.build(LINEAR, optimizer, only_if_stepped=True)
    optimizer.grad_scale = torch.tensor(1.0)
    for found, position in ((0.0, 1), (1.0, 1), (0.0, 2)):
        optimizer.found_inf = torch.tensor(found)
        optimizer.step()
        scheduler.step()
        assert scheduler.last_epoch == position


def test_micro_batches_advance_the_schedule_once_per_optimizer_step_even_after_a_copy():
    scheduler = olm.build(LINEAR, training_optimizer(), only_if_stepped=True)
    twin = pickle.loads(pickle.dumps(scheduler))
    for each in (scheduler, twin):
        for micro_batch in range(12):
            if micro_batch % 4 == 3:
                each.optimizer.step()
            each.step()
        assert each.last_epoch == 3


def test_a_metric_is_observed_even_if_the_optimizer_has_not_stepped():
    plateau = {"kind": "ReduceLROnPlateau", "factor": 0.5, "patience": 0}
    scheduler = olm.build(plateau, training_optimizer(), only_if_stepped=True)
    scheduler.step(1.0)
    scheduler.step(2.0)
    assert (scheduler.last_epoch, scheduler.get_last_lr()) == (0, [0.25])


def test_groups_that_share_a_tensor_are_rejected_and_nothing_changes():
    shared = torch.tensor(0.1)
    optimizer = AdamW([{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)]}], lr=shared)
    with pytest.raises(olm.RateError, match=r"param_groups\[0\] and param_groups\[1\] share one"):
        olm.build(LINEAR, optimizer)
    assert "initial_lr" not in optimizer.param_groups[0]
    optimizer.param_groups[1]["lr"] = shared.clone()
    assert olm.build(LINEAR, optimizer).get_last_lr() == [shared.item()] * 2


@pytest.mark.parametrize("document", EXAMPLES)
def test_lambda_lr_accepts_a_multiplier_of_every_schedule(document):
    schedule = olm.parse(document).schedule
    if schedule.metric_driven:
        with pytest.raises(olm.OlmError, match="a multiplier cannot observe"):
            olm.multiplier(document)
        return
    factor = pickle.loads(pickle.dumps(olm.multiplier(document, base_lr=0.5)))
    ours = trained(LambdaLR(optimizer_of(0.5), factor), 30)
    theirs = wanted(document, 30, (0.5,))
    assert [rate for (rate,) in ours] == pytest.approx([rate for (rate,) in theirs], rel=1e-15)


def test_the_state_of_a_multiplier_is_plain_and_another_one_is_rejected_at_the_next_step():
    scheduler = LambdaLR(optimizer_of(0.5), olm.multiplier(LINEAR))
    trained(scheduler, 3)
    state = json.loads(json.dumps(scheduler.state_dict(), allow_nan=False))
    assert state["lr_lambdas"] == [{"spec": olm.parse(LINEAR).model_dump(), "base_lr": 1.0}]
    same = LambdaLR(optimizer_of(0.5), olm.multiplier(LINEAR))
    same.load_state_dict(state)
    assert trained(same, 3)[1:] == wanted(LINEAR, 3, (0.5,), start=3)[1:]
    other = LambdaLR(optimizer_of(0.5), olm.multiplier({**LINEAR, "total_steps": 20}))
    other.load_state_dict(state)
    with pytest.raises(olm.StateError, match="another multiplier"):
        trained(other, 1)


@pytest.mark.parametrize("base_lr", [0, -1.0, float("nan"), float("inf"), "1", None])
def test_a_multipliers_base_rate_is_above_zero(base_lr):
    with pytest.raises(olm.OlmError, match="base_lr must be a finite number above 0"):
        olm.multiplier(LINEAR, base_lr=base_lr)


def test_swa_takes_over_at_the_current_rate():
    optimizer = optimizer_of(0.5)
    scheduler = olm.build(LINEAR, optimizer)
    trained(scheduler, 5)
    assert rates_of(optimizer) == [0.25]
    averaging = SWALR(optimizer, swa_lr=0.05, anneal_epochs=4, anneal_strategy="linear")
    rates = trained(averaging, 6)
    assert rates[-1] == pytest.approx([0.05])
    assert scheduler.get_last_lr() == [0.25]


def test_a_finder_that_copies_and_restores_everything_leaves_no_trace():
    """Like a learning-rate finder: save both states, change the rates, restore both states."""
    optimizer = training_optimizer(momentum=0.9)
    scheduler = olm.build(WARMUP, optimizer)
    trained(scheduler, 4)
    kept = json.loads(json.dumps(scheduler.state_dict())), optimizer.state_dict()
    before = rates_of(optimizer)
    for rate in (1e-5, 1e-2, 10.0):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
    scheduler.load_state_dict(kept[0])
    assert rates_of(optimizer) == before
    optimizer.load_state_dict(kept[1])
    assert trained(scheduler, 5) == wanted(WARMUP, 5, (0.5,), start=4)


@pytest.mark.parametrize(
    "document",
    [example for example in EXAMPLES if example.values[0]["kind"] != "ReduceLROnPlateau"],
)
def test_any_schedule_may_be_a_child_of_torchs_sequence(document):
    optimizer = optimizer_of(*BASES)
    children = [olm.build(WARMUP, optimizer), olm.build(document, optimizer)]
    with warnings.catch_warnings():
        # A warning of torch about itself.
        warnings.simplefilter("ignore")
        sequence = SequentialLR(optimizer, children, milestones=[4])
        rates = trained(sequence, 20)
    assert rates == wanted(WARMUP, 4) + wanted(document, 16)


def test_a_step_from_before_a_state_was_loaded_does_not_count():
    scheduler = olm.build(LINEAR, training_optimizer(), only_if_stepped=True)
    state = scheduler.state_dict()
    scheduler.optimizer.step()
    scheduler.load_state_dict(state)
    scheduler.step()
    assert scheduler.last_epoch == 0
