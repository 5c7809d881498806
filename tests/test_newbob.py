"""The rate that falls by the rule of new bob: by hand, against SpeechBrain's rule, in a state."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import olm
from olm.kinds.newbob import NewBob
from olm.kinds.plateau import MOST_REDUCTIONS
from olm.spec.digest import digest
from training import optimizer_of, rates_of

INF, NAN = math.inf, math.nan


class SpeechBrain:
    """SpeechBrain 1.1.2, nnet/schedulers.py, lines 184-228, after a first metric above 0."""

    def __init__(self, value, annealing_factor, improvement_threshold, patient):
        self.value, self.factor, self.threshold = value, annealing_factor, improvement_threshold
        self.patient = self.left = patient
        self.last = None

    def __call__(self, metric):
        if self.last is not None:
            improvement = 0 if self.last == 0 else (self.last - metric) / self.last
            if improvement < self.threshold:
                if self.left == 0:
                    self.value *= self.factor
                    self.left = self.patient
                else:
                    self.left -= 1
        self.last = metric
        return self.value


def curve(schedule, metrics, base=1.0):
    rates = []
    for metric in metrics:
        schedule = schedule.observe(metric)
        rates.append(schedule.lr(0, base))
    return rates


def test_a_metric_is_compared_with_the_one_before_and_not_with_the_best():
    schedule = NewBob(threshold=0.1)
    assert curve(schedule, [4.0, 2.0, 3.0, 2.5, 2.4]) == [1.0, 1.0, 0.5, 0.5, 0.25]
    plateau = olm.parse({"kind": "ReduceLROnPlateau", "patience": 0, "factor": 0.5}).schedule
    assert curve(plateau, [4.0, 2.0, 3.0, 2.5, 2.4]) == [1.0, 1.0, 0.5, 0.25, 0.125]


def test_bad_metrics_count_in_a_row_or_not():
    schedule = NewBob(patience=1, factor=0.5)
    assert curve(schedule, [4.0, 4.0, 3.0, 3.0, 3.0, 3.0]) == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_the_mode_max_wants_rises_of_a_metric():
    schedule = NewBob(mode="max", threshold=0.1, min_lr=0.3)
    assert curve(schedule, [0.5, 0.6, 0.62, 0.7, 0.6, 0.5]) == [1.0, 1.0, 0.5, 0.5, 0.3, 0.3]


def test_a_metric_below_0_is_compared_by_its_size():
    assert curve(NewBob(), [-1.0, -2.0, -1.9]) == [1.0, 1.0, 0.5]
    assert curve(NewBob(mode="max"), [-2.0, -1.0, -1.5]) == [1.0, 1.0, 0.5]


def test_a_metric_that_is_not_finite_is_no_improvement_and_is_not_compared_with():
    schedule = NewBob()
    for metric in (2.0, NAN, INF, -INF):
        schedule = schedule.observe(metric)
    assert (schedule.previous, schedule.lr(0, 1.0)) == (2.0, 0.125)
    assert schedule.observe(1.9).lr(0, 1.0) == 0.125
    json.dumps(schedule.model_dump(), allow_nan=False)


def test_after_0_nothing_is_an_improvement_but_of_a_threshold_of_0():
    assert curve(NewBob(), [0.0, -1.0]) == [1.0, 0.5]
    assert curve(NewBob(threshold=0.0), [0.0, -1.0, 0.0]) == [1.0, 1.0, 0.5]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.0, 3.0) | st.sampled_from([0.0, 1.0, 0.9975, 2.0]), max_size=40),
    st.floats(0.0, 1.0, exclude_max=True),
    st.sampled_from([0.0, 0.0025, 0.1]),
    st.integers(0, 3),
    st.floats(1e-6, 10.0),
)
def test_every_rate_is_speechbrains_to_the_bit(metrics, factor, threshold, patience, base):
    schedule = NewBob(factor=factor, threshold=threshold, patience=patience)
    theirs = SpeechBrain(base, factor, threshold, patience)
    assert curve(schedule, metrics, base) == [theirs(metric) for metric in metrics]


def test_a_state_in_the_middle_has_the_same_future_and_the_same_digest():
    document = {"kind": "NewBobLR", "patience": 1, "factor": 0.7}
    metrics = [3.0, 3.0, 2.0, 2.0, 2.1, NAN, 2.0, 1.0, 1.0]
    for half in range(len(metrics)):
        whole = olm.build(document, optimizer_of(0.8, 0.3))
        for metric in metrics[:half]:
            whole.observe(metric)
        state = json.loads(json.dumps(whole.state_dict(), allow_nan=False))
        resumed = olm.build(document, optimizer_of(0.8, 0.3))
        resumed.load_state_dict(state)
        for metric in metrics[half:]:
            whole.observe(metric), resumed.observe(metric)
            assert rates_of(resumed.optimizer) == rates_of(whole.optimizer)
        assert digest(whole.schedule) == digest(olm.parse(document).schedule) == state["digest"]


def test_less_patience_on_resume_counts_the_metrics_before():
    scheduler = olm.build({"kind": "NewBobLR", "patience": 5}, optimizer_of(1.0))
    for _ in range(4):
        scheduler.observe(1.0)
    resumed = olm.build({"kind": "NewBobLR", "patience": 1}, optimizer_of(1.0))
    resumed.load_state_dict(scheduler.state_dict(), on_change="spec")
    resumed.observe(1.0)
    assert rates_of(resumed.optimizer) == [0.5]


def test_reductions_end_at_a_number_that_a_state_can_have():
    schedule = NewBob(factor=0.99999, previous=1.0, num_reductions=MOST_REDUCTIONS)
    again = schedule.observe(1.0)
    assert again == schedule
    assert again.lr(0, 1.0) == pytest.approx(0.99999**MOST_REDUCTIONS, rel=1e-9)
