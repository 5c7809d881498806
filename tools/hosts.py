"""Run the tests of olm inside real trainers (the hosts), on the CPU.

    python3 tools/hosts.py            run all tests and print a table of the hosts
    python3 tools/hosts.py ARGS...    run `pytest ARGS...`, such as tests/hosts/test_lightning.py

The first run creates `.venv-hosts` with the versions in tools/constraints-hosts.txt. The tests of a
host train, stop and resume, and compare every rate and the final weights with an uninterrupted run,
bit for bit. The exit status is pytest's.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from environment import HOSTS, ROOT, chosen, enter

ADAPTERS = ROOT / "olm" / "train" / "hosts"
TESTS = ROOT / "tests" / "hosts"
DISTRIBUTIONS = {"hydra": "hydra-core"}
"""The distribution of a host, where it is not named like the test file."""


def main(args: list[str]) -> int:
    """Run pytest in the environment of the hosts, and return its exit status."""
    if args in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    enter(HOSTS)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *chosen(args, TESTS), f"--junitxml={report}"]
        status = subprocess.run(command, cwd=ROOT).returncode
        if report.exists():
            print("\n".join(_table(report)))
    return status


def _table(report: Path) -> Iterator[str]:
    """A row for each host whose tests ran: its version, its adapter and the outcome."""
    outcomes: dict[str, list[bool]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        host = case.get("classname", "").rpartition(".test_")[2]
        outcomes.setdefault(host, []).append(not [*case])
    rows = [("host", "version", "adapter", "trained and resumed bit-identically")]
    # Other files have tests in several hosts.
    hosts = sorted(host for host in outcomes if _version(host))
    rows += [_row(host, outcomes[host]) for host in hosts]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()


def _row(host: str, passed: list[bool]) -> tuple[str, str, str, str]:
    adapter = ADAPTERS / f"{host}.py"
    name = str(adapter.relative_to(ROOT)) if adapter.exists() else "not needed"
    verdict = "yes" if all(passed) else "no"
    tests = f"{verdict}: {sum(passed)} of {len(passed)} tests"
    return host, _version(host), name, tests


def _version(host: str) -> str:
    """The version of a host; empty if no host has the name."""
    try:
        return version(DISTRIBUTIONS.get(host) or host)
    except (PackageNotFoundError, ValueError):
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
