"""Write the rates of random configurations to tests/imports/<format>/drawn.json.

    python3 tools/imports                    draw the configurations of all formats
    python3 tools/imports optax --check      write nothing, report whether those of optax differ

Each framework is installed, in the version in its file in tools/imports, into its own environment
in .venv-peers, which is created when missing or stale. The exit status of --check is 1 if any rate
differs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

FOLDER = Path(__file__).resolve().parent

# Python puts this folder first, where `optax.py`, the file of a format, would hide optax itself.
sys.path[0] = str(FOLDER.parent)

from environment import ROOT  # noqa: E402  # needs the path above
from imports import Configuration, Framework  # noqa: E402  # needs the path above
from peers._command import again, require, run  # noqa: E402  # needs the path above

COMMAND = "python3 tools/imports"
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def main(args: list[str]) -> int:
    """Write or check the files of some formats, and return the exit status."""
    return run(args, COMMAND, __doc__, "format", NAMES, separate=_in_environment, here=_here)


def _framework(name: str) -> Framework:
    framework: Framework = import_module(f"imports.{name}").FRAMEWORK
    return framework


def _in_environment(name: str, check: bool) -> int:
    return again(FOLDER, name, f"imports-{name}", _framework(name), check)


def _here(name: str, check: bool) -> int:
    framework = _framework(name)
    require(name, framework)
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
