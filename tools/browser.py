"""Test the pages of olm in a headless Chromium.

    python3 tools/browser.py            run all tests
    python3 tools/browser.py ARGS...    run `pytest ARGS...`, such as -k phone

The tests need Chromium. Where CI is set, root installs it with apt-get; elsewhere it must be
installed by hand, for example by `apt-get install chromium`. Without it no test runs, and the last
line of the output is the reason. The screenshots of a run are in `.screenshots`. The exit status is
pytest's, or 0 if no test runs.
"""

import os
import shutil
import subprocess
import sys

from environment import ROOT, chosen, enter

TESTS = ROOT / "tests" / "browser"
NAMES = ("chromium", "chromium-browser")
PACKAGE = "chromium"


def main(args: list[str]) -> int:
    """Run pytest with Chromium, and return its exit status."""
    if args in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    enter()
    if why := missing():
        print(f"the browser tests were not run: {why}")
        return 0
    command = [sys.executable, "-m", "pytest", *chosen(args, TESTS)]
    status = subprocess.run(command, cwd=ROOT).returncode
    print(f"screenshots: {ROOT / '.screenshots'}")
    return status


def missing() -> str:
    """Why there is no Chromium; empty if there is one, or if it could be installed."""
    if is_there():
        return ""
    if not os.environ.get("CI") or os.geteuid() != 0:
        return f"Chromium is missing; apt-get install {PACKAGE}"
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", PACKAGE]):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, capture_output=True, text=True, env=quiet)
    if not is_there():
        return f"apt-get could not install Chromium: {done.stderr.strip()[-200:]}"
    return ""


def is_there() -> bool:
    """Whether a Chromium is installed."""
    return any(map(shutil.which, NAMES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
