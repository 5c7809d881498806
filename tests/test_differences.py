"""The fields in which two specs differ, and the steps at which their curves differ."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import olm
from olm.fields.types import MAX_STEPS
from olm.kinds import KINDS
from olm.kinds.constant import Constant
from olm.kinds.linear import Linear
from olm.kinds.plateau import Plateau
from olm.problem import dotted
from olm.schedule.evaluation import RateError
from olm.spec import curve_differences as partings
from olm.spec.curve_differences import RateDifference, curve_difference
from olm.spec.differences import Difference, differences
from olm.spec.digest import digest
from strategies import schedules, specs
from training import EXAMPLES, NESTED


def parsed(text):
    return olm.loads(text)


def said(a, b):
    return {dotted(one.path): (one.a, one.b) for one in differences(parsed(a), parsed(b))}


def state(schedule, *bases, step=0):
    where = {"last_epoch": step, "base_lrs": list(bases), "digest": digest(schedule)}
    return olm.parse(schedule.model_dump(mode="json") | where)


@given(specs())
def test_a_spec_equals_itself_with_every_default_written_out(document):
    spec = olm.parse(document)
    assert differences(spec, olm.parse(spec.model_dump())) == []


@given(schedules(), schedules())
def test_two_schedules_differ_in_a_field_exactly_if_they_are_unequal(one, other):
    found = differences(olm.parse(one), olm.parse(other))
    assert (found == []) == (one == other)
    assert any(not field.memory for field in found) == (digest(one) != digest(other))


@given(schedules(), schedules())
def test_exchanging_the_sides_exchanges_the_values(one, other):
    there, back = (differences(*map(olm.parse, two)) for two in ((one, other), (other, one)))
    sides = {"a": "b", "b": "a", None: None}
    turned = [
        Difference(field.path, field.b, field.a, sides[field.only_in], field.memory)
        for field in back
    ]
    assert sorted(map(repr, there)) == sorted(map(repr, turned))


def test_a_field_of_a_nested_schedule_is_reported_with_its_path():
    other = {**NESTED, "schedulers": [NESTED["schedulers"][0], dict(NESTED["schedulers"][1])]}
    inner = other["schedulers"][1]
    inner["schedulers"] = [inner["schedulers"][0], {"kind": "CosineAnnealingLR", "T_max": 7}]
    (field,) = differences(olm.parse(NESTED), olm.parse(other))
    assert dotted(field.path) == "schedulers[1].schedulers[1].T_max"
    assert (field.a, field.b) == (5, 7)


def test_of_different_kinds_the_kind_and_the_common_fields_are_reported():
    a = "{kind: WarmupCosineScheduler, warmup_steps: 2, total_steps: 10, min_lr: 0.1}"
    assert said(a, "{kind: LinearLR, total_steps: 20, end_lr: 0.5}") == {
        "kind": ("WarmupCosineScheduler", "LinearLR"),
        "total_steps": (10, 20),
    }


def test_an_item_in_only_one_list_is_reported_for_that_side():
    warmup, linear = {"kind": "WarmupLR", "warmup_steps": 2}, {"kind": "LinearLR", "total_steps": 4}
    one = {"kind": "SequentialLR", "schedulers": [warmup], "milestones": []}
    two = {"kind": "SequentialLR", "schedulers": [warmup, linear], "milestones": [2]}
    found = differences(olm.parse(one), olm.parse(two))
    assert [(dotted(field.path), field.only_in) for field in found] == [
        ("schedulers[1]", "b"),
        ("milestones[0]", "b"),
    ]
    assert found[0].b == {**linear, "end_lr": 0.0, "start_factor": 1.0}
    assert {field.only_in for field in differences(olm.parse(two), olm.parse(one))} == {"a"}


def test_base_rates_are_compared_only_if_both_have_them():
    linear = Linear(total_steps=4)
    assert differences(state(linear, 0.5, 0.1), olm.parse(linear)) == []
    assert differences(state(linear, 0.5, 0.1, step=3), state(linear, 0.5, 0.1)) == []
    fields = differences(state(linear, 0.5, 0.1), state(linear, 0.4))
    assert [(dotted(one.path), one.a, one.b, one.only_in) for one in fields] == [
        ("base_lrs[0]", 0.5, 0.4, None),
        ("base_lrs[1]", 0.1, None, "a"),
    ]


def test_counters_of_a_plateau_are_reported_apart_from_its_settings():
    fresh, moved = Plateau(patience=0), Plateau(patience=3).observe(2.0)
    fields = {
        field.path[-1]: field.memory for field in differences(*map(olm.parse, (fresh, moved)))
    }
    assert fields == {"patience": False, "best": True}


def test_durations_are_compared_by_value_and_reported_as_written():
    linear = "{{kind: LinearLR, total_steps: {}}}".format
    assert said(linear("3%"), linear("0.03dur")) == {}
    assert said(linear("3%"), linear("5%")) == {"total_steps": ("3%", "5%")}
    assert said(linear("3%"), linear(30)) == {"total_steps": ("3%", 30)}
    inside = "{{kind: PhasesLR, schedulers: [{}], lengths: [{}]}}".format
    found = differences(
        parsed(inside(linear("1ep"), "1ep")),
        parsed(
            "{kind: PhasesLR, schedulers: [{kind: LinearLR, total_steps: 1ep}, "
            "{kind: LinearLR, total_steps: rest}], lengths: [2ep, rest]}"
        ),
    )
    assert [(dotted(one.path), one.a, one.b) for one in found] == [
        (
            "schedulers[1]",
            None,
            {"kind": "LinearLR", "total_steps": "rest", "end_lr": 0.0, "start_factor": 1.0},
        ),
        ("lengths[0]", "1ep", "2ep"),
        ("lengths[1]", None, "rest"),
    ]
    json.dumps([(one.a, one.b) for one in found])


def test_a_state_is_compared_as_it_was_written():
    spec = parsed("{kind: LinearLR, total_steps: 50%}")
    counted = spec.resolve(olm.Clock(total_steps=1000))
    where = {"last_epoch": 3, "base_lrs": [0.5], "digest": digest(counted.schedule)}
    there = olm.parse(counted.model_dump() | where)
    assert differences(spec, there) == []
    (one,) = differences(parsed("{kind: LinearLR, total_steps: 500}"), there)
    assert (one.a, one.b) == (500, "50%")


def brute(a, b, bases, steps):
    """The differences of two curves, computed in the simplest way."""
    at = np.arange(steps + 1)
    one, other = a.lr(at, bases[0]), b.lr(at, bases[1])
    slack = 1e-14 * np.maximum(one, other) + 1e-15 * max(bases)
    return at, one, other, abs(other - one) > slack


@given(schedules(), schedules(), st.sampled_from([0.5, 3e-4]), st.integers(1, 3000))
def test_curves_differ_at_exactly_the_steps_where_their_rates_differ(a, b, base, steps):
    at, one, other, apart = brute(a, b, (base, base), steps)
    found = curve_difference(a, b, (base, base), steps)
    assert found.every_step
    assert found.count == apart.sum()
    if not apart.any():
        assert (found.first, found.largest, found.last, found.same_from) == (None,) * 4
        return
    first, last = at[apart][0], at[apart][-1]
    assert found.first == RateDifference(first, one[first], other[first])
    assert found.last.step == last
    assert found.same_from == (last + 1 if last < steps else None)
    assert abs(found.largest.absolute) == abs(other - one)[apart].max()
    shares = abs(other - one)[apart] / np.maximum(one, other)[apart]
    assert abs(found.largest_relative.relative) == pytest.approx(shares.max(), rel=1e-15)


@pytest.mark.parametrize("at_once", [1, 3, 64])
def test_blocks_of_any_length_give_the_same_result(at_once, monkeypatch):
    a, b = (olm.parse({"kind": "StepLR", "step_size": size}).schedule for size in (20, 30))
    whole = curve_difference(a, b, (0.5, 0.5), 200)
    monkeypatch.setattr(partings, "AT_ONCE", at_once)
    assert curve_difference(a, b, (0.5, 0.5), 200) == whole
    assert (whole.first.step, whole.largest.step, whole.largest.a) == (20, 20, 0.05)


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_curves_that_differ_and_meet_again_report_from_which_step(at_once, monkeypatch):
    monkeypatch.setattr(partings, "AT_ONCE", at_once)
    a, b = Linear(total_steps=40), Linear(total_steps=80)
    found = curve_difference(a, b, (0.5, 0.5), 100)
    assert (found.first.step, found.last.step, found.same_from, found.count) == (1, 79, 80, 79)
    assert found.largest == RateDifference(40, 0.0, 0.25)
    assert found.largest.relative == 1.0


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_curves_with_the_same_continuation_are_equal_from_where_they_meet(at_once, monkeypatch):
    monkeypatch.setattr(partings, "AT_ONCE", at_once)
    endless = KINDS["CosineAnnealingWarmRestarts"](T_0=9)
    a, b = (
        KINDS["SequentialLR"](schedulers=[Constant(factor=factor), endless], milestones=[5])
        for factor in (0.5, 1.0)
    )
    found = curve_difference(a, b, (0.5, 0.5), 100)
    assert (found.last.step, found.same_from, found.count) == (4, 5, 5)


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_sequence_of_one_has_the_curve_of_its_part(document):
    schedule = olm.parse(document).schedule
    sequence = KINDS["SequentialLR"](schedulers=[schedule], milestones=[])
    found = curve_difference(schedule, sequence, (0.5, 0.5), 500)
    assert (found.first, found.rounding, found.every_step) == (None, 0.0, True)
    assert differences(olm.parse(schedule), olm.parse(sequence))


def test_a_rounding_difference_is_reported_but_is_no_difference():
    """A recipe of torch users and our kind: cosines that differ by rounding errors."""
    parts = [KINDS["WarmupLR"](warmup_steps=10_000), KINDS["CosineAnnealingLR"](T_max=90_000)]
    recipe = KINDS["SequentialLR"](schedulers=parts, milestones=[10_000])
    ours = KINDS["WarmupCosineScheduler"](warmup_steps=10_000, total_steps=100_000)
    found = curve_difference(ours, recipe, (3e-4, 3e-4), 100_000)
    assert found.first is None
    assert 0 < found.rounding < 1e-18


def test_ten_million_steps_are_all_compared_and_one_that_differs_is_found():
    steps = 10_000_000
    flat = [Constant(factor=1.0), Constant(factor=0.5), Constant(factor=1.0)]
    odd = KINDS["SequentialLR"](schedulers=flat, milestones=[steps - 3, steps - 2])
    found = curve_difference(
        KINDS["SequentialLR"](schedulers=flat[:1], milestones=[]), odd, (0.2, 0.2), steps
    )
    assert (found.count, found.every_step) == (1, True)
    assert found.first == found.last == found.largest == RateDifference(steps - 3, 0.2, 0.1)
    assert found.same_from == steps - 2


def test_curves_that_hold_need_no_evaluation():
    a, b = Linear(total_steps=100), Linear(total_steps=100, end_lr=0.1)
    found = curve_difference(a, b, (0.5, 0.5), MAX_STEPS)
    assert (found.every_step, found.count) == (True, MAX_STEPS)
    assert (found.last.step, found.same_from) == (MAX_STEPS, None)


def test_beyond_a_hundred_million_steps_a_sample_is_compared_and_reported_as_such():
    a = KINDS["WarmupCosineScheduler"](warmup_steps=2000, total_steps=10**12)
    b = KINDS["WarmupCosineScheduler"](warmup_steps=2001, total_steps=10**12)
    found = curve_difference(a, b, (0.5, 0.5), 10**12)
    assert not found.every_step
    assert 200_000 < found.looked_at < 200_020
    # At step 0 and next to the marks, wherever the other steps are.
    assert found.first.step == 0
    assert curve_difference(a, a, (0.5, 0.5), 10**12).every_step


def test_a_rate_that_cannot_be_used_is_an_error():
    huge = Constant(factor=1e300)
    with pytest.raises(RateError, match="the rate at step 0 would be inf"):
        curve_difference(huge, Linear(total_steps=4), (1e300, 1e300), 4)


def test_progress_is_reported_before_every_block(monkeypatch):
    monkeypatch.setattr(partings, "AT_ONCE", 10)
    told = []
    curve_difference(Linear(total_steps=40), Linear(total_steps=50), (0.5, 0.5), 50, told.append)
    assert told[0] == 0
    assert {later - earlier for earlier, later in pairwise(told)} == {10}
