"""Whole processes: an import, and a check of files."""

from __future__ import annotations

import atexit
import subprocess
import sys
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from contests import OLM, Contest, Family, Side
from environment import ROOT

SCHEMA = ROOT / "schemas" / "schedule.schema.json"
OTHER = "check-jsonschema"
CHECKERS = {
    OLM: ["-m", "olm", "check"],
    OTHER: ["-m", "check_jsonschema", "--schemafile", str(SCHEMA)],
}
PROGRAMS = {OLM: "import olm", "`import json`": "import json", "bare Python": ""}


def imports() -> dict[str, Side]:
    """Python, started to import something."""
    return {name: _process("-c", program) for name, program in PROGRAMS.items()}


def checks(number: int) -> dict[str, Side]:
    """The same files, checked with the command and with the schema."""
    folder = TemporaryDirectory(prefix="olm-bench-")
    atexit.register(folder.cleanup)
    files = _copies(Path(folder.name), number)
    return {name: _process(*command, *files) for name, command in CHECKERS.items()}


def _copies(folder: Path, number: int) -> list[str]:
    """So many files: the specs of this repository, over and over."""
    specs = islice(cycle(sorted((ROOT / "specs").glob("*.olm.yaml"))), number)
    return [str(copyfile(spec, folder / f"{index}.olm.yaml")) for index, spec in enumerate(specs)]


def _process(*arguments: str) -> Side:
    return Side(partial(_run, [sys.executable, *arguments]))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:4])} ... failed:\n{done.stdout}{done.stderr}")


def _contest(number: int, goal: float) -> Contest:
    files = "1 file" if number == 1 else f"{number:,} files"
    return Contest(
        f"check {files}", f"`olm check`, {files}", partial(checks, number), {OTHER: goal}
    )


FAMILIES = [
    Family(
        "a new process",
        [
            Contest("import", "`import olm`", imports),
            _contest(1, 0.70),
            _contest(1000, 0.10),
        ],
        processes=True,
    )
]
