"""Use olm from end to end on real data: check a spec, train, get killed, resume, show the curve.

    python3 tools/try.py [--keep FOLDER]

A small model learns the handwritten digits of scikit-learn under `specs/digits.olm.yaml`, which has
durations in epochs and per cent, with four batches in a step. It is trained twice: once without
interruption, and once killed with SIGKILL half way and resumed in a new process from the last saved
state. The rates and the final weights of both runs must be identical to the bit, and the data and
the schedule must end at the same step. The first run creates `.venv`. The exit status is 0 if all
of this is true.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import ROOT, enter

SPEC = "specs/digits.olm.yaml"


def main(args: list[str]) -> int:
    """Do everything, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep the files of the runs")
    options = parser.parse_args(args)
    enter()
    if options.keep:
        return try_everything(options.keep)
    with tempfile.TemporaryDirectory() as folder:
        return try_everything(Path(folder))


def try_everything(folder: Path) -> int:
    """Check, count, train, kill, resume, show and compare."""
    from digits import clock, last_checkpoint

    whole, broken = folder / "whole", folder / "broken"
    if last_checkpoint(whole) or last_checkpoint(broken):
        sys.exit(f"{folder} has the files of an earlier run")
    if olm("check", SPEC):
        return 1
    count()
    announce("train without interruption")
    run(whole)
    announce("train again, and kill the process with SIGKILL half way")
    total = clock().total_steps
    assert total is not None
    run(broken, kill_at=total // 2)
    saved = last_checkpoint(broken)
    assert saved is not None
    announce(f"the last saved state, {saved.name}/scheduler.json")
    print((saved / "scheduler.json").read_text(), end="")
    announce("resume in a new process")
    run(broken)
    olm("show", SPEC)
    announce("compare the two runs")
    return compare(whole, broken)


def count() -> None:
    """Print the length of the run, and the durations of the spec in steps."""
    from digits import ACCUMULATE, EPOCHS, clock, loader
    from olm import load

    announce(f"count: {EPOCHS} epochs of {len(loader(0))} batches, {ACCUMULATE} to a step")
    print(clock())
    print(load(ROOT / SPEC).plan(clock()))


def run(folder: Path, kill_at: int | None = None) -> None:
    """Train in a new process with a progress bar; kill the process at a step, if one is given."""
    from tqdm import tqdm

    from digits import clock

    command = [sys.executable, str(ROOT / "tools" / "digits.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with tqdm(total=clock().total_steps, unit=" steps", file=sys.stdout, ncols=80) as bar:
            for line in process.stdout:
                bar.update(int(line) + 1 - bar.n)
                if int(line) == kill_at:
                    process.send_signal(signal.SIGKILL)
                    break
    expected = 0 if kill_at is None else -signal.SIGKILL
    if process.returncode != expected:
        sys.exit(f"the training ended with status {process.returncode}, not with {expected}")


def compare(whole: Path, broken: Path) -> int:
    """Report whether both runs have identical rates and weights, and end in time."""
    import torch

    from digits import last_checkpoint
    from handwriting import new_model, score

    ends = [end for end in map(last_checkpoint, (whole, broken)) if end]
    rates = [json.loads((end / "rates.json").read_text()) for end in ends]
    models = [torch.load(end / "model.pt", weights_only=True)["model"] for end in ends]
    same_rates = rates[0] == rates[1]
    same_weights = all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    print(f"the rates of {len(rates[0])} steps: {verdict(same_rates)}")
    print(f"the final weights: {verdict(same_weights)}")
    in_time = ends_in_time(ends[1], rates[1])
    model = new_model()
    model.load_state_dict(models[1])
    print(f"test images that the model reads correctly: {score(model):.1%}")
    return 0 if same_rates and same_weights and in_time else 1


def verdict(same: bool) -> str:
    """The result of comparing values that must be the same."""
    return "identical to the bit" if same else "DIFFERENT"


def ends_in_time(end: Path, rates: list[float]) -> bool:
    """Report whether the data and the schedule end at the same step."""
    from olm import load

    state = load(end / "scheduler.json")
    total, (base,) = state.schedule.horizon(), state.base_lrs or (0.0,)
    floor, before = state.lr(total, base), state.lr(total - 1, base)
    in_time = len(rates) == state.last_epoch == total and rates[-1] == before > floor
    data = "and so do the data" if in_time else "but the data DO NOT"
    last = f"the last step, {len(rates) - 1}, trained with {rates[-1]:.4g}"
    print(f"the schedule ends at step {total}, {data}: {last}, above the floor of {floor:.4g}")
    return in_time


def olm(*args: str) -> int:
    """Print and run a command of olm, as a person would at the root of the repository."""
    announce(f"olm {' '.join(args)}")
    return subprocess.run([sys.executable, "-m", "olm", *args], cwd=ROOT).returncode


def announce(text: str) -> None:
    """Print what comes next."""
    print(f"\n> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
