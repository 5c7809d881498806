"""Run the tests of olm inside the trainers that people use, each the real package, on the CPU.

    python3 tools/hosts.py            all of them, and a table of the hosts
    python3 tools/hosts.py ARGS...    as `pytest ARGS...` would: tests/hosts/test_lightning.py

The first run makes `.venv-hosts`, with the versions in tools/constraints-hosts.txt. A host's tests
train, stop, resume, and compare every rate and the final weights with an uninterrupted run, bit for
bit. The exit status is pytest's.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from environment import HOSTS, ROOT, enter

ADAPTERS = ROOT / "olm" / "train" / "hosts"
TESTS = ROOT / "tests" / "hosts"
DISTRIBUTIONS = {"hydra": "hydra-core"}
"""What pip calls a host, where its test file has another name."""

SEVERAL = {"guides", "run_lengths"}
"""Test files that are about more hosts than one, and have no line in the table."""


def main(args: list[str]) -> int:
    """Run pytest where the hosts are, and return its exit status."""
    if args in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    enter(HOSTS)
    where = [] if any(not arg.startswith("-") for arg in args) else [str(TESTS)]
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *args, *where, f"--junitxml={report}"]
        status = subprocess.run(command, cwd=ROOT).returncode
        if report.exists():
            print("\n".join(_table(report)))
    return status


def _table(report: Path) -> Iterator[str]:
    """The hosts whose tests ran: version, adapter or none, and how the tests ended."""
    outcomes: dict[str, list[bool]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        host = case.get("classname", "").rpartition(".test_")[2]
        outcomes.setdefault(host, []).append(not [*case])
    rows = [("host", "version", "adapter", "trained and resumed bit-identically")]
    hosts = sorted(outcomes.keys() - SEVERAL)
    rows += [_row(host, outcomes[host]) for host in hosts]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()


def _row(host: str, passed: list[bool]) -> tuple[str, str, str, str]:
    adapter = ADAPTERS / f"{host}.py"
    named = str(adapter.relative_to(ROOT)) if adapter.exists() else "works as it is"
    said = "yes" if all(passed) else "no"
    tests = f"{said}: {sum(passed)} of {len(passed)} tests"
    return host, version(DISTRIBUTIONS.get(host, host)), named, tests


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
