"""How often a scheduler validates, computes a digest and evaluates rates: counted, not timed."""

import copy
import hashlib
import pickle
import sys
from collections import Counter

import numpy as np
import pytest
import torch

import olm
from olm.schedule import schedule as schedules
from olm.spec import spec as specs
from olm.train.schedulers.read_ahead import BLOCK, FIRST_BLOCK, GROWTH, MOST_STEPS, ReadAhead
from training import BASES, EXAMPLES, NESTED, advance, optimizer_of, trained, wanted

LINEAR = {"kind": "LinearLR", "total_steps": 1_000_000}
LONGER = {**LINEAR, "total_steps": 2_000_000}
PLATEAU = {"kind": "ReduceLROnPlateau", "factor": 0.5, "patience": 0}
METRIC_DRIVEN = {
    "kind": "SequentialLR",
    "schedulers": [{"kind": "WarmupLR", "warmup_steps": 2}, PLATEAU],
    "milestones": [2],
}
DOCUMENTS = [
    *EXAMPLES,
    pytest.param(NESTED, id="nested"),
    pytest.param(METRIC_DRIVEN, id="metric-driven"),
]


@pytest.fixture
def work(monkeypatch):
    """Returns the cost of a call: digests, validated specs and schedules, blocks of rates."""
    counts = Counter()

    def count(owner, name, what):
        original = getattr(owner, name)

        def counted(*args, **kwargs):
            counts[what] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    count(hashlib, "sha256", "digests")
    count(specs, "parted", "specs")
    count(schedules, "ruled", "schedules")
    count(ReadAhead, "_evaluate", "blocks")

    def of(call):
        counts.clear()
        call()
        return dict(counts)

    return of


def on_its_way(document, steps=4):
    """A scheduler after some steps and, if it has a plateau, some metrics."""
    scheduler = olm.build(document, optimizer_of(*BASES))
    trained(scheduler, steps)
    scheduler.observe(1.0)
    scheduler.observe(2.0)
    return scheduler


@pytest.mark.parametrize("document", DOCUMENTS)
def test_state_dict_computes_one_digest_and_validates_nothing(document, work):
    assert work(on_its_way(document).state_dict) == {"digests": 1}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_loading_a_state_costs_what_parsing_it_costs_and_one_block(document, work):
    state = on_its_way(document, 9).state_dict()
    once = work(lambda: olm.parse(state))
    assert (once["digests"], once["specs"]) == (1, 1)
    for live in (on_its_way(document), olm.build(document, optimizer_of(*BASES))):
        loading = work(lambda live=live: live.load_state_dict(state))
        assert loading.pop("blocks", 0) <= 1
        assert loading == once
        assert live.state_dict() == state


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("bases", [BASES, (0.25, 0.5, 1.0)])
def test_building_from_a_state_costs_what_parsing_it_costs_and_one_block(document, bases, work):
    state = on_its_way(document, 9).state_dict()
    once = work(lambda: olm.parse(state))
    building = work(lambda: olm.build(state, optimizer_of(*bases), on_change="checkpoint"))
    assert building == once | {"blocks": 1}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_building_evaluates_one_block(document, work):
    assert work(lambda: olm.build(document, optimizer_of(*BASES)))["blocks"] == 1


@pytest.mark.parametrize("on_change", ["checkpoint", "spec"])
def test_choosing_a_side_costs_one_digest_and_one_spec(on_change, work):
    state = on_its_way(LONGER).state_dict()
    loading = work(lambda: on_its_way(LINEAR).load_state_dict(state, on_change=on_change))
    assert (loading["digests"], loading["specs"]) == (1, 2)  # One of them is for `build`.
    building = work(lambda: olm.build(state, optimizer_of(0.1, 0.2, 0.3), on_change=on_change))
    assert (building["digests"], building["specs"]) == (1, 1)


def test_counting_durations_anew_validates_no_second_spec(work):
    run, longer = olm.Clock(total_steps=1000), olm.Clock(total_steps=2000)
    document = {"kind": "WarmupCosineScheduler", "warmup_steps": "3%", "total_steps": "1dur"}
    state = olm.build(document, optimizer_of(0.5), clock=run).state_dict()
    build = work(lambda: olm.build(state, optimizer_of(0.5), clock=longer, on_change="spec"))
    assert (build["digests"], build["specs"], build["blocks"]) == (1, 1, 1)


def test_loading_a_state_of_the_same_schedule_keeps_the_block(work):
    scheduler = on_its_way(LINEAR)
    state = scheduler.state_dict()
    trained(scheduler, 5)
    assert "blocks" not in work(lambda: scheduler.load_state_dict(state))


@pytest.mark.parametrize("groups", [1, 3, 5000])
def test_the_first_block_is_short_and_those_that_continue_it_are_longer_and_longer(groups):
    bases = [0.1 * (1 + index) for index in range(groups)]
    ahead = ReadAhead(olm.parse(LINEAR).schedule, bases)
    sizes, numbers = [], FIRST_BLOCK
    for _ in range(5):
        sizes.append(max(1, min(numbers // groups, MOST_STEPS)))
        numbers = min(GROWTH * sizes[-1] * groups, BLOCK)
    assert sizes[-1] == min(BLOCK // groups, MOST_STEPS)
    first = 0
    for size in sizes:
        ahead.at(first)
        assert (ahead._evaluated[0], len(ahead._evaluated[1])) == (first, size)
        for step in range(first, first + size):
            ahead.at(step)
        assert ahead._evaluated[0] == first
        first += size
    ahead.at(900_000)
    assert (ahead._evaluated[0], len(ahead._evaluated[1])) == (900_000, sizes[0])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_last_rates_are_those_that_were_set_and_nothing_is_evaluated_for_them(document, work):
    scheduler = olm.build(document, optimizer_of(*BASES))
    for _ in range(30):
        rates = [float(group["lr"]) for group in scheduler.optimizer.param_groups]
        assert work(lambda: scheduler.get_last_lr().append(0.0)) == {}
        assert scheduler.get_last_lr() == rates
        scheduler.optimizer.step()
        advance(scheduler)


def test_the_last_rates_are_floats_in_a_list_of_their_own_whatever_happened():
    tensors = [torch.tensor(0.5), torch.tensor(0.5)]
    scheduler = olm.build(LINEAR, optimizer_of(*tensors))

    def check(scheduler, *rates):
        given = scheduler.get_last_lr()
        assert given == [*rates]
        assert {type(rate) for rate in given} == {float}
        given.clear()
        assert scheduler.get_last_lr() == scheduler.get_lr() == [*rates]

    check(scheduler, 0.5, 0.5)
    trained(scheduler, 2)
    (expected,) = wanted(LINEAR, 1, (0.5, 0.5), start=2)
    state = scheduler.state_dict()
    check(scheduler, *expected)
    check(pickle.loads(pickle.dumps(scheduler)), *expected)
    check(copy.deepcopy(scheduler), *expected)
    check(olm.build(state, optimizer_of(0.5, 0.5)), *expected)
    trained(scheduler, 7)
    scheduler.load_state_dict(state)
    check(scheduler, *expected)
    scheduler.optimizer.add_param_group(
        {"params": [torch.zeros(1)], "lr": 0.25, "initial_lr": 0.25}
    )
    assert scheduler.get_last_lr() == expected
    trained(scheduler, 1)
    check(scheduler, *wanted(LINEAR, 1, (0.5, 0.5, 0.25), start=3)[0])


def test_a_state_is_plain_whatever_was_set_by_hand():
    scheduler = on_its_way(LINEAR)
    scheduler.last_epoch = np.int64(7)
    scheduler.base_lrs[:] = [1, np.float64(0.5), -0.0]
    state = scheduler.state_dict()
    assert (state["last_epoch"], state["base_lrs"]) == (7, [1.0, 0.5, 0.0])
    assert type(state["last_epoch"]) is int
    assert [type(base) for base in state["base_lrs"]] == [float] * 3
    assert str(state["base_lrs"][2]) == "0.0"
    assert olm.parse(state).model_dump() == state


@pytest.mark.parametrize("step", ["7", 7.5, True, -2, None, 2**53 + 1])
def test_a_step_that_was_set_by_hand_and_is_none_is_refused_before_a_state_has_it(step):
    scheduler = on_its_way(LINEAR)
    scheduler.last_epoch = step
    with pytest.raises(olm.StateError, match="last_epoch must be "):
        scheduler.state_dict()


def test_a_state_that_has_not_begun_is_built_with_the_rates_of_step_0(work):
    scheduler = on_its_way(LINEAR)
    scheduler.last_epoch = -1
    state = scheduler.state_dict()
    optimizer = optimizer_of(*BASES)
    building = work(lambda: olm.build(state, optimizer))
    assert building["blocks"] == 1
    twin = olm.build(state, optimizer_of(*BASES))
    assert (twin.last_epoch, twin.state_dict()) == (-1, state)
    assert [group["lr"] for group in optimizer.param_groups] == [*BASES]


@pytest.mark.parametrize("groups", [1, 8])
def test_a_step_executes_few_instructions(groups):
    scheduler = olm.build(LINEAR, optimizer_of(*[0.1 * (1 + index) for index in range(groups)]))
    trained(scheduler, 2)
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        scheduler.step()
    finally:
        sys.settrace(before)
    assert 50 < count <= 80 + 17 * groups


def test_what_a_step_reads_are_attributes_of_the_instance():
    scheduler = olm.build(LINEAR, optimizer_of(0.5))
    trained(scheduler, 2)
    read = {"_usual", "_only_floats", "_ahead", "_step_count", "_check_at"}
    assert read <= vars(scheduler).keys()
    assert read <= vars(pickle.loads(pickle.dumps(scheduler))).keys()
