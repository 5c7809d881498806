"""Write the rates of random configurations to tests/imports/<format>/drawn.json.

    python3 tools/imports                    draw the configurations of all formats
    python3 tools/imports optax --check      write nothing, report whether those of optax differ

Each framework is installed, in the version in its file in tools/imports, into its own environment
in .venv-peers, which is created when missing or stale. The exit status of --check is 1 if any rate
differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from random import Random
from typing import Any

FOLDER = Path(__file__).resolve().parent

# Python puts this folder first, where `optax.py`, the file of a format, would hide optax itself.
sys.path[0] = str(FOLDER.parent)

from environment import ROOT  # noqa: E402
from imports import Configuration, Framework  # noqa: E402
from peers._environments import python_of, variables  # noqa: E402

COMMAND = "python3 tools/imports"
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def main(args: list[str]) -> int:
    """Write or check the files of some formats, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--check", action="store_true", help="write nothing, report differences")
    here = "use the framework installed for this Python, and create no environment"
    parser.add_argument("--here", action="store_true", help=here)
    given = parser.parse_args(args)
    if unknown := [name for name in given.formats if name not in NAMES]:
        parser.error(f"unknown format {unknown[0]}; the formats are {', '.join(NAMES)}")
    work = _here if given.here else _in_environment
    return max([work(name, _framework(name), given.check) for name in given.formats or NAMES])


def _framework(name: str) -> Framework:
    framework: Framework = import_module(f"imports.{name}").FRAMEWORK
    return framework


def _in_environment(name: str, framework: Framework, check: bool) -> int:
    """Run the same command again, with the Python that has the framework."""
    python = python_of(f"imports-{name}", framework)
    command = [str(python), str(FOLDER), name, "--here", *["--check"] * check]
    return subprocess.run(command, env=variables()).returncode


def _here(name: str, framework: Framework, check: bool) -> int:
    installed = _version(framework.distribution)
    if installed != framework.version:
        sys.exit(f"{name} must be {framework.version} here, found {installed or 'none'}")
    path = ROOT / "tests" / "imports" / name / "drawn.json"
    new = "\n".join(_lines(name, framework)) + "\n"
    if not check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(new, encoding="utf-8")
        return 0
    differs = not path.exists() or path.read_text(encoding="utf-8") != new
    if differs:
        print(f"{path.relative_to(ROOT)} differs", file=sys.stderr)
    return int(differs)


def _lines(name: str, framework: Framework) -> Iterator[str]:
    """The lines of the file, one for each configuration."""
    head = {
        "framework": framework.distribution,
        "version": framework.version,
        "regenerate": f"{COMMAND} {name}",
        "tolerance": framework.tolerance,
        "suffix": framework.suffix,
    }
    yield "{"
    yield from (f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items())
    yield '"configurations": ['
    random = Random(name)
    for number in range(1, framework.count + 1):
        line = json.dumps(_drawn(framework, framework.draw(random)), allow_nan=False)
        yield line + ("," if number < framework.count else "")
    yield "]}"


def _drawn(framework: Framework, configuration: Configuration) -> dict[str, Any]:
    """A configuration and its rates, or the error of the framework."""
    head = {"text": configuration.text, "given": configuration.given}
    try:
        rates = [float(rate) for rate in framework.rates(configuration)]
    except Exception as error:
        return {**head, "error": f"{type(error).__name__}: {error}"[:200]}
    return {**head, "rates": rates}


def _version(distribution: str) -> str | None:
    """The installed version, without the local part of a build such as `+cpu`."""
    try:
        return version(distribution).partition("+")[0]
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
