"""ajv-cli, which holds YAML files to a JSON Schema; npm installs it into `.node-bench`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import ROOT

NAME = "ajv-cli"
VERSIONS = {NAME: "5.0.0", "ajv": "8.20.0", "js-yaml": "3.15.2"}
"""What is installed: the command, and the two packages that do its work."""

FOLDER = ROOT / ".node-bench"
STAMP = "made-from.json"


@cache
def command(schema: Path) -> list[str] | None:
    """The command that checks the file after it, or nothing where npm cannot install it.

    It stops at the first mistake of a file, has no lines, and knows none of the rules between
    fields. ajv's strict mode is off: that one is about the schema, and refuses the parts that are
    for editors.
    """
    if not _is_made() and (reason := _make()):
        print(f"{NAME} is left out: {reason}", file=sys.stderr, flush=True)
        return None
    program = str(FOLDER / "node_modules" / ".bin" / "ajv")
    return [program, "validate", "--spec=draft7", "--strict=false", "-s", str(schema)]


def _is_made() -> bool:
    stamp = FOLDER / STAMP
    return stamp.is_file() and json.loads(stamp.read_text()) == VERSIONS


def _make() -> str:
    """Install it; the answer is why that failed, if it did."""
    if not (npm := shutil.which("npm")) or not shutil.which("node"):
        return "there is no npm"
    packages = [f"{name}@{version}" for name, version in VERSIONS.items()]
    quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    # Beside the folder, and then in its place: it is whole or not there.
    with TemporaryDirectory(prefix=f"{FOLDER.name}-", dir=FOLDER.parent) as beside:
        new = Path(beside, "new")
        new.mkdir()
        install = [npm, "install", *quiet, "--prefix", str(new), *packages]
        done = subprocess.run(install, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            return f"npm could not install it\n{done.stdout}".rstrip()
        (new / STAMP).write_text(json.dumps(VERSIONS))
        shutil.rmtree(FOLDER, ignore_errors=True)
        new.rename(FOLDER)
    return ""
