"""A type checker knows the arguments of the torch classes: the fields of the kinds."""

import subprocess
import sys
from pathlib import Path

import needs

ROOT = Path(__file__).parents[1]

USE = """\
import torch
import olm
from olm.train.schedulers import ConstantLR, SequentialLR, WarmupCosineScheduler
from olm.train.schedulers.linear import LinearLR, SchedulerBase

optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
scheduler: SchedulerBase = LinearLR(optimizer, 10, end_lr=0.1, start_factor=0.5)
WarmupCosineScheduler(optimizer, warmup_steps=2, total_steps=8, last_epoch=-1)
SequentialLR(optimizer, [{"kind": "ConstantLR"}], [])
rates: list[float] = olm.build("a.olm.yaml", optimizer).get_last_lr()
rate: float = olm.load("a.olm.yaml").lr(3, base=0.1)
LinearLR(optimizer, total_step=10)
LinearLR(optimizer, "10")
ConstantLR(optimizer, total_iters=0.5)
"""

MISTAKES = {12: "call-arg", 13: "arg-type", 14: "arg-type"}


@needs.torch
def test_valid_uses_pass_and_invalid_ones_are_reported_at_their_lines(tmp_path):
    path = tmp_path / "use.py"
    path.write_text(USE)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(path)]
    done = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    found = {int(line.split(":")[1]): line.rsplit("[")[-1].rstrip("]") for line in errors}
    assert found == MISTAKES, done.stdout
