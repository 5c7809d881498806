"""Run every check: format, lint, types, generated files, tests, also in trainers and a browser.

    python3 tools/test.py            run all of them and print their times
    python3 tools/test.py ARGS...    only run `pytest ARGS...` at the root

The first run creates `.venv`, `.venv-hosts` and `.node-editors`. The exit status is 0 if everything
is fine, otherwise 1; with arguments, it is pytest's. For example, `python3 tools/test.py -x -k
linear` stops at the first failure among the tests that have `linear` in their names.
"""

import subprocess
import sys
import time

from environment import ROOT, enter

ALONE = ("tests/test_distributed.py", "tests/test_crash.py")
"""Tests that start many processes, which would wait for the processes of other tests."""

CHECKS = {
    "ruff format": ["-m", "ruff", "format", "--check"],
    "ruff check": ["-m", "ruff", "check", "--output-format=concise"],
    "mypy --strict": ["-m", "mypy", "--strict", "olm", "tools"],
    "generated files": ["tools/generate.py", "--check"],
}

TESTS = {
    "pytest": ["-m", "pytest", "-q", "-n", "2", *(f"--ignore={path}" for path in ALONE)],
    "alone": ["-m", "pytest", "-q", *ALONE],
    "hosts": ["tools/hosts.py", "-q", "-n", "2"],
    "editors": ["tools/editors.py", "-q", "-n", "2"],
    # The last, since its last line may be why no test runs.
    "browser": ["tools/browser.py", "-q"],
}


def main(args: list[str]) -> int:
    """Run the checks, or with arguments only pytest, and return the exit status."""
    if args in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    enter()
    if args:
        return _pytest(*args)
    failed = [name for name, command in CHECKS.items() if not _passes(name, command)]
    for name, command in TESTS.items():
        start = time.monotonic()
        if subprocess.run([sys.executable, *command], cwd=ROOT).returncode:
            failed.append(name)
        _report(name, start, name not in failed)
    print(f"failed: {', '.join(failed)}" if failed else "every check is fine")
    return 1 if failed else 0


def _passes(name: str, command: list[str]) -> bool:
    """Run a check, and print its output only if it fails."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _report(name, start, done.returncode == 0)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode == 0


def _pytest(*args: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *args], cwd=ROOT).returncode


def _report(name: str, start: float, fine: bool) -> None:
    seconds = time.monotonic() - start
    print(f"{name:<16}{seconds:>6.1f} s  {'fine' if fine else 'FAILED'}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
