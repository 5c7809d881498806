"""A training on scikit-learn's digits whose batch doubles twice, killed and resumed."""

import subprocess
import sys
from math import cos, pi
from pathlib import Path

import pytest
import torch

from crash.lives import Life, assert_same

MICRO_BATCH = 16
GROWING = Path(__file__).parent / "crash" / "growing.py"
SAMPLES, WARMUP, BASE = 9_000, 900, 0.05
SPEC = f"""\
kind: TimeLR
axis: samples
scheduler: {{kind: WarmupDecayLR, warmup_steps: 10%, total_steps: 100%, decay: cosine}}
optimizer: {{lr: {BASE}}}
clock:
  total_steps: {SAMPLES}sp
  rounding: up
  batch_stages:
    - {{from: 0, samples: 32}}
    - {{from: 1797sp, samples: 64}}
    - {{from: 50%, samples: 128}}
"""
KILLED_AT = 77


def trained(nursery, folder):
    """The lines of a process that trains to the end."""
    life = begun(nursery, folder, 1_000)
    life.read_until("dead")
    return life


def killed(nursery, folder):
    """The lines of a process that is killed soon after it has begun a step."""
    life = begun(nursery, folder, KILLED_AT + 16)
    while KILLED_AT not in life.numbers("step"):
        life.read_until("step")
    life.kill()
    life.read_until("dead")
    return life


def begun(nursery, folder, stop):
    folder.mkdir(exist_ok=True)
    nursery.stdin.write(f"{folder} {stop}\n".encode())
    return Life(nursery)


def steps_of(life):
    """The samples before each step, its micro-batches, its rate and its loss, by step."""
    return {int(line[1]): line[2:] for line in life.said if line[0] == "step"}


def by_hand():
    """The samples before each step and its micro-batches, by a loop that counts samples."""
    seen = 0
    while seen < SAMPLES:
        batch = 32 if seen < 1_797 else 64 if seen < SAMPLES / 2 else 128
        yield seen, batch // MICRO_BATCH
        seen += batch


def rate_by_hand(seen):
    """The rate after a number of samples: a line up, then a cosine down to 0."""
    if seen < WARMUP:
        return BASE * seen / WARMUP
    return BASE / 2 * (1 + cos(pi * min((seen - WARMUP) / (SAMPLES - WARMUP), 1)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of an uninterrupted run and of one that was killed, and their lines."""
    folder = tmp_path_factory.mktemp("growing")
    spec, calm, rough = (folder / name for name in ("growing.olm.yaml", "calm", "rough"))
    spec.write_text(SPEC)
    command, pipe = [sys.executable, str(GROWING), str(spec)], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0) as nursery:
        whole, first = trained(nursery, calm), killed(nursery, rough)
        second = trained(nursery, rough)
    assert nursery.returncode == 0
    return calm, rough, whole, first, second


def test_a_run_with_a_growing_batch_that_is_killed_ends_like_an_uninterrupted_one(runs):
    calm, rough, whole, first, second = runs
    (start,) = second.numbers("start")
    assert start in {*first.numbers("save")[-1:], *first.numbers("saved")[-1:]}
    assert KILLED_AT <= start < len(steps_of(whole))
    assert steps_of(first) | steps_of(second) == steps_of(whole)
    assert steps_of(first).keys() & steps_of(second).keys() <= {start}
    last = f"training-{len(steps_of(whole))}.pt"
    assert_same(*(torch.load(folder / last) for folder in (calm, rough)))
    assert (calm / "schedule.json").read_bytes() == (rough / "schedule.json").read_bytes()


def test_the_batch_doubles_twice_and_the_last_step_takes_the_last_sample(runs):
    steps = steps_of(runs[2])
    counted = [(int(seen), int(count)) for seen, count, *_ in steps.values()]
    assert counted == [*by_hand()]
    assert [*steps] == [*range(len(counted))]
    assert [count for _, count in dict(counted).items()] == sorted(count for _, count in counted)
    assert {count for _, count in counted} == {2, 4, 8}
    (seen, count) = counted[-1]
    assert seen < SAMPLES <= seen + count * MICRO_BATCH


def test_each_step_trains_with_the_rate_at_the_samples_that_were_seen(runs):
    _, _, whole, *_ = runs
    for seen, _, rate, _ in steps_of(whole).values():
        assert float.fromhex(rate) == pytest.approx(rate_by_hand(int(seen)), abs=1e-15 * BASE)
    assert [float.fromhex(line[1]) for line in whole.said if line[0] == "end"] == [0.0]


def test_the_model_learns_while_its_batch_grows(runs):
    losses = [float(loss) for *_, loss in steps_of(runs[2]).values()]
    assert losses[0] > 2
    assert sum(losses[-10:]) / 10 < 0.3
