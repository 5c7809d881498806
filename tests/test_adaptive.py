"""The rate that a KL divergence moves both ways: against skrl's and rsl_rl's rules, and in use."""

import copy
import json
import math
from itertools import accumulate

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import olm
from olm.kinds.adaptive import KLAdaptive
from olm.spec.digest import digest
from olm.train import schedulers
from training import optimizer_of, rates_of

INF, NAN = math.inf, math.nan
ADAPTIVE = {"kind": "KLAdaptiveLR", "target_kl": 0.01, "min_lr": 1e-5, "max_lr": 1e-2}
HIGH, LOW = 0.03, 0.001


def after(schedule, metrics):
    """The schedule before the first metric and after each."""
    return [*accumulate(metrics, lambda seen, metric: seen.observe(metric), initial=schedule)]


def curve(schedule, metrics, base):
    return [seen.lr(0, base) for seen in after(schedule, metrics)]


def skrl(lr, kl, target, tolerance, factor, low, high):
    """One step of a param group: skrl 2.1.1, resources/schedulers/torch/kl_adaptive.py, 80-84."""
    if kl > target * tolerance:
        return max(lr / factor, low)
    if kl < target / tolerance:
        return min(lr * factor, high)
    return lr


def rsl_rl(lr, kl, desired_kl):
    """One update: rsl_rl 5.5.1, algorithms/ppo.py, lines 253-256."""
    if kl > desired_kl * 2.0:
        return max(1e-5, lr / 1.5)
    if kl < desired_kl / 2.0 and kl > 0.0:
        return min(1e-2, lr * 1.5)
    return lr


def schulman(beta, kl, target):
    """One policy update: Schulman et al. 2017, arXiv:1707.06347, section 4."""
    if kl < target / 1.5:
        return beta / 2
    if kl > target * 1.5:
        return beta * 2
    return beta


def stepped(rule, base, metrics, *arguments):
    return [*accumulate(metrics, lambda lr, kl: rule(lr, kl, *arguments), initial=base)]


def test_the_rates_by_hand():
    schedule = KLAdaptive(target_kl=0.01, min_lr=0.1, max_lr=0.6, factor=2.0)
    metrics = [HIGH, HIGH, HIGH, LOW, LOW, LOW, LOW, 0.01, 0.02, 0.005, HIGH]
    rates = [0.4, 0.2, 0.1, 0.1, 0.2, 0.4, 0.6, 0.6, 0.6, 0.6, 0.6, 0.3]
    assert curve(schedule, metrics, 0.4) == pytest.approx(rates, rel=1e-15)
    last = after(schedule, metrics)[-1]
    assert (last.scale, last.low, last.high) == (1.0, 0.3, 0.3)


def test_a_limit_applies_only_to_a_move_towards_it():
    schedule = KLAdaptive(target_kl=0.01, min_lr=0.1, max_lr=0.6, factor=2.0)
    assert curve(schedule, [HIGH, HIGH], 8.0) == [8.0, 4.0, 2.0]
    assert curve(schedule, [LOW], 8.0) == [8.0, 0.6]
    assert curve(schedule, [LOW, LOW], 0.01) == [0.01, 0.02, 0.04]
    assert curve(schedule, [HIGH], 0.01) == [0.01, 0.1]
    assert curve(schedule, [LOW], 0.0) == [0.0, 0.0]


def test_a_net_count_of_moves_would_be_wrong():
    """After a limit, as many rises as falls do not lead back to the base rate."""
    rates = curve(KLAdaptive(target_kl=0.01, max_lr=2.0, factor=2.0), [LOW] * 3 + [HIGH] * 3, 1.0)
    assert rates == [1.0, 2.0, 2.0, 2.0, 1.0, 0.5, 0.25]


KLS = st.lists(
    st.sampled_from([HIGH, LOW, LOW, 0.01, 0.02, 0.005, 0.0, -1.0, NAN, INF])
    | st.floats(0.0, 0.04),
    max_size=80,
)
BASES = st.lists(st.floats(1e-8, 1.0) | st.sampled_from([0.0, 1e-5, 1e-2]), min_size=1, max_size=4)
LIMITS = st.sampled_from([(0.0, 1e-2), (1e-6, 1e-2), (1e-3, 1e-3), (1e-4, 10.0), (0.0, 0.0)])


@settings(max_examples=50, deadline=None)
@given(KLS, BASES, LIMITS, st.sampled_from([1.0, 1.1, 1.5, 2.0]), st.sampled_from([1.0, 1.5, 2.0]))
def test_three_numbers_equal_the_step_by_step_rule_for_all_base_rates(
    kls, bases, limits, factor, tolerance
):
    low, high = limits
    schedule = KLAdaptive(
        target_kl=0.01, tolerance=tolerance, factor=factor, min_lr=low, max_lr=high
    )
    rates = [seen.lr(0, np.array(bases)) for seen in after(schedule, kls)]
    theirs = [stepped(skrl, base, kls, 0.01, tolerance, factor, low, high) for base in bases]
    np.testing.assert_allclose(np.transpose(rates), theirs, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("first", "then"), [(HIGH, LOW), (LOW, HIGH)])
def test_a_rate_that_a_limit_has_cut_off_is_skrls_to_the_bit(first, then):
    kls = [first] * 40 + [then, first, then, then, then, first] * 3
    fields = {"target_kl": 0.008, "min_lr": 1e-6, "max_lr": 1e-2}
    for base in (1e-3, 3e-4, 0.7):
        ours = curve(KLAdaptive(**fields), kls, base)
        theirs = stepped(skrl, base, kls, 0.008, 2.0, 1.5, 1e-6, 1e-2)
        assert ours[41:] == theirs[41:]
        assert ours[:41] == pytest.approx(theirs[:41], rel=1e-13)


def test_a_scale_beyond_the_range_of_floats_changes_no_rate():
    fields = {"target_kl": 0.01, "min_lr": 1e-6, "max_lr": 1e-2}
    for first, then in ((HIGH, LOW), (LOW, HIGH)):
        kls = [first] * 1_900 + [then] * 30
        for base in (0.0, 1e-3):
            ours, theirs = KLAdaptive(**fields), base
            for kl in kls:
                ours, theirs = ours.observe(kl), skrl(theirs, kl, 0.01, 2.0, 1.5, 1e-6, 1e-2)
            assert ours.lr(0, base) == theirs
            json.dumps(ours.model_dump(), allow_nan=False)


@settings(max_examples=50, deadline=None)
@given(KLS, st.floats(1e-6, 0.1))
def test_positive_only_is_the_rule_of_rsl_rl(kls, base):
    schedule = KLAdaptive(target_kl=0.01, min_lr=1e-5, max_lr=1e-2, positive_only=True)
    theirs = stepped(rsl_rl, base, kls, 0.01)
    assert curve(schedule, kls, base) == pytest.approx(theirs, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(KLS, st.floats(1e-3, 10.0))
def test_above_raise_is_the_rule_of_the_penalty_coefficient(kls, base):
    schedule = KLAdaptive(target_kl=0.01, max_lr=1e300, tolerance=1.5, factor=2.0, above="raise")
    assert curve(schedule, kls, base) == stepped(schulman, base, kls, 0.01)


def test_a_metric_of_0_or_less_is_low_unless_only_positive_metrics_count():
    schedule, positive = (
        KLAdaptive(target_kl=0.01, max_lr=1.0, factor=2.0, positive_only=only)
        for only in (False, True)
    )
    for metric in (0.0, -1e-9, -1.0):
        assert schedule.observe(metric).lr(0, 0.1) == 0.2
        assert positive.observe(metric) is positive
    for metric in (NAN, 0.01, 0.02, 0.005):
        assert schedule.observe(metric) is schedule
    assert schedule.observe(INF).lr(0, 0.1) == 0.05


@pytest.mark.parametrize("kl", [torch.tensor(0.03), np.float32(0.03), torch.tensor([0.03]), 1])
def test_a_kl_may_be_a_tensor(kl):
    assert KLAdaptive(target_kl=0.01, max_lr=1.0, factor=2.0).observe(kl).lr(0, 0.5) == 0.25


def test_the_middle_of_a_run_goes_on_from_json_to_the_bit():
    kls = [HIGH, LOW, LOW, 0.01, HIGH, HIGH, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW, HIGH]
    for half in range(0, len(kls), 4):
        whole = olm.build(ADAPTIVE, optimizer_of(1e-3, 3e-4))
        for kl in kls[:half]:
            whole.optimizer.step(), whole.step(kl)
        state = json.loads(json.dumps(whole.state_dict(), allow_nan=False))
        resumed = [olm.build(state, optimizer_of(1e-3, 3e-4))]
        resumed += [olm.build(ADAPTIVE, optimizer_of(1e-3, 3e-4))]
        resumed[1].load_state_dict(copy.deepcopy(state))
        for kl in kls[half:]:
            for scheduler in (whole, *resumed):
                scheduler.optimizer.step(), scheduler.step(kl)
                assert rates_of(scheduler.optimizer) == rates_of(whole.optimizer)
        assert [scheduler.state_dict() for scheduler in resumed] == [whole.state_dict()] * 2


def test_the_digest_is_that_of_the_schedule_without_its_memory():
    spec = olm.parse(ADAPTIVE)
    seen = after(spec.schedule, [HIGH, LOW, LOW, LOW])
    assert len({digest(schedule) for schedule in seen}) == 1
    assert len({str(schedule) for schedule in seen}) > 1


def test_a_new_factor_goes_on_from_the_rate_of_the_run():
    scheduler = olm.build(ADAPTIVE, optimizer_of(1e-3))
    for kl in (HIGH, HIGH, LOW):
        scheduler.observe(kl)
    rate = rates_of(scheduler.optimizer)
    changed = {**ADAPTIVE, "factor": 2.0}
    with pytest.raises(olm.StateError, match="factor: the checkpoint has"):
        olm.build(changed, optimizer_of(1e-3)).load_state_dict(scheduler.state_dict())
    resumed = olm.build(changed, optimizer_of(1e-3))
    resumed.load_state_dict(scheduler.state_dict(), on_change="spec")
    assert rates_of(resumed.optimizer) == rate
    resumed.observe(HIGH)
    assert rates_of(resumed.optimizer) == [rate[0] / 2.0]


def test_several_metrics_of_one_step_all_count_and_a_step_needs_none():
    scheduler = schedulers.KLAdaptiveLR(
        optimizer_of(0.36), target_kl=0.01, max_lr=1.0, tolerance=2.0, factor=1.5
    )
    for _ in range(2):
        scheduler.observe(HIGH)
    assert rates_of(scheduler.optimizer) == pytest.approx([0.16])
    scheduler.optimizer.step()
    scheduler.step()
    assert (scheduler.last_epoch, scheduler.get_last_lr()) == (1, pytest.approx([0.16]))
    with pytest.raises(olm.OlmError, match="driven by a metric needs one: call observe"):
        scheduler.observe()


def test_a_warm_up_before_it_ignores_the_metrics():
    warmup = {"kind": "WarmupLR", "warmup_steps": 4}
    document = {"kind": "SequentialLR", "schedulers": [warmup, ADAPTIVE], "milestones": [4]}
    scheduler = olm.build(document, optimizer_of(9e-3))
    rates = []
    for _ in range(6):
        scheduler.optimizer.step()
        scheduler.step(HIGH)
        rates += rates_of(scheduler.optimizer)
    assert rates == pytest.approx([4.5e-3, 6.75e-3, 9e-3, 9e-3, 6e-3, 4e-3])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_lr": 0.1}, r"min_lr \(0.1\) must be at most max_lr \(0.01\)"),
        ({"factor": 0.5}, "factor must be at least 1, found 0.5"),
        ({"tolerance": 0.9}, "tolerance must be at least 1, found 0.9"),
        ({"target_kl": 0.0}, "target_kl must be above 0"),
        ({"above": "up"}, "above must be 'lower' or 'raise', found the string 'up'"),
        ({"positive_only": 1}, "positive_only must be true or false"),
        ({"desired_kl": 0.01}, "did you mean `target_kl`"),
        ({"max_lr": None}, "max_lr"),
    ],
)
def test_bad_fields_are_errors_that_name_them(fields, message):
    with pytest.raises(olm.SpecError, match=message):
        olm.parse({**ADAPTIVE, **fields})


COEFFICIENT = {
    "value": "kl_coef",
    "metric": "kl",
    "base": 0.2,
    "schedule": {
        "kind": "KLAdaptiveLR",
        "target_kl": 0.01,
        "max_lr": 10.0,
        "tolerance": 1.5,
        "factor": 2.0,
        "above": "raise",
    },
}


BASE = 10.0
"""A rate that is too high at first, and too low where the policy is nearly certain."""


def policy_of(seed, *also):
    """A policy over 8 actions, its optimizer, its scheduler, and the rewards of the actions."""
    torch.manual_seed(seed)
    logits = torch.nn.Parameter(torch.zeros(4, 8, dtype=torch.float64))
    optimizer = torch.optim.SGD([logits], lr=BASE)
    document = {"kind": "KLAdaptiveLR", "target_kl": 0.01, "min_lr": 1e-3, "max_lr": 100.0}
    rewards = torch.randn(4, 8, dtype=torch.float64)
    document |= {"also": [*also]} if also else {}
    return logits, optimizer, olm.build(document, optimizer), rewards


def trained(logits, optimizer, scheduler, rewards, updates):
    """The KL divergence and the rate of each update of a policy gradient."""
    seen = []
    for _ in range(updates):
        old = torch.distributions.Categorical(logits=logits.detach().clone())
        new = torch.distributions.Categorical(logits=logits)
        kl_coef = scheduler.values().get("kl_coef", 0.0)
        loss = -(new.probs * rewards).sum(-1).mean()
        loss = loss + kl_coef * torch.distributions.kl_divergence(old, new).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        new = torch.distributions.Categorical(logits=logits.detach())
        kl = torch.distributions.kl_divergence(old, new).mean()
        scheduler.step()
        scheduler.observe(kl, **({"kl": kl} if kl_coef else {}))
        seen.append((kl.item(), rates_of(optimizer)[0], kl_coef))
    return seen


def test_the_kl_of_a_training_is_brought_to_its_target_and_kept_there():
    seen = trained(*policy_of(0), 21)
    kls, rates, _ = zip(*seen, strict=True)
    assert kls[0] > 0.03
    assert all(0.0025 < kl < 0.025 for kl in kls[2:]), kls
    assert min(rates) < BASE / 3
    assert rates[-1] > BASE * 7


def test_a_training_with_a_rate_and_a_coefficient_goes_on_from_its_checkpoint_to_the_bit():
    whole = policy_of(1, COEFFICIENT)
    expected = trained(*whole, 20)
    assert {coefficient for *_, coefficient in expected} >= {0.2, 0.4, 0.8}
    parts = policy_of(1, COEFFICIENT)
    seen = trained(*parts, 7)
    model, optimizer, scheduler = parts[0].detach().clone(), *(p.state_dict() for p in parts[1:3])
    scheduler = json.loads(json.dumps(scheduler, allow_nan=False))
    resumed = policy_of(1, COEFFICIENT)
    with torch.no_grad():
        resumed[0].copy_(model)
    resumed[1].load_state_dict(optimizer)
    resumed[2].load_state_dict(scheduler)
    assert seen + trained(*resumed, 13) == expected
    assert resumed[2].state_dict() == whole[2].state_dict()
