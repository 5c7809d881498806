"""What happens to the optimizer meanwhile. Rows 6, 7, 9b, 11, 14d and 14e."""

import copy
import functools

import pytest
import torch
from torch.amp import GradScaler
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CyclicLR,
    ExponentialLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

import olm
from failures import LINEAR, after, raised, still
from training import BASES, EXAMPLES, optimizer_of, rates_of, trained, wanted

RISE = {"kind": "LinearFactorLR", "start_factor": 0.2, "total_iters": 5}
COSINE = {"kind": "CosineAnnealingLR", "T_max": 1000}


def late_group(lr):
    return {"params": [torch.zeros(1, requires_grad=True)], "lr": lr}


@pytest.mark.reliability("6")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_group_that_is_added_joins_the_schedule_with_its_own_base_rate(document):
    """LinearLR of torch raises the rate of a group that is added late to 2.8 times its value."""
    theirs = LinearLR(optimizer_of(0.5), 0.2, total_iters=5)
    trained(theirs, 1)
    theirs.optimizer.add_param_group(late_group(1.0))
    trained(theirs, 9)
    still("the late group is far above its rate", rates_of(theirs.optimizer)[1] > 2)

    ours = after(document, 3, 0.5)
    ours.optimizer.add_param_group(late_group(1.0) | {"initial_lr": 1.0})
    assert trained(ours, 9)[1:] == wanted(document, 8, (0.5, 1.0), start=4)
    assert ours.state_dict()["base_lrs"] == [0.5, 1.0]
    live = after(document, 0, 0.5, 1.0)
    live.load_state_dict(ours.state_dict())
    assert trained(live, 9) == wanted(document, 9, (0.5, 1.0), start=12)


@pytest.mark.reliability("6")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_missing_group_is_an_error_and_nothing_changes(document):
    """When a group is removed, torch continues to assign rates by position."""
    theirs = StepLR(optimizer_of(0.5, 0.1), 1)
    del theirs.optimizer.param_groups[0]
    still("it has lost the second rate without a word", raised(trained, theirs, 3) == "nothing")

    ours = after(document, 3, *BASES)
    del ours.optimizer.param_groups[0]
    rates = rates_of(ours.optimizer)
    with pytest.raises(olm.StateError, match="has 2 param groups, but this scheduler was"):
        ours.step(*([1.0] if isinstance(ours, ReduceLROnPlateau) else []))
    with pytest.raises(olm.StateError, match="has 2 param groups, but this scheduler was"):
        ours.load_state_dict(after(document, 2, *BASES).state_dict())
    assert (ours.last_epoch, rates_of(ours.optimizer)) == (3, rates)


@pytest.mark.reliability("7")
def test_groups_that_share_a_tensor_as_their_rate_are_rejected():
    """In torch, two groups that share a tensor as their rate both get the rate of the second."""
    shared = torch.tensor(1.0, dtype=torch.float64)
    factors = [lambda step: 0.1, lambda step: 0.05]
    theirs = torch.optim.lr_scheduler.LambdaLR(optimizer_of(shared, shared), factors)
    still("both have the last rate", rates_of(theirs.optimizer) == [0.05, 0.05])

    shared = torch.tensor(0.5)
    optimizer = optimizer_of(0.1, shared, shared)
    with pytest.raises(olm.OlmError, match=r"param_groups\[1\] and param_groups\[2\] share"):
        olm.build(LINEAR, optimizer)
    assert shared.item() == 0.5
    assert not any("initial_lr" in group for group in optimizer.param_groups)
    optimizer.param_groups[2]["lr"] = shared.clone()
    assert olm.build(LINEAR, optimizer).base_lrs == [0.1, 0.5, 0.5]


@pytest.mark.reliability("7", "9a")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_tensor_rate_does_not_drift_in_its_own_precision(dtype):
    """Rates of torch that are tensors drift: in bfloat16 to 1.6 times the correct value."""
    theirs = CosineAnnealingLR(optimizer_of(torch.tensor(1.0, dtype=torch.bfloat16)), 1000)
    trained(theirs, 900)
    exact = olm.parse(COSINE).lr(900, 1.0)
    still("bfloat16 is far off", rates_of(theirs.optimizer)[0] > 1.5 * exact)

    tensor = torch.tensor(1.0, dtype=dtype)
    ours = olm.build(COSINE, optimizer_of(tensor))
    for step in range(1001):
        exact = olm.parse(COSINE).lr(step, 1.0) if step % 100 == 0 else None
        assert exact is None or tensor.item() == torch.tensor(exact, dtype=dtype).item()
        ours.optimizer.step()
        ours.step()
    assert ours.optimizer.param_groups[0]["lr"] is tensor


@pytest.mark.reliability("7")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_rate_that_turns_into_a_tensor_or_a_float_is_followed(document):
    """Loading an optimizer state replaces a rate that is a tensor, or makes it a float."""
    tensor = torch.tensor(0.5, dtype=torch.float64)
    optimizer = optimizer_of(tensor)
    optimizer.load_state_dict(optimizer_of(0.5).state_dict())
    still("the tensor is gone", isinstance(optimizer.param_groups[0]["lr"], float))

    for mine, loaded in ((0.5, torch.tensor(0.5, dtype=torch.float64)), (tensor, 0.5)):
        ours = after(document, 3, mine)
        ours.optimizer.load_state_dict(optimizer_of(loaded).state_dict())
        rates = trained(ours, 9)
        assert rates[1:] == wanted(document, 8, (0.5,), start=4)
        assert isinstance(ours.optimizer.param_groups[0]["lr"], type(loaded))
        assert all(type(rate) is float for rate in ours.state_dict()["base_lrs"])
        json_rates = [type(rate) for rate in ours.get_last_lr()]
        assert json_rates == [float]


@pytest.mark.reliability("9b")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_rate_that_was_overwritten_is_correct_at_the_next_step(document):
    """The recursive classes of torch continue from any rate they find, forever."""
    theirs, plain = (CosineAnnealingLR(optimizer_of(1.0), 10) for _ in range(2))
    trained(theirs, 5)
    theirs.optimizer.param_groups[0]["lr"] = 0.1
    trained(theirs, 4)
    trained(plain, 9)
    still("it never recovers", rates_of(theirs.optimizer)[0] < 0.5 * rates_of(plain.optimizer)[0])

    ours = after(document, 5, *BASES)
    for group in ours.optimizer.param_groups:
        group["lr"] = 0.123
    assert trained(ours, 20)[1:] == wanted(document, 19, start=6)


@pytest.mark.reliability("11b")
@pytest.mark.parametrize("document", EXAMPLES)
def test_no_scheduler_has_an_attribute_that_trainers_misinterpret(document):
    """Accelerate stops stepping any scheduler with total_steps (accelerate#843, #963)."""
    cycle = OneCycleLR(optimizer_of(0.5), 0.1, total_steps=4, cycle_momentum=False)
    still("a OneCycleLR has the attribute", cycle.total_steps == 4)

    ours = after(document, 3)
    assert not hasattr(ours, "total_steps")
    assert not callable(ours)
    assert ours
    ours._step_count = 77
    assert ours.state_dict()["last_epoch"] == 3
    assert trained(ours, 9) == wanted(document, 9, (0.5,), start=3)


@pytest.mark.reliability("11a")
@pytest.mark.parametrize("document", EXAMPLES)
def test_surplus_steps_hold_the_end_and_never_make_a_rate_negative(document):
    """A LambdaLR stepped once per process silently falls below zero (accelerate#2142, #2926)."""
    theirs = torch.optim.lr_scheduler.LambdaLR(optimizer_of(1.0), lambda step: 1 - step / 10)
    trained(theirs, 12)
    still("the rate is negative", rates_of(theirs.optimizer)[0] < 0)

    ours = olm.build(document, optimizer_of(*BASES))
    for rates in trained(ours, 300):
        assert all(0 <= rate < float("inf") for rate in rates)


@pytest.mark.reliability("11a", "11c")
def test_a_scheduler_that_is_stepped_too_often_counts_optimizer_steps():
    """In a loop with a scheduler step per micro-batch, the schedule ends early (Lightning#1476).

    So does accelerate with several processes, which steps a scheduler once for each of them.
    """
    theirs = LinearLR(optimizer_of(1.0), 1.0, 0.1, 10)
    ours = olm.build(LINEAR, optimizer_of(1.0), only_if_stepped=True)
    for micro_batch in range(12):
        for scheduler in (theirs, ours):
            if micro_batch % 4 == 0:
                scheduler.optimizer.step()
            scheduler.step()
    still("torch's counts the calls", theirs.last_epoch == 12)
    assert (ours.last_epoch, ours.get_last_lr()) == (3, wanted(LINEAR, 1, (1.0,), start=3)[0])


@pytest.mark.reliability("11d")
def test_a_step_that_the_grad_scaler_skips_does_not_count():
    """The schedulers of torch count steps that GradScaler skipped, with a warning (#67590)."""

    def positions(make):
        parameter = torch.zeros(1, requires_grad=True)
        scheduler, scaler = make(SGD([parameter], lr=1.0)), GradScaler("cpu", init_scale=16.0)
        for factor in (float("inf"), 1.0, float("inf"), 1.0):
            parameter.grad = None
            scaler.scale((parameter * factor).sum()).backward()
            scaler.step(scheduler.optimizer)
            scaler.update()
            scheduler.step()
            yield scheduler.last_epoch

    with pytest.warns(UserWarning, match="before `optimizer.step"):
        theirs = [*positions(lambda optimizer: LinearLR(optimizer, 1.0, 0.1, 10))]
    still("torch counts them all", theirs == [1, 2, 3, 4])

    # Every warning is an error in these tests.
    ours = [*positions(lambda it: olm.build(LINEAR, it, only_if_stepped=True))]
    assert ours == [0, 1, 1, 2]


# A warning of torch, when its compiler is imported.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.reliability("14d")
@pytest.mark.parametrize("wrap", ["partial", "compiled", "function"])
def test_a_step_that_was_wrapped_earlier_does_not_matter(wrap):
    """Schedulers of torch cannot be built once step is a partial or compiled."""
    wraps = {
        "partial": functools.partial,
        "compiled": functools.partial(torch.compile, backend="eager"),
        "function": lambda step: lambda *arguments: step(*arguments),
    }
    theirs = optimizer_of(0.5)
    theirs.step = wraps["partial"](theirs.step)
    still("it is an AttributeError", raised(CosineAnnealingLR, theirs, 10) == "AttributeError")

    optimizer = optimizer_of(0.5)
    weight = optimizer.param_groups[0]["params"][0]
    weight.grad = torch.ones_like(weight)
    optimizer.step = wraps[wrap](optimizer.step)
    ours = olm.build(LINEAR, optimizer)
    # Every warning is an error in these tests.
    assert trained(ours, 12) == wanted(LINEAR, 12, (0.5,))
    assert weight[0].item() == pytest.approx(-sum(r for (r,) in wanted(LINEAR, 12, (0.5,))))


@pytest.mark.reliability("14e")
@pytest.mark.parametrize(
    "document",
    [
        {"kind": "CyclicLR", "base_lr": 0.01, "max_lr": 1.0, "step_size_up": 0},
        {"kind": "CyclicLR", "base_lr": 0.01, "max_lr": 1.0, "step_size_up": 5, "gamma": -1},
        {"kind": "ExponentialLR", "gamma": float("nan")},
        {"kind": "ConstantLR", "factor": 1e300, "total_iters": 5},
        {"kind": "NoSuchLR"},
    ],
)
@pytest.mark.parametrize("base", [0.5, 1e100])
def test_a_scheduler_that_cannot_be_built_does_not_change_the_optimizer(document, base):
    """CyclicLR(step_size_up=0) of torch fails after it has changed the rate (#189374)."""
    theirs = optimizer_of(0.5)
    outcome = raised(lambda: CyclicLR(theirs, 0.01, 1.0, step_size_up=0, cycle_momentum=False))
    result = (outcome, rates_of(theirs))
    still("the rate has changed", result == ("ZeroDivisionError", [0.01]))

    optimizer = optimizer_of(base, 1e308, make=AdamW)
    before = copy.deepcopy(optimizer.state_dict()), {*vars(optimizer)}
    with pytest.raises(olm.OlmError):
        olm.build(document, optimizer)
    assert (optimizer.state_dict(), {*vars(optimizer)}) == before
    assert trained(ExponentialLR(optimizer, 0.5), 2) == [[base, 1e308], [base / 2, 5e307]]
