"""The training of `tools/digits.py`, stopped at step 400 of 600 and resumed for 30 epochs."""

import json
import shutil
import subprocess
import sys
from importlib import import_module
from math import cos, pi
from pathlib import Path

import pytest
import torch

import olm

TOOLS = Path(__file__).parents[1] / "tools"
AT, STEPS, LONGER = 400, 600, 750
REFUSED = """\
this state is of a run of another length
  schedulers[0].schedulers[0].warmup_steps: the checkpoint has 30, this scheduler 38 (5%)
  schedulers[0].milestones[0]: the checkpoint has 30, this scheduler 38 (5%)
  schedulers[1].T_max: the checkpoint has 400, this scheduler 550 (rest)
  the rate at step 401: 0.0250556 by the checkpoint, 0.0354028 by this scheduler
to go on with the checkpoint's: on_change="checkpoint"; with this one's, from step 400 on: \
on_change="spec"
"""


@pytest.fixture(scope="module")
def digits():
    """The tool as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        module = import_module("digits")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # As in the tool.
    yield module
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory):
    """The checkpoints of a run of 24 epochs."""
    folder = tmp_path_factory.mktemp("whole")
    digits.train(folder)
    return folder


@pytest.fixture
def stopped(digits, whole, tmp_path):
    """The folder of the same run, as if it had stopped at step 400."""
    checkpoint = tmp_path / f"step-{AT:06}"
    shutil.copytree(whole / checkpoint.name, checkpoint)
    digits.point_to(checkpoint)
    return tmp_path


def go_on(folder, *options):
    """Resume in another process."""
    command = [sys.executable, "digits.py", str(folder), *options]
    return subprocess.run(command, cwd=TOOLS, capture_output=True, text=True)


def rates(folder, step):
    return json.loads((folder / f"step-{step:06}" / "rates.json").read_text())


def schedule(epochs, digits):
    return olm.load(digits.SPEC).resolve(digits.clock(epochs)).schedule


def test_the_spec_has_the_clock_of_the_training(digits):
    clock = olm.load(digits.SPEC).clock
    assert digits.clock().differences(clock) == []
    assert (clock.total_steps, sum(1 for _ in digits.steps(digits.EPOCHS))) == (STEPS, STEPS)


def test_an_epoch_ends_with_a_step_of_fewer_batches_and_a_batch_of_fewer_images(digits):
    *full, last = digits.steps(1)
    assert {len(batches) for batches in full} == {4}
    assert [len(images) for images, _ in last] == [16, 8]


def test_the_run_ends_exactly_at_the_end_of_the_schedule(digits, whole):
    state = olm.load(whole / f"step-{STEPS:06}" / "scheduler.json")
    assert state.last_epoch == state.schedule.horizon() == STEPS
    trained = rates(whole, STEPS)
    assert trained == schedule(24, digits).lr(range(STEPS), digits.BASE_LR).tolist()
    assert trained[-1] > state.lr(STEPS, digits.BASE_LR) == 5e-4


def test_a_longer_run_is_rejected_with_its_differences_and_changes_nothing(stopped):
    done = go_on(stopped, "--epochs", "30")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", REFUSED)
    assert sorted(path.name for path in stopped.iterdir()) == ["last", "step-000400"]


def test_with_the_spec_it_resumes_and_ends_exactly_with_the_longer_run(digits, stopped):
    done = go_on(stopped, "--epochs", "30", "--on-change", "spec")
    assert done.returncode == 0, done.stderr
    assert [int(line) for line in done.stdout.splitlines()] == [*range(AT, LONGER)]
    longer, trained = schedule(30, digits), rates(stopped, LONGER)
    assert trained[:AT] == schedule(24, digits).lr(range(AT), digits.BASE_LR).tolist()
    assert trained[AT:] == longer.lr(range(AT, LONGER), digits.BASE_LR).tolist()
    # 201 steps along the half cosine of 550, as the error reports.
    by_hand = 5e-4 + (0.05 - 5e-4) * (1 + cos(pi * 201 / 550)) / 2
    assert (
        trained[AT + 1] == pytest.approx(by_hand, rel=1e-12) == pytest.approx(0.0354028, abs=5e-8)
    )
    state = olm.load(stopped / f"step-{LONGER:06}" / "scheduler.json")
    assert (state.last_epoch, state.schedule) == (longer.horizon(), longer) == (LONGER, longer)
    assert trained[-1] > state.lr(LONGER, digits.BASE_LR) == 5e-4
    # Now it belongs to the longer run, in which nothing changes.
    assert digits.train(stopped, epochs=30).get_last_lr() == [5e-4]


def test_with_the_checkpoint_it_resumes_the_old_schedule(digits, whole, stopped):
    scheduler = digits.train(stopped, epochs=30, on_change="checkpoint")
    assert scheduler.schedule == schedule(24, digits)
    assert rates(stopped, LONGER) == rates(whole, STEPS) + [5e-4] * (LONGER - STEPS)
    models = [
        torch.load(folder / f"step-{STEPS:06}" / "model.pt", weights_only=True)["model"]
        for folder in (whole, stopped)
    ]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])


@pytest.mark.parametrize("on_change", ["error", "spec", "checkpoint"])
def test_a_state_that_is_loaded_later_is_treated_the_same(digits, whole, on_change):
    state = json.loads((whole / f"step-{AT:06}" / "scheduler.json").read_text())
    optimizer = torch.optim.SGD(digits.new_model().parameters(), lr=digits.BASE_LR)
    scheduler = olm.build(digits.SPEC, optimizer, clock=digits.clock(30), on_change=on_change)
    if on_change == "error":
        with pytest.raises(olm.StateError) as caught:
            scheduler.load_state_dict(state)
        assert str(caught.value) + "\n" == REFUSED
        assert (scheduler.last_epoch, scheduler.schedule) == (0, schedule(30, digits))
        return
    scheduler.load_state_dict(state)
    epochs = 30 if on_change == "spec" else 24
    assert (scheduler.last_epoch, scheduler.schedule) == (AT, schedule(epochs, digits))
    assert scheduler.get_last_lr() == [schedule(epochs, digits).lr(AT, digits.BASE_LR)]
