"""Programs of `tests/distributed`, run on several ranks."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "tests" / "distributed"
TIMEOUT = 600
"""The timeout of a program, in seconds. All of them together take less."""


def torchrun(ranks, program, folder):
    """The output of a program on some ranks; an error if it fails or hangs."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    program = [str(PROGRAMS / "seeded.py"), str(PROGRAMS / program), str(folder)]
    process = subprocess.Popen(
        [*launcher, "--nproc-per-node", str(ranks), *program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        # torchrun stops its ranks when it is terminated, but not when it is killed.
        process.terminate()
        out, err = process.communicate(timeout=60)
        raise AssertionError(
            f"{program} hangs on {ranks} ranks\n{out[-2000:]}{err[-4000:]}"
        ) from None
    assert process.returncode == 0, f"{program} on {ranks} ranks\n{out[-2000:]}{err[-4000:]}"
    assert "Detected call of" not in err  # The warning about a loop in the wrong order.
    return out
