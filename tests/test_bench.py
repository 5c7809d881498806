"""`tools/bench.py`: that it measures. What it measures is no matter for a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def bench(*args):
    command = [sys.executable, "tools/bench.py", *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_a_contest_gives_a_ratio_and_the_exit_status_tells_whether_its_goal_is_met():
    done = bench("--quick", "--json", "--only", "curve LinearDecayLR")
    (result,) = json.loads(done.stdout)
    assert (result["name"], result["against"]) == ("curve LinearDecayLR", "numpy in place")
    assert result["ratio"] > 0
    assert result["met"] == (result["ratio"] <= result["goal"])
    assert done.returncode == (0 if result["met"] else 1)
    assert done.stderr == "1 of 1: curve LinearDecayLR\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--only", "nothing"], "no contest has 'nothing' in its name"),
        (["--write", "--quick"], "--write is for all contests, without --only and --quick"),
    ],
)
def test_what_cannot_be_done_is_refused(args, message):
    done = bench(*args)
    assert done.returncode == 2
    assert done.stderr.endswith(f"bench.py: error: {message}\n")
