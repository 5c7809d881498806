"""The rates of every peer, in `tests/peers`, against the specs in the same files.

`python3 tools/peers` writes them. A new peer is tested without a change here.
"""

import json
from itertools import accumulate
from pathlib import Path

import pytest

import olm
from training import optimizer_of, rates_of

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "tests/peers").glob("*.json"))
PEERS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def all_of(key):
    return [
        pytest.param(peer, row, id=f"{name}-{index}")
        for name, peer in PEERS.items()
        for index, row in enumerate(peer[key])
    ]


def near(peer, ours, theirs):
    """Whether two rates are equal, within the tolerance in the peer's file; 0 is to the bit."""
    if theirs is None:
        return False
    return abs(ours - theirs) <= peer["tolerance"] * max(abs(ours), abs(theirs))


def stepped(scheduler, start, steps, metrics=()):
    """The rates of a scheduler at ascending steps, from step `start` on."""
    rates, kept = [], {*steps}
    for step in range(start, steps[-1] + 1):
        if step in kept:
            rates += rates_of(scheduler.optimizer)
            # Imported only here, since this takes most of the time.
            scheduler.optimizer.step()
        scheduler.step(*metrics[step : step + 1])
    return rates


def curve(row):
    """The rates of the spec of a row, each computed by itself."""
    spec, metrics = olm.parse(row["olm"]), row.get("metrics", ())
    if not metrics:
        return [spec.lr(step, row["base_lr"]) for step in row["steps"]]
    assert row["steps"] == [*range(len(metrics) + 1)]
    after = accumulate(metrics, lambda seen, metric: seen.observe(metric), initial=spec.schedule)
    return [schedule.lr(step, row["base_lr"]) for step, schedule in enumerate(after)]


@pytest.mark.parametrize(("peer", "row"), all_of("rows"))
def test_the_curve_is_the_peers_except_where_the_peer_is_wrong(peer, row):
    agree = [near(peer, *pair) for pair in zip(curve(row), row["values"], strict=True)]
    assert all(agree) != ("instead" in row)


@pytest.mark.parametrize(("peer", "row"), all_of("rows"))
def test_a_scheduler_has_the_rates_of_the_curve_even_if_resumed_half_way(peer, row):
    steps, base, metrics = row["steps"], row["base_lr"], row.get("metrics", ())
    spec, rates = olm.parse(row["olm"]), curve(row)
    assert metrics or rates == spec.lr(steps, base).tolist()
    middle = len(steps) // 2
    scheduler = olm.build(spec, optimizer_of(base))
    assert stepped(scheduler, 0, steps[:middle], metrics) == rates[:middle]
    state = json.loads(json.dumps(scheduler.state_dict(), allow_nan=False))
    assert stepped(scheduler, state["last_epoch"], steps[middle:], metrics) == rates[middle:]
    again = olm.build(state, optimizer_of(base))
    assert stepped(again, state["last_epoch"], steps[middle:], metrics) == rates[middle:]


@pytest.mark.parametrize(("peer", "row"), all_of("refused"))
def test_what_the_peer_should_have_rejected_is_rejected_by_name(peer, row):
    with pytest.raises(olm.SpecError) as caught:
        olm.parse(row["olm"])
    assert row["argument"] in str(caught.value)
    assert row["argument"] in {part for problem in caught.value.problems for part in problem.path}


def test_peers_and_files_of_rates_correspond():
    assert [*PEERS] == sorted(path.stem for path in (ROOT / "tools/peers").glob("[!_]*.py"))


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_a_file_names_its_peer_and_the_command_that_writes_it(peer):
    assert {"peer", "version", "torch", "regenerate", "tolerance"} < {*peer}
    assert peer["regenerate"].startswith("python3 tools/peers ")
    assert peer["rows"]
    for row in peer["rows"]:
        assert row["steps"] == sorted({*row["steps"]})
        assert len(row["steps"]) == len(row["values"])
