"""``tools/try.py``, olm from end to end: real data, a real kill, a real second process."""

import subprocess
import sys
from pathlib import Path

import needs

ROOT = Path(__file__).parents[1]


@needs.torch
def test_a_killed_and_resumed_run_ends_as_an_uninterrupted_one(tmp_path):
    command = [sys.executable, "tools/try.py", "--keep", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "> count: 24 epochs of 98 batches, 4 to a step\n" in done.stdout
    assert "\nschedulers[1].T_max: rest is 400 steps\n" in done.stdout
    assert "the rates of 600 steps: identical to the bit" in done.stdout
    assert "the final weights: identical to the bit" in done.stdout
    assert "the schedule ends at step 600, and so do the data: the last step, 599, " in done.stdout
    assert "trained with 0.0005008, above the floor of 0.0005\n" in done.stdout
    assert (tmp_path / "broken" / "last").read_text() == "step-000600"
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 1
    assert "has the files of an earlier run" in again.stderr
