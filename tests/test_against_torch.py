"""The schedulers of torch, stepped in parallel with ours, and composed of ours.

torch computes each rate from the previous one, hence the tolerance. `test_against_peers.py` tests
the specs with recorded rates of torch 2.13; these tests use the installed torch.
"""

import copy
import io
import json
import pickle
from itertools import accumulate
from math import isclose

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

import olm
from olm.train import schedulers
from training import optimizer_of, rates_of, trained

STEPS = st.integers(1, 60)
FACTORS = st.floats(1e-3, 1.0)
RATES = st.floats(1e-3, 1.0)
BASES = st.lists(RATES, min_size=1, max_size=3)
GAMMAS = st.floats(0.5, 1.0) | st.sampled_from([0.0, 0.1])


def constant(factor, total_iters):
    document = {"kind": "ConstantLR", "factor": factor, "total_iters": total_iters}
    return document, lambda it: lr_scheduler.ConstantLR(it, factor, total_iters)


def polynomial(total_iters, power):
    document = {"kind": "PolynomialLR", "total_iters": total_iters, "power": power}
    return document, lambda it: lr_scheduler.PolynomialLR(it, total_iters, power)


def cosine(t_max, eta_min):
    document = {"kind": "CosineAnnealingLR", "T_max": t_max, "eta_min": eta_min}
    return document, lambda it: lr_scheduler.CosineAnnealingLR(it, t_max, eta_min)


def linear_to_zero(total_iters, start):
    document = {"kind": "LinearLR", "total_steps": total_iters, "start_factor": start}
    return document, lambda it: lr_scheduler.LinearLR(it, start, 0.0, total_iters)


def in_turn(children, milestones):
    documents = [document for document, _ in children]
    document = {"kind": "SequentialLR", "schedulers": documents, "milestones": milestones}
    return document, lambda it: lr_scheduler.SequentialLR(
        it, [make(it) for _, make in children], milestones
    )


def together(children):
    documents = [document for document, _ in children]
    document = {"kind": "ChainedScheduler", "schedulers": documents}
    return document, lambda it: lr_scheduler.ChainedScheduler([make(it) for _, make in children])


def named(name, kind="", unsaid=(), **drawn):
    """A leaf whose fields are the arguments of torch, and further arguments of torch."""

    def pair(fields):
        make = getattr(lr_scheduler, name)
        return {"kind": kind or name, **fields}, lambda it: make(it, **fields, **dict(unsaid))

    return st.fixed_dictionaries(drawn).map(pair)


MULTIPLIES = {
    "ConstantLR": st.builds(constant, FACTORS, STEPS),
    "LinearLR": st.builds(linear_to_zero, STEPS, FACTORS),
    "LinearFactorLR": named(
        "LinearLR",
        "LinearFactorLR",
        start_factor=FACTORS,
        end_factor=FACTORS | st.just(0.0),
        total_iters=STEPS,
    ),
    "PolynomialLR": st.builds(polynomial, STEPS, st.sampled_from([0.5, 0.9, 1.0, 2.0, 3.0])),
    "StepLR": named("StepLR", step_size=STEPS, gamma=GAMMAS),
    "MultiStepLR": named(
        "MultiStepLR",
        milestones=st.lists(st.integers(0, 60), max_size=5).map(sorted),
        gamma=GAMMAS,
    ),
    "ExponentialLR": named("ExponentialLR", gamma=GAMMAS),
}
"""Schedules that torch computes correctly at every step, each as a spec and a torch factory.

These multiply the current rate; others set it.
"""

STILL = {"cycle_momentum": False}
LEAVES = {
    **MULTIPLIES,
    "CosineAnnealingWarmRestarts": named(
        "CosineAnnealingWarmRestarts",
        T_0=STEPS,
        T_mult=st.integers(1, 3),
        eta_min=st.just(0.0) | RATES,
    ),
    "CyclicLR": named(
        "CyclicLR",
        unsaid=STILL,
        base_lr=st.just(0.0) | RATES,
        max_lr=RATES,
        step_size_up=STEPS,
        step_size_down=st.none() | STEPS,
        mode=st.sampled_from(["triangular", "triangular2", "exp_range"]),
        gamma=FACTORS,
    ),
}
FIRST = st.one_of(*(pairs for kind, pairs in LEAVES.items() if kind != "CyclicLR"))
"""Schedules for the first part of a torch sequence: a cycle there changes other base rates."""

ONE_CYCLES = named(
    "OneCycleLR",
    unsaid=STILL,
    max_lr=RATES,
    total_steps=STEPS,
    pct_start=st.floats(0.0, 1.0),
    anneal_strategy=st.sampled_from(["cos", "linear"]),
    div_factor=st.floats(1.0, 100.0),
    final_div_factor=st.floats(1.0, 1e4),
    three_phase=st.booleans(),
)


@st.composite
def sequences(draw):
    """Schedules in sequence. A cosine equals that of torch up to its end, where its part ends."""
    turns = draw(st.lists(STEPS, min_size=0, max_size=4))
    children = [
        draw(leaves | st.builds(cosine, st.integers(turn, 60), RATES))
        for turn, leaves in zip(turns, [FIRST, *[st.one_of(*LEAVES.values())] * 3], strict=False)
    ]
    last = st.one_of(*LEAVES.values()) if turns else FIRST
    return in_turn([*children, draw(last)], [*accumulate(turns)])


@st.composite
def products(draw, depth=2):
    """Schedules multiplied; a cosine that decays to zero is a factor as well, up to its end."""
    cosines = st.builds(cosine, st.integers(70, 99), st.just(0.0))
    one = st.one_of(*MULTIPLIES.values(), cosines)
    if depth > 1:
        one |= products(depth - 1)
    return together(draw(st.lists(one, min_size=1, max_size=3)))


def same(ours, theirs, scale=0.0):
    """Whether rates are equal except for the recursion of torch, which misses zero by 1e-16."""
    return all(
        isclose(our, their, rel_tol=1e-11, abs_tol=1e-15 * scale)
        for our, their in zip(ours, theirs, strict=True)
    )


def assert_same_steps(pair, bases, steps):
    document, make = pair
    ours = trained(olm.build(document, optimizer_of(*bases)), steps)
    theirs = trained(make(optimizer_of(*bases)), steps)
    highest = max([*bases, *map(max, theirs)])
    for step, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        assert same(our, their, highest), (step, our, their)


@pytest.mark.parametrize("kind", LEAVES)
def test_a_leaf_has_the_rates_of_torch_beyond_its_end(kind):
    @settings(max_examples=100, deadline=None)
    @given(LEAVES[kind], BASES)
    def steps_alike(pair, bases):
        assert_same_steps(pair, bases, 70)

    steps_alike()


@settings(max_examples=100, deadline=None)
@given(STEPS, RATES, BASES)
def test_a_cosine_has_the_rates_of_torch_up_to_its_end(t_max, eta_min, bases):
    assert_same_steps(cosine(t_max, eta_min), bases, t_max + 1)


@settings(max_examples=100, deadline=None)
@given(STEPS, FACTORS, FACTORS, RATES)
def test_a_line_between_factors_is_a_line_to_a_rate(total_iters, start, end, base):
    line = {"kind": "LinearLR", "total_steps": total_iters, "start_factor": start}
    document = {**line, "end_lr": base * end}
    pair = (document, lambda it: lr_scheduler.LinearLR(it, start, end, total_iters))
    assert_same_steps(pair, [base], total_iters + 10)


@settings(max_examples=200, deadline=None)
@given(sequences(), BASES)
def test_a_sequence_has_the_rates_of_torch(pair, bases):
    assert_same_steps(pair, bases, max([0, *pair[0]["milestones"]]) + 70)


@settings(max_examples=200, deadline=None)
@given(products(), BASES)
def test_a_product_has_the_rates_of_torch(pair, bases):
    assert_same_steps(pair, bases, 70)


@settings(max_examples=200, deadline=None)
@given(ONE_CYCLES, BASES)
def test_one_cycle_has_the_rates_of_torch_up_to_its_end(pair, bases):
    total, share, three = (pair[0][key] for key in ("total_steps", "pct_start", "three_phase"))
    assume(share <= 0.5 or not three)
    # A phase of no steps, by which torch divides.
    assume(share * total not in (1, total))
    assert_same_steps(pair, bases, total)


@pytest.mark.parametrize(("total", "share"), [(1, 1.0), (2, 0.5), (4, 0.25)])
def test_one_cycle_skips_a_phase_of_no_steps_where_torch_divides_by_zero(total, share):
    arguments = {"max_lr": 0.5, "total_steps": total, "pct_start": share}
    with pytest.raises(ZeroDivisionError):
        lr_scheduler.OneCycleLR(optimizer_of(0.1), **arguments, **STILL)
    scheduler = olm.build({"kind": "OneCycleLR", **arguments}, optimizer_of(0.1))
    rates = [rate for (rate,) in trained(scheduler, total + 1)]
    assert rates[0] == 0.5
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == 0.5 / 25 / 1e4


@pytest.mark.parametrize("factors", [(0.0, 1.0), (1.5, 1.0), (1.0, 2.0)])
def test_a_line_may_start_at_zero_and_end_above_the_base_rate_unlike_in_torch(factors):
    start, end = factors
    with pytest.raises(ValueError, match="multiplicative factor expected"):
        lr_scheduler.LinearLR(optimizer_of(0.5), start, end)
    document = {"kind": "LinearFactorLR", "start_factor": start, "end_factor": end}
    rates = trained(olm.build(document, optimizer_of(0.5)), 8)
    assert rates[0] == [0.5 * start]
    assert rates[5:] == [[0.5 * end]] * 3


@pytest.mark.parametrize(("first", "times"), [(1, 3), (10, 3)])
def test_a_restart_is_on_time_where_torchs_step_with_an_epoch_is_late(first, times):
    starts = [first * (times**n - 1) // (times - 1) for n in range(9)]
    late = []
    for start in starts:
        theirs = lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(0.5), first, times)
        theirs.step(start)
        late.append(rates_of(theirs.optimizer) != [0.5])
    assert any(late)
    document = {"kind": "CosineAnnealingWarmRestarts", "T_0": first, "T_mult": times}
    assert olm.parse(document).lr(starts, 0.5).tolist() == [0.5] * len(starts)


@pytest.mark.parametrize(
    "pair",
    [
        linear_to_zero(3000, 1.0),
        cosine(3000, 1e-5),
        in_turn([constant(0.1, 5000), cosine(2000, 0.0)], [1000]),
    ],
)
def test_the_drift_of_torchs_recursion_over_a_long_curve_is_within_the_tolerance(pair):
    assert_same_steps(pair, (0.1, 3e-4), 3001)


def test_a_cosine_is_not_torchs_after_its_end_where_that_rises_again():
    document, make = cosine(10, 0.01)
    ours = trained(olm.build(document, optimizer_of(0.5)), 31)
    theirs = trained(make(optimizer_of(0.5)), 31)
    assert {rate for (rate,) in ours[10:]} == {0.01}
    assert theirs[20] == pytest.approx([0.5])


PARTS = [
    {"kind": "WarmupLR", "warmup_steps": 4, "start_lr": 0.01},
    {"kind": "LinearLR", "total_steps": 5, "start_factor": 0.5},
    {"kind": "SequentialLR", "schedulers": [{"kind": "ConstantLR"}] * 2, "milestones": [3]},
    {"kind": "CosineAnnealingLR", "T_max": 8},
]
MILESTONES = [4, 9, 15]
NESTED = {"kind": "SequentialLR", "schedulers": PARTS, "milestones": MILESTONES}
TORCHS = {1: lambda it: lr_scheduler.LinearLR(it, 0.5, 0.0, 5)}
LAST = 30
GROUPS = (0.5, 0.1)


def composed(theirs=()):
    """A SequentialLR of torch with schedulers of olm, and some of torch."""
    optimizer = optimizer_of(*GROUPS)
    parts = [
        TORCHS[index](optimizer) if index in theirs else olm.build(part, optimizer)
        for index, part in enumerate(PARTS)
    ]
    return lr_scheduler.SequentialLR(optimizer, parts, MILESTONES)


WHOLE = olm.parse(NESTED).lr([[step] for step in range(LAST)], list(GROUPS)).tolist()


@pytest.mark.parametrize("theirs", [(), (1,)], ids=["ours", "ours beside torch's"])
def test_our_schedulers_work_in_torchs_sequence_as_first_and_later_children(theirs):
    scheduler = composed(theirs)
    assert [part.last_epoch for part in scheduler._schedulers] == [0, -1, -1, -1]
    for step, rates in enumerate(trained(scheduler, LAST)):
        assert rates == WHOLE[step] if not theirs else same(rates, WHOLE[step], 0.5), step
        assert scheduler.get_last_lr() == rates_of(scheduler.optimizer)


@pytest.mark.parametrize("taken", [0, 1, 3, 4, 5, 9, 14, 15, 22])
def test_torchs_sequence_of_ours_resumes_from_its_state(taken):
    scheduler = composed()
    trained(scheduler, taken)
    saved = {"scheduler": scheduler.state_dict(), "optimizer": scheduler.optimizer.state_dict()}
    buffer = io.BytesIO()
    torch.save(saved, buffer)
    buffer.seek(0)
    loaded = torch.load(buffer, weights_only=True)
    assert loaded["scheduler"] == json.loads(json.dumps(saved["scheduler"]))
    again = composed()
    again.load_state_dict(loaded["scheduler"])
    assert rates_of(again.optimizer) == WHOLE[taken]
    again.optimizer.load_state_dict(loaded["optimizer"])
    assert trained(again, LAST - taken) == WHOLE[taken:]
    assert again.state_dict() == (trained(scheduler, LAST - taken), scheduler.state_dict())[1]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_torchs_sequence_of_ours_is_deep_copied(clone):
    scheduler = composed()
    trained(scheduler, 6)
    twin = clone(scheduler)
    assert {id(part.optimizer) for part in twin._schedulers} == {id(twin.optimizer)}
    assert trained(twin, LAST - 6) == trained(scheduler, LAST - 6) == WHOLE[6:]


def test_a_child_of_another_schedule_is_rejected_in_torchs_sequence_too():
    state = composed().state_dict()
    state["_schedulers"][1]["total_steps"] = 6
    with pytest.raises(olm.StateError, match="digest"):
        composed().load_state_dict(state)


@pytest.mark.parametrize("last_epoch", [-1, 0, 3, 9, 20])
def test_last_epoch_lands_on_the_step_that_torchs_closed_form_lands_on(last_epoch):
    landed = []
    for make in (
        lambda it: lr_scheduler.LambdaLR(it, lambda step: max(0.0, 1 - step / 10), last_epoch),
        lambda it: schedulers.LinearDecayLR(it, 10, last_epoch),
    ):
        optimizer = optimizer_of(0.5)
        optimizer.param_groups[0]["initial_lr"] = 0.5
        scheduler = make(optimizer)
        landed.append((scheduler.last_epoch, scheduler._step_count, rates_of(optimizer)))
    assert landed[0] == landed[1]
