"""Do the main job on real data: check a spec, train under it, be killed, resume, show the curve.

    python3 tools/try.py [--keep FOLDER]

A small model learns scikit-learn's handwritten digits under `specs/digits.olm.yaml`, which is said
in epochs and per cent, four batches to a step. It does so twice: once without a break, and once
killed with SIGKILL half way and resumed in a new process from the state that was saved last. Rates
and final weights of both must be the same to the bit, and the last step of the data must be that of
the schedule. The first run makes `.venv`. The exit status is 0 if all that is so.
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
    """Run the whole story and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep both runs' files there")
    options = parser.parse_args(args)
    enter()
    if options.keep:
        return story(options.keep)
    with tempfile.TemporaryDirectory() as folder:
        return story(Path(folder))


def story(folder: Path) -> int:
    """Check, count, train, be killed, resume, show and compare."""
    from digits import BASE_LR, clock, last_checkpoint

    whole, broken = folder / "whole", folder / "broken"
    if last_checkpoint(whole) or last_checkpoint(broken):
        sys.exit(f"{folder} has the files of an earlier run")
    if olm("check", SPEC):
        return 1
    count()
    say("train without a break")
    run(whole)
    say("train again, killed with SIGKILL half way")
    total = clock().total_steps
    assert total is not None
    run(broken, kill_at=total // 2)
    saved = last_checkpoint(broken)
    assert saved is not None
    say(f"the state that was saved last, {saved.name}/scheduler.json")
    print((saved / "scheduler.json").read_text(), end="")
    say("resume in a new process")
    run(broken)
    olm("show", SPEC, "--base-lr", str(BASE_LR))
    say("compare the two runs")
    return compare(whole, broken)


def count() -> None:
    """Say what the run is, and what the durations of the spec become in it."""
    from digits import ACCUMULATE, EPOCHS, clock, loader
    from olm import load

    say(f"count: {EPOCHS} epochs of {len(loader(0))} batches, {ACCUMULATE} to a step")
    print(clock())
    print(load(ROOT / SPEC).plan(clock()))


def run(folder: Path, kill_at: int | None = None) -> None:
    """Train in a process of its own and show how far it is; kill it at a step, if one is given."""
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
    """Say whether both runs had the same rates and weights, to the bit, and ended in time."""
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
    print(f"digits not trained with that the model reads correctly: {score(model):.1%}")
    return 0 if same_rates and same_weights and in_time else 1


def verdict(same: bool) -> str:
    """What is said of two things that must be the same."""
    return "the same to the bit" if same else "DIFFERENT"


def ends_in_time(end: Path, rates: list[float]) -> bool:
    """Say whether the data and the schedule had their last step at once."""
    from olm import load

    state = load(end / "scheduler.json")
    total, (base,) = state.schedule.horizon(), state.base_lrs or (0.0,)
    floor, before = state.lr(total, base), state.lr(total - 1, base)
    in_time = len(rates) == state.last_epoch == total and rates[-1] == before > floor
    data = "and so do the data" if in_time else "the data DO NOT"
    last = f"step {len(rates) - 1} trained with {rates[-1]:.4g}"
    print(f"the schedule ends at step {total}, {data}: {last}, the floor of {floor:.4g} is left")
    return in_time


def olm(*args: str) -> int:
    """Say and run a command of olm, as a person would at the root of the repository."""
    say(f"olm {' '.join(args)}")
    return subprocess.run([sys.executable, "-m", "olm", *args], cwd=ROOT).returncode


def say(text: str) -> None:
    """What comes next."""
    print(f"\n> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
