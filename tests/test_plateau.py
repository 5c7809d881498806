"""The rate that a metric reduces: compared with torch, in a state, and inside compositions."""

import copy
import io
import json
import math
import pickle
from itertools import accumulate

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

import olm
from olm.train import schedulers
from training import optimizer_of, rates_of

INF, NAN = math.inf, math.nan
PLATEAU = {"kind": "ReduceLROnPlateau", "factor": 0.5, "patience": 1}
WARMUP = {"kind": "WarmupLR", "warmup_steps": 4}
FALL = {"kind": "ExponentialLR", "gamma": 0.9}
LATER = {"kind": "SequentialLR", "schedulers": [WARMUP, PLATEAU], "milestones": [4]}
TOGETHER = {"kind": "ChainedScheduler", "schedulers": [WARMUP, PLATEAU]}
LOSSES = [3.0, 2.0, 2.5, 2.5, 1.0, 1.5, 1.5, 1.5, NAN, 0.5, 0.6, 0.6]


def built(document=PLATEAU, *bases):
    return olm.build(document, optimizer_of(*(bases or (0.8,))))


def theirs(document=PLATEAU, *bases):
    """The equivalent plateau of torch."""
    arguments = {name: value for name, value in document.items() if name != "kind"}
    return lr_scheduler.ReduceLROnPlateau(optimizer_of(*(bases or (0.8,))), **arguments)


def told(scheduler, metrics):
    """The rates after a step with each metric."""
    rates = []
    for metric in metrics:
        scheduler.optimizer.step()
        scheduler.step(metric)
        rates.append(rates_of(scheduler.optimizer))
    return rates


def evaluated(scheduler, metrics, every=2):
    """The rates at the next steps, with an evaluation every few steps."""
    rates = []
    for metric in metrics:
        for _ in range(every):
            rates.append(rates_of(scheduler.optimizer))
            scheduler.optimizer.step()
            scheduler.step()
        scheduler.observe(metric)
    return rates


def remembered(scheduler):
    """The counters of the torch plateau, by its names; infinity is the best before any metric."""
    state = scheduler.state_dict()
    best = None if state["best"] in (INF, -INF) else state["best"]
    return best, state["num_bad_epochs"], state["cooldown_counter"]


def snapshot(scheduler):
    groups = [{**group} for group in scheduler.optimizer.param_groups]
    return str((scheduler.state_dict(), scheduler.get_last_lr(), scheduler._step_count, groups))


def near(ours, their):
    return all(math.isclose(*pair, rel_tol=1e-11) for pair in zip(ours, their, strict=True))


SETTINGS = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.floats(0.0, 1.0, exclude_max=True),
        "patience": st.integers(0, 3),
        "threshold": st.sampled_from([0.0, 1e-4, 0.1, 0.5]),
        "threshold_mode": st.sampled_from(["rel", "abs"]),
        "cooldown": st.integers(0, 3),
        "min_lr": st.sampled_from([0.0, 1e-3, 0.3, 2.0]),
        "eps": st.sampled_from([0.0, 1e-8, 1e-2]),
    }
)
"""The arguments of the torch class."""

FEW = st.sampled_from([0.0, 1.0, 1.0, 1.05, 2.0, -1.0, -2.0, NAN])
METRICS = st.lists(FEW | st.floats(-10, 10) | st.floats(allow_infinity=False), max_size=40)


@settings(max_examples=300, deadline=None)
@given(SETTINGS, METRICS, st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=3), st.booleans())
def test_rates_and_counters_equal_those_of_torch_after_every_metric(
    fields, metrics, bases, infinite
):
    worst = INF if fields["mode"] == "min" else -INF
    document = {"kind": "ReduceLROnPlateau", **fields}
    ours, other = built(document, *bases), theirs(document, *bases)
    for metric in [*metrics, worst, *metrics] if infinite else metrics:
        told(ours, [metric]), told(other, [metric])
        assert near(rates_of(ours.optimizer), rates_of(other.optimizer))
        assert near(ours.get_last_lr(), other.get_last_lr())
        assert remembered(ours) == remembered(other)
        assert ours.in_cooldown == other.in_cooldown
        assert ours.last_epoch == other.last_epoch


@pytest.mark.parametrize(("mode", "best"), [("min", -INF), ("max", INF)])
def test_infinity_is_never_the_best_metric_unlike_in_torch(mode, best):
    document = {**PLATEAU, "mode": mode}
    ours, other = built(document), theirs(document)
    metrics = [1.0, best, 1.0, *([2.0, 3.0, 4.0] if mode == "max" else [0.5, 0.2, 0.1])]
    assert told(other, metrics) == [[0.8], [0.8], [0.8], [0.4], [0.4], [0.2]]
    assert told(ours, metrics) == [[0.8], [0.8], [0.4], [0.4], [0.4], [0.4]]
    assert other.best == best
    assert ours.schedule.best == metrics[-1]
    json.dumps(ours.state_dict(), allow_nan=False)


@pytest.mark.parametrize("threshold", [1.0, 3.0])
def test_the_first_metric_is_the_best_where_torch_subtracts_infinities(
    threshold,
):
    document = {**PLATEAU, "threshold": threshold}
    ours, other = built(document), theirs(document)
    told(ours, [1.0]), told(other, [1.0])
    assert remembered(ours) == (1.0, 0, 0)
    assert remembered(other) == (None, 1, 0)


@pytest.mark.parametrize(
    "metric",
    [
        torch.tensor(0.5),
        torch.tensor([0.5], dtype=torch.float64),
        np.float32(0.5),
        np.array(0.5),
        np.float64(0.5),
    ],
    ids=repr,
)
def test_a_metric_can_be_a_number_of_torch_or_numpy(metric):
    scheduler = built()
    scheduler.step(metric)
    assert type(scheduler.schedule.best) is float
    assert scheduler.schedule == built().schedule.observe(0.5)


def test_it_is_an_instance_of_torchs_plateau():
    for scheduler in (built(), schedulers.ReduceLROnPlateau(optimizer_of(0.8), patience=3)):
        assert isinstance(scheduler, lr_scheduler.ReduceLROnPlateau)
        assert isinstance(scheduler, schedulers.ScheduleLR)
        assert type(scheduler) is schedulers.ReduceLROnPlateau
        assert rates_of(scheduler.optimizer) == [0.8]
        assert (scheduler.last_epoch, scheduler._step_count) == (0, 1)
    assert not isinstance(built(LATER), lr_scheduler.ReduceLROnPlateau)


def test_it_takes_the_arguments_of_torch_in_order_and_no_counters():
    positional = ("max", 0.2, 3, 0.1, "abs", 2, 1e-3, 1e-6)
    ours = schedulers.ReduceLROnPlateau(optimizer_of(0.8), *positional)
    other = lr_scheduler.ReduceLROnPlateau(optimizer_of(0.8), *positional)
    for name in ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "eps"):
        assert getattr(ours.schedule, name) == getattr(other, name)
    assert [ours.schedule.min_lr] == other.min_lrs
    with pytest.raises(TypeError, match="best"):
        schedulers.ReduceLROnPlateau(optimizer_of(0.8), best=1.0)


COOLING = {**PLATEAU, "patience": 2, "cooldown": 3}


@pytest.mark.parametrize("document", [PLATEAU, COOLING, {**COOLING, "mode": "max"}])
@pytest.mark.parametrize("seen", range(len(LOSSES)))
def test_a_state_between_any_two_metrics_is_json_and_resumes_identically(document, seen):
    scheduler = built(document, 0.8, 0.1)
    told(scheduler, LOSSES[:seen])
    state = scheduler.state_dict()
    text = json.dumps(state, allow_nan=False)
    assert json.loads(text) == state
    again = olm.build(json.loads(text), optimizer_of(0.8, 0.1))
    loaded = built(document, 0.8, 0.1)
    loaded.load_state_dict(json.loads(text))
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    read = built(document, 0.8, 0.1)
    read.load_state_dict(torch.load(buffer, weights_only=True))
    rates = rates_of(scheduler.optimizer)
    coming = told(scheduler, LOSSES[seen:])
    for other in (again, loaded, read):
        assert other.state_dict() == state
        assert rates_of(other.optimizer) == rates
        assert told(other, LOSSES[seen:]) == coming
        assert other.state_dict() == scheduler.state_dict()


def test_the_states_above_are_also_in_the_middle_of_patience_and_of_cooldown():
    scheduler = built(COOLING)
    counts = [(told(scheduler, [loss]), remembered(scheduler)[1:])[1] for loss in LOSSES]
    assert {bad for bad, _ in counts} == {0, 1, 2}
    assert {cooling for _, cooling in counts} == {0, 1, 2, 3}


def test_the_digest_depends_on_the_schedule_and_not_on_counters():
    for document in (PLATEAU, LATER, TOGETHER):
        scheduler = built(document)
        states = []
        for loss in LOSSES:
            told(scheduler, [loss])
            states.append(scheduler.state_dict())
        assert len({state["digest"] for state in states}) == 1
        assert states[0]["digest"] == built(document).state_dict()["digest"]
    other = built({**PLATEAU, "factor": 0.4}).state_dict()
    assert other["digest"] != built().state_dict()["digest"]


@pytest.mark.parametrize("document", [PLATEAU, LATER, TOGETHER])
def test_a_state_further_along_is_of_the_same_schedule(document):
    scheduler = built(document)
    told(scheduler, [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    live = built(document)
    told(live, [0.1, 3.0])
    live.load_state_dict(scheduler.state_dict(), on_change="error")
    assert live.state_dict() == scheduler.state_dict()
    assert rates_of(live.optimizer) == rates_of(scheduler.optimizer)


def alone(document):
    return document


def wrapped_up(document):
    return {"kind": "ChainedScheduler", "schedulers": [document]}


@pytest.mark.parametrize("wrapped", [alone, wrapped_up])
def test_with_another_factor_the_counters_are_kept(wrapped):
    scheduler = built(wrapped(PLATEAU), 0.8, 0.1)
    told(scheduler, [2.0] * 6)
    memory = {"best": 2.0, "num_bad_epochs": 1, "num_reductions": 2}
    assert scheduler.schedule == olm.parse(wrapped({**PLATEAU, **memory})).schedule
    state, other = scheduler.state_dict(), wrapped({**PLATEAU, "factor": 0.25})
    with pytest.raises(olm.StateError, match=r"factor: the checkpoint has 0.5, .* 0.25") as caught:
        built(other, 0.8, 0.1).load_state_dict(state)
    assert "num_bad_epochs" not in str(caught.value)
    live = built(other, 0.8, 0.1)
    live.load_state_dict(state, on_change="spec")
    assert rates_of(live.optimizer) == [0.8 / 16, 0.1 / 16]
    assert told(live, [2.0]) == [[0.8 / 64, 0.1 / 64]]
    taken = built(other, 0.8, 0.1)
    taken.load_state_dict(state, on_change="checkpoint")
    assert taken.state_dict() == state
    assert told(taken, [2.0]) == [[0.1, 0.0125]]


NO_METRICS = [True, False, "0.3", "", b"0.3", [0.3], {}, 1j, object(), 10**400]
NO_METRICS += [np.True_, np.array([1.0, 2.0]), np.array("0.3"), np.complex128(1j)]
NO_METRICS += [torch.zeros(2), torch.tensor(1j), torch.tensor(True)]


@pytest.mark.parametrize("metric", NO_METRICS)
@pytest.mark.parametrize("document", [PLATEAU, LATER, TOGETHER])
def test_anything_but_a_number_is_rejected_and_changes_nothing(document, metric):
    scheduler = built(document)
    told(scheduler, [2.0, 2.0, 2.0, 2.0, 2.0])
    before = snapshot(scheduler)
    for tell in (scheduler.step, scheduler.observe):
        with pytest.raises(olm.OlmError, match="metric"):
            tell(metric)
        assert snapshot(scheduler) == before


@pytest.mark.parametrize("given", [(), (None,)])
def test_a_plateau_takes_no_step_without_a_metric(given):
    scheduler = built()
    told(scheduler, [2.0, 2.0])
    before = snapshot(scheduler)
    with pytest.raises(olm.OlmError, match="needs a metric"):
        scheduler.step(*given)
    with pytest.raises(olm.OlmError, match="takes no epoch, found 3"):
        scheduler.step(1.0, 3)
    with pytest.raises(olm.OlmError, match="takes no epoch, found 3"):
        scheduler.step(metrics=1.0, epoch=3)
    with pytest.raises(olm.OlmError, match="metric"):
        scheduler.observe(None)
    assert snapshot(scheduler) == before
    scheduler.step(metrics=2.0)
    assert rates_of(scheduler.optimizer) == [0.4]


def test_observing_changes_the_rate_at_once_without_a_step():
    scheduler = built(PLATEAU, 0.8, 0.1)
    for _ in range(3):
        scheduler.observe(1.0)
    assert rates_of(scheduler.optimizer) == scheduler.get_last_lr() == [0.4, 0.05]
    assert (scheduler.last_epoch, scheduler._step_count) == (0, 1)
    assert told(scheduler, [1.0, 1.0]) == [[0.4, 0.05], [0.2, 0.025]]
    assert (scheduler.last_epoch, scheduler._step_count) == (2, 3)


def test_after_a_warm_up_only_later_metrics_count():
    scheduler = built(LATER)
    risen = [[0.2], [0.4], pytest.approx([0.6]), [0.8]]
    assert evaluated(scheduler, [0.1, 0.1], every=2) == risen
    # Observed at step 2 and at step 4, where the plateau starts.
    assert scheduler.schedule.schedulers[1].best == 0.1
    again = built(LATER)
    for loss in (0.1, 0.1, 0.1):
        told(again, [loss])
    assert again.schedule == olm.parse(LATER).schedule
    rates = evaluated(again, [9.0, 2.0, 2.0, 2.0, 2.0, 2.0], every=2)
    assert rates == [[0.8]] * 8 + [[0.4]] * 4
    assert again.last_epoch == 15
    assert rates_of(again.optimizer) == [0.2]


def test_beside_a_warm_up_its_factor_multiplies():
    scheduler = built(TOGETHER, 0.8, 0.4)
    rates = evaluated(scheduler, [1.0] * 6, every=1)
    falls = [1, 1, 1, 0.5, 0.5, 0.25]
    rises = [0.25, 0.5, 0.75, 1, 1, 1]
    wanted = [
        [0.8 * fall * rise, 0.4 * fall * rise] for fall, rise in zip(falls, rises, strict=True)
    ]
    assert rates == [pytest.approx(rate) for rate in wanted]


DEEP = {
    "kind": "SequentialLR",
    "schedulers": [
        WARMUP,
        {
            "kind": "ChainedScheduler",
            "schedulers": [FALL, {**LATER, "milestones": [2]}],
        },
    ],
    "milestones": [3],
}


def test_it_can_be_nested_two_levels_deep():
    scheduler = built(DEEP)
    before = scheduler.schedule
    assert told(scheduler, [1.0] * 5)
    # The plateau starts at step 5: after three steps of one warm-up and two of the other.
    assert scheduler.schedule == before
    inner = [0.9**step for step in range(2, 8)]
    factors = [1, 1, 0.5, 0.5, 0.25]
    rates = told(scheduler, [1.0] * 5)
    assert rates == [
        pytest.approx([0.8 * inner[n + 1] * factor]) for n, factor in enumerate(factors)
    ]
    plateau = scheduler.schedule.schedulers[1].schedulers[1].schedulers[1]
    assert (plateau.num_reductions, plateau.best) == (2, 1.0)
    state = json.loads(json.dumps(scheduler.state_dict(), allow_nan=False))
    again = olm.build(state, optimizer_of(0.8))
    assert told(again, [0.5, 0.6, 0.6]) == told(scheduler, [0.5, 0.6, 0.6])


def test_two_plateaus_count_independently():
    two = {"kind": "ChainedScheduler", "schedulers": [PLATEAU, {**PLATEAU, "patience": 2}]}
    scheduler = built(two)
    rates = told(scheduler, [1.0] * 4)
    assert rates == [[0.8], [0.8], [0.4], pytest.approx([0.2])]
    assert [child.num_reductions for child in scheduler.schedule.schedulers] == [1, 1]


CLOCKS = [
    {"kind": "RepeatLR", "scheduler": PLATEAU, "period": 3},
    {"kind": "RepeatLR", "scheduler": PLATEAU, "period": 3, "growth": 2.0, "count": 2},
    {"kind": "TimeLR", "scheduler": PLATEAU, "shift": 5},
    {"kind": "TimeLR", "scheduler": PLATEAU, "every": 4, "last": 2},
    {"kind": "MinimumLR", "schedulers": [PLATEAU, {"kind": "HoldLR"}]},
    {"kind": "MaximumLR", "schedulers": [PLATEAU]},
    {"kind": "SequentialLR", "schedulers": [PLATEAU], "milestones": []},
]


@pytest.mark.parametrize("document", CLOCKS, ids=lambda it: it["kind"])
def test_a_changed_time_scale_does_not_affect_metrics(document):
    assert told(built(document), LOSSES) == told(built(PLATEAU), LOSSES)


def test_each_cycle_of_a_repetition_keeps_the_reductions_of_the_previous_ones():
    waves = {"kind": "RepeatLR", "scheduler": TOGETHER, "period": 4, "shrink": 0.5}
    scheduler = built(waves)
    rises = [0.25, 0.5, 0.75, 1.0]
    assert evaluated(scheduler, [1.0] * 4, every=1) == [
        pytest.approx([0.8 * rise * fall]) for rise, fall in zip(rises, [1, 1, 1, 0.5], strict=True)
    ]
    assert rates_of(scheduler.optimizer) == pytest.approx([0.8 * 0.5 * 0.25 * 0.5])


def test_a_part_whose_turn_is_over_observes_nothing():
    document = {"kind": "SequentialLR", "schedulers": [PLATEAU, FALL], "milestones": [3]}
    scheduler = built(document)
    told(scheduler, [1.0, 1.0, 1.0])
    seen = scheduler.schedule
    assert seen.schedulers[0].num_reductions == 1
    rates = told(scheduler, [9.0] * 5)
    assert scheduler.schedule == seen
    assert rates == [pytest.approx([0.8 * 0.9**step]) for step in range(1, 6)]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
@pytest.mark.parametrize("document", [PLATEAU, COOLING, LATER, TOGETHER, DEEP])
def test_a_copy_keeps_the_counters_and_is_then_independent(document, clone):
    scheduler = built(document, 0.8, 0.1)
    told(scheduler, LOSSES[:7])
    twin = clone(scheduler)
    assert twin.optimizer is not scheduler.optimizer
    assert snapshot(twin).replace(" ", "") == snapshot(scheduler).replace(" ", "")
    state = scheduler.state_dict()
    coming = told(twin, LOSSES)
    assert scheduler.state_dict() == state
    assert told(scheduler, LOSSES) == coming
    assert twin.state_dict() == scheduler.state_dict()


def test_a_param_group_that_is_added_late_is_reduced_as_often_as_the_others():
    scheduler = built(PLATEAU)
    told(scheduler, [1.0] * 3)
    parameters = [torch.zeros(1, requires_grad=True)]
    scheduler.optimizer.add_param_group({"params": parameters, "lr": 0.2})
    assert told(scheduler, [1.0, 1.0]) == [[0.4, 0.2], [0.2, 0.1]]
    assert scheduler.state_dict()["base_lrs"] == [0.8, 0.4]


def test_an_error_while_observing_changes_nothing():
    scheduler = built(PLATEAU)
    told(scheduler, [1.0, 1.0])
    before = snapshot(scheduler)
    for tell in (scheduler.step, scheduler.observe):
        scheduler.base_lrs[0] = -1.0
        with pytest.raises(olm.RateError, match="-1"):
            tell(1.0)
        scheduler.base_lrs[0] = 0.8
        assert snapshot(scheduler) == before
    assert told(scheduler, [1.0]) == [[0.4]]


def test_a_step_to_a_rate_that_cannot_be_used_observes_nothing():
    growth = {"kind": "ExponentialLR", "gamma": 1e200}
    scheduler = built({"kind": "ChainedScheduler", "schedulers": [PLATEAU, growth]})
    told(scheduler, [1.0])
    before = snapshot(scheduler)
    with pytest.raises(olm.RateError, match="at step 2"):
        scheduler.step(1.0)
    assert snapshot(scheduler) == before
    scheduler.observe(1.0)
    assert scheduler.schedule.schedulers[0].num_bad_epochs == 1


@pytest.mark.parametrize("document", [WARMUP, FALL, {**LATER, "schedulers": [WARMUP, FALL]}])
def test_observing_does_not_change_a_schedule_without_a_metric(document):
    scheduler = built(document)
    scheduler.optimizer.step()
    scheduler.step()
    scheduler.optimizer.param_groups[0]["lr"] = 0.123
    before = snapshot(scheduler)
    scheduler.observe(1.0)
    assert snapshot(scheduler) == before
    assert not scheduler.schedule.metric_driven
    with pytest.raises(olm.OlmError, match=r"step\(\) takes no epoch, found 1.0"):
        scheduler.step(1.0)
    assert snapshot(scheduler) == before


def test_the_composites_of_torch_reject_ours_as_they_reject_torchs():
    for make in (built, theirs):
        plateau = make()
        with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
            lr_scheduler.ChainedScheduler([plateau])
        with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
            lr_scheduler.SequentialLR(plateau.optimizer, [plateau], [])


def test_torchs_sequence_of_a_composition_with_a_plateau_steps_normally():
    optimizer = optimizer_of(0.8)
    ours = olm.build(TOGETHER, optimizer)
    rest = lr_scheduler.ConstantLR(optimizer, 0.5, 3)
    sequence = lr_scheduler.SequentialLR(optimizer, [ours, rest], [6])
    rates = []
    for step in range(12):
        rates.append(rates_of(optimizer)[0])
        optimizer.step()
        sequence.step()
        if step < 5:
            ours.observe(1.0)
    assert rates[:6] == [pytest.approx(rate) for rate in [0.2, 0.4, 0.6, 0.4, 0.4, 0.2]]
    assert rates[6:] == [pytest.approx(rate) for rate in [0.4] * 3 + [0.8] * 3]


@pytest.mark.parametrize("document", [FALL, TOGETHER])
def test_a_child_of_torchs_sequence_that_has_not_started_writes_no_rate_on_observing(document):
    optimizer = optimizer_of(0.8)
    first = lr_scheduler.ConstantLR(optimizer, 0.5, 9)
    later = olm.build(document, optimizer)
    lr_scheduler.SequentialLR(optimizer, [first, later], [3])
    later.observe(1.0)
    assert rates_of(optimizer) == [0.4]
    assert later.last_epoch == -1


def test_torchs_plateau_and_ours_do_not_affect_other_schedulers():
    both = []
    for make in (built, theirs):
        plateau = make()
        decay = lr_scheduler.ExponentialLR(plateau.optimizer, 0.5)
        told(plateau, [1.0, 1.0])
        both.append((decay.last_epoch, decay.base_lrs, decay.state_dict()))
    assert both[0] == both[1]


def test_the_schedule_itself_observes_as_the_scheduler_does():
    schedule, scheduler = olm.parse(COOLING).schedule, built(COOLING)
    for after, loss in zip(
        accumulate(LOSSES, lambda it, loss: it.observe(loss), initial=schedule),
        [*LOSSES, None],
        strict=True,
    ):
        assert scheduler.schedule == after
        if loss is not None:
            told(scheduler, [loss])
    assert schedule == olm.parse(COOLING).schedule


def test_invalid_metrics_are_rejected_even_before_the_plateau_starts():
    scheduler = built(LATER)
    before = snapshot(scheduler)
    with pytest.raises(olm.OlmError, match="a metric must be a number, found"):
        scheduler.observe("0.3")
    assert snapshot(scheduler) == before


@pytest.mark.parametrize("metric", [1, 0.5, np.float32(0.5), torch.tensor(0.5), np.array(3)])
def test_a_number_can_be_of_numpy_or_torch(metric):
    seen = olm.parse({"kind": "ReduceLROnPlateau"}).schedule.observe(metric)
    assert seen.best == float(metric)
