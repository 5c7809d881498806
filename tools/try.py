"""Do the main job on real data: check a spec, train under it, be killed, resume, show the curve.

    python3 tools/try.py [--keep FOLDER]

A small model learns scikit-learn's handwritten digits under `specs/digits.olm.yaml`, twice: once
without a break, and once killed with SIGKILL half way and resumed in a new process from the state
that was saved last. Rates and final weights of both must be the same to the bit. The first run
makes `.venv`. The exit status is 0 if they are.
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
    """Check, train, be killed, resume, show and compare."""
    from digits import BASE_LR, STEPS, last_checkpoint

    whole, broken = folder / "whole", folder / "broken"
    if last_checkpoint(whole) or last_checkpoint(broken):
        sys.exit(f"{folder} has the files of an earlier run")
    if olm("check", SPEC):
        return 1
    say("train without a break")
    run(whole)
    say("train again, killed with SIGKILL half way")
    run(broken, kill_at=STEPS // 2)
    saved = last_checkpoint(broken)
    assert saved is not None
    say(f"the state that was saved last, {saved.name}/scheduler.json")
    print((saved / "scheduler.json").read_text(), end="")
    say("resume in a new process")
    run(broken)
    olm("show", SPEC, "--base-lr", str(BASE_LR))
    say("compare the two runs")
    return compare(whole, broken)


def run(folder: Path, kill_at: int | None = None) -> None:
    """Train in a process of its own and show how far it is; kill it at a step, if one is given."""
    from tqdm import tqdm

    from digits import STEPS

    command = [sys.executable, str(ROOT / "tools" / "digits.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with tqdm(total=STEPS, unit=" steps", file=sys.stdout, ncols=80) as bar:
            for line in process.stdout:
                bar.update(int(line) + 1 - bar.n)
                if int(line) == kill_at:
                    process.send_signal(signal.SIGKILL)
                    break
    expected = 0 if kill_at is None else -signal.SIGKILL
    if process.returncode != expected:
        sys.exit(f"the training ended with status {process.returncode}, not with {expected}")


def compare(whole: Path, broken: Path) -> int:
    """Say whether two runs had the same rates and ended with the same weights, to the bit."""
    import torch

    from digits import STEPS, last_checkpoint, score

    ends = [end for end in map(last_checkpoint, (whole, broken)) if end]
    rates = [json.loads((end / "rates.json").read_text()) for end in ends]
    models = [torch.load(end / "model.pt", weights_only=True)["model"] for end in ends]
    same_rates = rates[0] == rates[1] and len(rates[0]) == STEPS
    same_weights = all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    print(f"the rates of {STEPS} steps: {'the same to the bit' if same_rates else 'DIFFERENT'}")
    print(f"the final weights: {'the same to the bit' if same_weights else 'DIFFERENT'}")
    print(f"digits not trained with that the model reads correctly: {score(ends[1]):.1%}")
    return 0 if same_rates and same_weights else 1


def olm(*args: str) -> int:
    """Say and run a command of olm, as a person would at the root of the repository."""
    say(f"olm {' '.join(args)}")
    return subprocess.run([sys.executable, "-m", "olm", *args], cwd=ROOT).returncode


def say(text: str) -> None:
    """What comes next."""
    print(f"\n> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
