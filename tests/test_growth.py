"""How the work for a document grows with it: calls of functions are counted, nothing is timed."""

import json

import pytest

import olm
from counted_calls import calls_of
from training import optimizer_of, trained


def deep(levels):
    document = {"kind": "LinearLR", "total_steps": 1000}
    for _ in range(levels - 1):
        parts = [{"kind": "WarmupLR", "warmup_steps": 2}, document]
        document = {"kind": "SequentialLR", "schedulers": parts, "milestones": [2]}
    return document


def sequence(parts):
    return {
        "kind": "SequentialLR",
        "schedulers": [{"kind": "LinearLR", "total_steps": 10} for _ in range(parts)],
        "milestones": [10 * index for index in range(1, parts)],
    }


def product(parts):
    schedulers = [{"kind": "LinearLR", "total_steps": 10, "end_lr": 1.0} for _ in range(parts)]
    return {"kind": "ChainedScheduler", "schedulers": schedulers}


def table(points):
    factors = [(1 + index % 9) / 10 for index in range(points)]
    return {"kind": "TableLR", "milestones": [*range(1, points + 1)], "factors": factors}


def targets(number):
    hold = {"kind": "HoldLR", "factor": 0.5}
    also = [{"value": f"value_{index}", "schedule": hold} for index in range(number)]
    return {"kind": "LinearLR", "total_steps": 1000, "also": also}


SIZES = [(deep, 4, 16), (sequence, 20, 200), (product, 20, 200), (table, 100, 1000)]
SIZES += [(targets, 5, 50)]


def work(document, folder):
    """The calls for a document, by what is done with it."""
    path = folder / "spec.olm.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    spec, optimizer = olm.parse(document), optimizer_of(0.5)
    scheduler = olm.build(document, optimizer)
    trained(scheduler, 3)
    state = scheduler.state_dict()
    calls = {
        "load": lambda: olm.load(path),
        "parse": lambda: olm.parse(document),
        "build": lambda: olm.build(spec, optimizer),
        "state_dict": scheduler.state_dict,
        "load_state_dict": lambda: scheduler.load_state_dict(state),
        "resume": lambda: olm.build(state, optimizer_of(0.5)),
        "steps": lambda: trained(scheduler, 100),
    }
    return {name: calls_of(call) for name, call in calls.items()}


@pytest.mark.parametrize(("make", "few", "many"), SIZES)
def test_the_work_for_a_document_grows_no_faster_than_the_document(make, few, many, tmp_path):
    small, large = make(few), make(many)
    growth = len(json.dumps(large)) / len(json.dumps(small))
    before = work(small, tmp_path)
    grown = {name: calls / before[name] for name, calls in work(large, tmp_path).items()}
    assert max(grown.values()) <= 1.1 * growth, grown
    assert grown["steps"] <= 1.5


def test_a_state_of_the_same_numbers_is_compared_without_a_look_at_each():
    scheduler = olm.build(table(1000), optimizer_of(0.5))
    state = scheduler.state_dict()
    parsing = calls_of(lambda: olm.parse(state))
    loading = calls_of(lambda: scheduler.load_state_dict(state))
    assert loading <= parsing + 300
