"""Rates, their ends and what they are made of. Rows 9 and 12."""

import itertools
import math

import pytest
import torch
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

import olm
from failures import after, raised, snapshot, still
from training import BASES, EXAMPLES, optimizer_of, rates_of, trained, wanted

ONE_CYCLE = {"kind": "OneCycleLR", "max_lr": 0.1, "total_steps": 10}


def torchs(make, steps):
    """The rates of a scheduler of torch's, for the base rate 1."""
    return [rate for (rate,) in trained(make(optimizer_of(1.0)), steps)]


@pytest.mark.reliability("9a")
@pytest.mark.parametrize("document", EXAMPLES)
def test_the_rate_of_a_step_is_that_of_the_formula_on_every_way_there(document):
    """Torch computes each rate from the previous one; with floats, the error stays small."""
    walked = olm.build(document, optimizer_of(*BASES))
    trained(walked, 500)
    state = after(document, 3, *BASES).state_dict() | {"last_epoch": 500}
    leapt = after(document, 0, *BASES)
    leapt.load_state_dict(state)
    assert [rates_of(walked.optimizer)] == wanted(document, 1, start=500)
    assert [rates_of(leapt.optimizer)] == wanted(document, 1, start=500)


PERIODIC = ("RepeatLR", "CyclicLR", "CosineAnnealingWarmRestarts", "mirror", "repeat")
ENDING = [it for it in EXAMPLES if not any(kind in str(it.values) for kind in PERIODIC)]


@pytest.mark.reliability("9c")
@pytest.mark.parametrize("document", ENDING)
def test_no_rate_rises_again_or_raises_after_the_end(document):
    """The cosines of torch and transformers rise again after the end."""
    rates = torchs(lambda it: CosineAnnealingLR(it, 4), 9)
    still("torch's cosine rises again", rates[4] == 0.0 < rates[5] < rates[6])

    ours = olm.build(document, optimizer_of(0.5))
    rates = [rate for (rate,) in trained(ours, 1000)]
    after_the_peak = rates[rates.index(max(rates)) :]
    assert all(later <= earlier for earlier, later in itertools.pairwise(after_the_peak))


@pytest.mark.reliability("9c")
@pytest.mark.parametrize("pct_start", [0.3, 0.0, 1.0])
def test_one_cycle_ends_at_its_end_and_stays_there(pct_start):
    """OneCycleLR of torch jumps up at its last step, then raises after it has counted the step."""
    theirs = OneCycleLR(optimizer_of(1.0), 0.1, total_steps=4, cycle_momentum=False)
    rates = trained(theirs, 4)
    still("the last rate is not the lowest", rates_of(theirs.optimizer)[0] > rates[-1][0])
    outcome = raised(theirs.step)
    still("then it dies a step later", (outcome, theirs.last_epoch) == ("ValueError", 5))

    document = {**ONE_CYCLE, "pct_start": pct_start}
    ours = olm.build(document, optimizer_of(0.5))
    rates = [rate for (rate,) in trained(ours, 50)]
    assert len({*rates[10:]}) == 1
    assert rates[10] == min(rates)
    assert ours.last_epoch == 50


@pytest.mark.reliability("9d")
@pytest.mark.parametrize("total", [10, 20, 100])
def test_one_cycle_with_a_rise_of_a_single_step_is_a_schedule(total):
    """OneCycleLR of torch divides by zero when its rise is one step long."""
    with pytest.raises(ZeroDivisionError):
        OneCycleLR(optimizer_of(1.0), 0.1, total_steps=total, pct_start=1 / total)

    document = {**ONE_CYCLE, "total_steps": total, "pct_start": 1 / total}
    rates = [rate for (rate,) in trained(olm.build(document, optimizer_of(0.5)), total)]
    assert max(rates) == rates[0] == 0.1
    assert rates == sorted(rates, reverse=True)


@pytest.mark.reliability("9d")
@pytest.mark.parametrize(
    "fields",
    [
        {"div_factor": -1},
        {"div_factor": 0},
        {"total_steps": True},
        {"total_steps": 2.5},
        {"pct_start": 1.5},
        {"max_lr": -0.1},
        {"final_div_factor": math.inf},
    ],
)
def test_one_cycle_with_invalid_numbers_is_rejected(fields):
    """OneCycleLR of torch accepts total_steps=True, and a div_factor of -1: a negative rate."""
    rates = torchs(lambda it: OneCycleLR(it, 0.1, 10, div_factor=-1, cycle_momentum=False), 1)
    still("the rate is negative", rates == [-0.1])
    outcome = raised(lambda: OneCycleLR(optimizer_of(1.0), 0.1, True, cycle_momentum=False))
    still("it takes True for a length", outcome == "nothing")

    (name,) = fields
    with pytest.raises(olm.SpecError, match=name):
        olm.build({**ONE_CYCLE, **fields}, optimizer_of(0.5))


@pytest.mark.reliability("9d")
@pytest.mark.parametrize("document", EXAMPLES)
def test_no_scheduler_touches_the_momentum(document):
    """OneCycleLR of torch sets the momentum of an SGD without momentum to 0.95."""
    optimizer = optimizer_of(0.5)
    OneCycleLR(optimizer, 0.1, total_steps=10)
    still("the momentum is 0.95", optimizer.param_groups[0]["momentum"] == 0.95)

    optimizer = optimizer_of(0.5)
    rest = {key: value for key, value in optimizer.param_groups[0].items() if key != "lr"}
    trained(olm.build(document, optimizer), 20)
    assert {key: optimizer.param_groups[0][key] for key in rest} == rest
    assert {*optimizer.param_groups[0]} - {*rest} == {"lr", "initial_lr"}


@pytest.mark.reliability("9e")
def test_a_length_of_zero_is_rejected_or_ends_at_once():
    """LinearLR of torch with total_iters=0 keeps its start factor forever (#193682)."""
    rates = torchs(lambda it: LinearLR(it, 0.2, total_iters=0), 9)
    still("it never rises", rates == [0.2] * 9)

    with pytest.raises(olm.SpecError, match="total_iters must be at least 1, found 0"):
        olm.parse({"kind": "LinearFactorLR", "start_factor": 0.2, "total_iters": 0})
    over = {"kind": "ConstantLR", "factor": 0.2, "total_iters": 0}
    assert trained(olm.build(over, optimizer_of(0.5)), 3) == [[0.5]] * 3


@pytest.mark.reliability("9e")
@pytest.mark.parametrize(
    ("document", "make"),
    [
        ({"kind": "StepLR", "step_size": -2}, lambda it: StepLR(it, -2)),
        (
            {"kind": "ConstantLR", "factor": 0.5, "total_iters": 2.5},
            lambda it: ConstantLR(it, 0.5, 2.5),
        ),
        ({"kind": "LinearFactorLR", "total_iters": -1}, lambda it: LinearLR(it, total_iters=-1)),
    ],
    ids=["StepLR", "ConstantLR", "LinearLR"],
)
def test_negative_and_fractional_lengths_are_rejected(document, make):
    """Torch accepts a step_size of -2, and a ConstantLR of 2.5 steps, which never ends."""
    still("torch takes it", raised(torchs, make, 9) == "nothing")
    with pytest.raises(olm.SpecError, match=r"step_size|total_iters"):
        olm.build(document, optimizer_of(0.5))


@pytest.mark.reliability("9f")
@pytest.mark.parametrize("first", [1, 2, 3, 5, 7, 10])
@pytest.mark.parametrize("times", [1, 2, 3, 5, 7, 10])
def test_every_restart_is_on_its_step(first, times):
    """CosineAnnealingWarmRestarts of torch, set to a step, rounds a logarithm: it misses restarts.

    At 121 steps, with T_0=1 and T_mult=3, the rate is the lowest instead of the highest.
    """
    theirs = CosineAnnealingWarmRestarts(optimizer_of(1.0), 1, 3)
    theirs.step(121)
    still("the restart at step 121 is missed", theirs.get_last_lr()[0] < 0.5)

    schedule = olm.parse(
        {"kind": "CosineAnnealingWarmRestarts", "T_0": first, "T_mult": times}
    ).schedule
    restarts = [sum(first * times**cycle for cycle in range(count)) for count in range(1, 7)]
    assert [schedule.lr(step, 0.5) for step in restarts] == [0.5] * 6
    longer = [step for step in restarts if step > first > 1]
    assert all(schedule.lr(step - 1, 0.5) <= 0.25 for step in longer)


@pytest.mark.reliability("9g")
def test_a_milestone_is_the_first_step_with_the_new_rate():
    """MultiStepLR of timm drops an epoch before its milestone (timm#2745, #2753)."""
    document = {"kind": "MultiStepLR", "milestones": [2, 5], "gamma": 0.5}
    rates = [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert trained(olm.build(document, optimizer_of(1.0)), 7) == [[rate] for rate in rates]
    assert torchs(lambda it: MultiStepLR(it, [2, 5], 0.5), 7) == rates
    parts = [{"kind": "HoldLR", "factor": factor} for factor in (1.0, 0.5, 0.25)]
    sequence = {"kind": "SequentialLR", "schedulers": parts, "milestones": [2, 5]}
    assert trained(olm.build(sequence, optimizer_of(1.0)), 7) == [[rate] for rate in rates]


ODD = {
    "a gamma that is nan": (lambda it: ExponentialLR(it, math.nan), "ExponentialLR", "gamma"),
    "a gamma below 0": (lambda it: ExponentialLR(it, -1), "ExponentialLR", "gamma"),
    "a gamma without end": (lambda it: ExponentialLR(it, math.inf), "ExponentialLR", "gamma"),
    "a length below 0": (lambda it: CosineAnnealingLR(it, -5), "CosineAnnealingLR", "T_max"),
    "two steps and a half": (lambda it: CosineAnnealingLR(it, 2.5), "CosineAnnealingLR", "T_max"),
    "a floor below 0": (lambda it: CosineAnnealingLR(it, 4, -1), "CosineAnnealingLR", "eta_min"),
    "a milestone in quotes": (lambda it: MultiStepLR(it, ["2"]), "MultiStepLR", "milestones"),
    "milestones in quotes": (lambda it: MultiStepLR(it, "12"), "MultiStepLR", "milestones"),
}
VALUES = {
    "a gamma that is nan": math.nan,
    "a gamma below 0": -1,
    "a gamma without end": math.inf,
    "a length below 0": -5,
    "two steps and a half": 2.5,
    "a floor below 0": -1,
    "a milestone in quotes": ["2"],
    "milestones in quotes": "12",
}


@pytest.mark.reliability("12")
@pytest.mark.parametrize("odd", ODD)
def test_an_invalid_number_is_rejected_by_name(odd):
    """Torch accepts nan, negative and fractional settings, and trains with nan or negative rates.

    It accepts 39 of 52 odd settings (#177833, #193682, #192655).
    """
    make, kind, field = ODD[odd]
    still("torch takes it", raised(torchs, make, 5) == "nothing")

    needed = {"T_max": 4} if field == "eta_min" else {}
    with pytest.raises(olm.SpecError, match=field):
        olm.build({"kind": kind, **needed, field: VALUES[odd]}, optimizer := optimizer_of(0.5))
    assert "initial_lr" not in optimizer.param_groups[0]


@pytest.mark.reliability("12")
@pytest.mark.parametrize(
    ("document", "make"),
    [
        ({"kind": "CosineAnnealingLR", "T_max": 0}, lambda it: CosineAnnealingLR(it, 0)),
        ({"kind": "StepLR", "step_size": 0}, lambda it: StepLR(it, 0)),
    ],
    ids=["T_max", "step_size"],
)
def test_a_zero_divisor_is_rejected_when_the_spec_is_read(document, make):
    """Schedulers of torch with a length of zero raise ZeroDivisionError, some of them late."""
    still("it divides by zero", raised(torchs, make, 5) == "ZeroDivisionError")
    with pytest.raises(olm.SpecError, match="must be at least 1, found 0"):
        olm.parse(document)


@pytest.mark.reliability("12")
@pytest.mark.parametrize("base", [math.nan, math.inf, -0.5, -math.inf])
@pytest.mark.parametrize("document", EXAMPLES)
def test_an_invalid_base_rate_is_rejected(document, base):
    """SGD of torch accepts a learning rate of nan or inf, and the schedulers continue from it."""
    still("SGD takes nan", raised(optimizer_of, math.nan) == "nothing")
    still("so does a scheduler", math.isnan(torchs_last(math.nan)))

    optimizer = optimizer_of(0.1, 0.2)
    optimizer.param_groups[1]["lr"] = base
    with pytest.raises(olm.RateError, match=r"param_groups\[1\]: the base rate must be finite"):
        olm.build(document, optimizer)
    assert "initial_lr" not in optimizer.param_groups[0]
    ours = after(document, 3, *BASES)
    before = snapshot(ours)
    state = {**ours.state_dict(), "base_lrs": [0.5, 0.1, base]}
    for on_change in ("error", "checkpoint", "spec"):
        with pytest.raises(olm.StateError, match="base_lrs"):
            ours.load_state_dict(state, on_change=on_change)
        assert snapshot(ours) == before


def torchs_last(base):
    scheduler = ExponentialLR(optimizer_of(base), 0.5)
    trained(scheduler, 1)
    return rates_of(scheduler.optimizer)[0]


@pytest.mark.reliability("12")
@pytest.mark.parametrize(
    "document",
    [
        {"kind": "WarmupCosineScheduler", "warmup_steps": -1, "total_steps": 10},
        {"kind": "WarmupCosineScheduler", "warmup_steps": 20, "total_steps": 10},
        {"kind": "WarmupCosineScheduler", "warmup_steps": 0.1, "total_steps": 10},
        {"kind": "WarmupCosineScheduler", "warmup_steps": 2, "total_steps": -5},
        {"kind": "RepeatLR", "scheduler": {"kind": "HoldLR"}, "period": 3, "count": math.nan},
        {"kind": "HoldLR", "num_cycles": 2},
    ],
)
def test_an_impossible_warm_up_is_rejected(document):
    """Transformers accepts a warm-up that is negative, longer than the run or a share."""
    with pytest.raises(olm.SpecError):
        olm.build(document, optimizer_of(0.5))


@pytest.mark.reliability("12")
def test_a_metric_that_is_not_finite_is_never_the_best():
    """In torch, a metric of -inf stays the best forever: from then on, the rate only decreases."""
    theirs = ReduceLROnPlateau(optimizer_of(1.0), patience=0)
    theirs.step(-math.inf)
    still("no metric is ever better", theirs.best == -math.inf)

    plateau = {"kind": "ReduceLROnPlateau", "factor": 0.5, "patience": 1}
    ours = olm.build(plateau, optimizer_of(0.8))
    rates = []
    for metric in (2.0, -math.inf, 1.0, math.nan, 0.5, math.nan, math.inf):
        ours.step(metric)
        rates.append(ours.get_last_lr()[0])
    assert rates == [0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.4]
    assert ours.schedule.best == 0.5


@pytest.mark.reliability("12")
def test_a_rate_that_overflows_is_an_error_before_it_is_written():
    """ExponentialLR of torch with a gamma above 1 reaches inf, and trains with it."""
    theirs = ExponentialLR(optimizer_of(1e300), 1e9)
    trained(theirs, 3)
    still("the rate is inf", rates_of(theirs.optimizer) == [math.inf])

    ours = olm.build({"kind": "ExponentialLR", "gamma": 1000.0}, optimizer_of(1e305, 0.5))
    with pytest.raises(olm.RateError, match="at step 2 would be inf"):
        trained(ours, 3)
    assert (ours.last_epoch, rates_of(ours.optimizer)) == (1, [1e308, 500.0])
    assert torch.isfinite(torch.tensor(ours.get_last_lr(), dtype=torch.float64)).all()
