"""Install olm beside the other packages called `olm`, and record what its commands print.

Two distributions on the package index have a package called `olm`, too. For each of them and each
order, this creates a fresh environment, installs both, and runs what a user would run; then it
uninstalls the other one and runs that again. The outcomes and the lists of files go into
tests/other_olm.json, by which tests/test_other_olm.py lays out the same files in a second.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from environment import HOSTS, ROOT, enter

RECORD = ROOT / "tests" / "other_olm.json"
OURS = "olm-schedules"
OTHERS = {"olm": "0.0.36", "openlanguagemodel": "2.2.1"}
SOURCES = ("LICENSE", "README.md", "olm", "pyproject.toml", "specs", "tools")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"

Outcomes: TypeAlias = dict[str, dict[str, Any]]
"""The exit status and the last line of each probe."""

PROBES = {
    "import olm": ("python", "-c", "import olm"),
    "olm": ("olm", "--version"),
    "olm-schedules": ("olm-schedules", "--version"),
    "python -m olm": ("python", "-m", "olm", "--version"),
}
"""What is run in every environment."""


def main() -> None:
    """Write the record."""
    # OpenLanguageModel needs transformers and datasets, as trainers do.
    enter(HOSTS)
    with TemporaryDirectory() as folder:
        ours = _our_wheel(Path(folder))
        record = {name: _of_other(name, ours, Path(folder)) for name in OTHERS}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for name, rows in record.items():
        for case, outcomes in rows["outcomes"].items():
            for probe, outcome in outcomes.items():
                print(f"{name}, {case}: `{probe}` ends with {outcome['status']}")
                print(f"  {outcome['line']}")


def _our_wheel(folder: Path) -> Path:
    """The wheel of this checkout, built in a copy of it."""
    copy = folder / "copy"
    copy.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    _run([sys.executable, "-c", BUILD, str(folder / "ours")], cwd=copy)
    return next((folder / "ours").glob("*.whl"))


def _of_other(name: str, ours: Path, folder: Path) -> dict[str, Any]:
    """The files of another package, and the outcomes beside it."""
    wheels = folder / name
    pinned = f"{name}=={OTHERS[name]}"
    _run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), pinned])
    other = next(wheels.glob("*.whl"))
    with zipfile.ZipFile(other) as archive:
        files = sorted(file for file in archive.namelist() if file.startswith("olm/"))
    return {
        "version": OTHERS[name],
        "files": files,
        "outcomes": dict(_outcomes(name, ours, other, folder)),
    }


def _outcomes(name: str, ours: Path, other: Path, folder: Path) -> Iterator[tuple[str, Outcomes]]:
    for last, wheels in ((OURS, (other, ours)), (name, (ours, other))):
        for advice in ("separate", "reinstall"):
            home = folder / f"{name}-{last}-{advice}"
            _create(home)
            for wheel in wheels:
                _pip(home, "install", "--no-deps", str(wheel))
            if advice == "separate":
                yield f"{last} last", _probed(home)
                _pip(home, "uninstall", "-y", name, OURS)
                _pip(home, "install", "--no-deps", str(ours))
                yield f"{last} last, then as advised", _probed(home)
            else:
                _pip(home, "uninstall", "-y", name)
                yield f"{last} last, then {name} uninstalled", _probed(home)
                _pip(home, "install", "--force-reinstall", "--no-deps", str(ours))
                yield f"{last} last, then {name} uninstalled, then as advised", _probed(home)


def _create(home: Path) -> None:
    """Create an environment that borrows what olm requires from the environment of the trainers."""
    venv.create(home, with_pip=False)
    # The files of `.pth` in a folder that is listed so are not read: the olm there is not found.
    borrowed = sysconfig.get_path("purelib")
    (_site(home) / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")


def _site(home: Path) -> Path:
    return next(home.glob("lib/python*/site-packages"))


def _probed(home: Path) -> Outcomes:
    return {probe: _outcome(home, command) for probe, command in PROBES.items()}


def _outcome(home: Path, command: tuple[str, ...]) -> dict[str, Any]:
    """The exit status of a command and the last line that it printed."""
    program = home / "bin" / command[0]
    if not program.exists():
        return {"status": None, "line": "(there is no such command)"}
    done = subprocess.run(
        [program, *command[1:]], cwd=home, capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).strip().splitlines() or [""]
    return {"status": done.returncode, "line": lines[-1].replace(str(_site(home)), "SITE")}


def _pip(home: Path, *arguments: str) -> None:
    python = str(home / "bin" / "python")
    _run([sys.executable, "-m", "pip", "-q", "--python", python, *arguments])


def _run(command: list[str], cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
