"""The development environment: `.venv` at the root of the repository, made when missing or stale.

It needs Python alone, on Linux or macOS. `pyproject.toml` says which packages belong into it,
`tools/constraints.txt` their exact versions, and pip's own configuration where they come from.
"""

import sys

# Older Pythons must get this far, so that they can say it: nothing here is newer than 3.6's syntax.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("olm needs Python 3.11 or newer, this is {}.{}.{}".format(*sys.version_info))

import fcntl
import hashlib
import json
import os
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "made-from"
CONSTRAINTS = ROOT / "tools" / "constraints.txt"
EXTRAS = "torch,plot"
ENTERED = "OLM_ENVIRONMENT"


def enter() -> None:
    """Go on inside `.venv`: make it if need be, then start this command again with its Python."""
    if os.environ.get(ENTERED) == str(VENV) and sys.prefix != sys.base_prefix:
        return
    # The next program inherits the lock, so that nobody makes a new environment under its feet.
    lock = os.open(ROOT / ".venv.lock", os.O_RDWR | os.O_CREAT, 0o644)
    os.set_inheritable(lock, True)
    _hold(lock, fcntl.LOCK_SH)
    while not _is_fresh():
        _hold(lock, fcntl.LOCK_EX)
        if not _is_fresh():
            _make()
        _hold(lock, fcntl.LOCK_SH)
    os.execve(PYTHON, [str(PYTHON), *sys.orig_argv[1:]], {**_variables(), ENTERED: str(VENV)})


def _make() -> None:
    project = _project()
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--constraint", str(CONSTRAINTS)]
    olm = ["--no-build-isolation", "--editable", f"{ROOT}[{EXTRAS}]"]
    version = ".".join(map(str, sys.version_info[:3]))
    # The Python under `.venv`, should this process run in the old one.
    python = getattr(sys, "_base_executable", sys.executable)
    _say(f".venv: made for Python {version} now, and again when what it is made from changes\n")
    _do("an empty environment", [python, "-m", "venv", "--clear", str(VENV)])
    _do("what builds olm", [*pip, *project["build-system"]["requires"]])
    _do("olm, torch and what the checks need", [*pip, *olm, *project["dependency-groups"]["dev"]])
    STAMP.write_text(_made_from())


def _do(what: str, command: list[str]) -> None:
    """Run one step, quietly unless it fails."""
    _say(f"  {what} ... ")
    start = time.monotonic()
    done = subprocess.run(
        command,
        close_fds=False,  # The step holds the lock too, should this process be killed before it.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=_variables(),
    )
    if done.returncode:
        sys.exit(f"failed\n{done.stdout}\nthis failed: {' '.join(command)}")
    _say(f"{time.monotonic() - start:.0f} s\n")


def _is_fresh() -> bool:
    return PYTHON.exists() and STAMP.is_file() and STAMP.read_text() == _made_from()


def _made_from() -> str:
    """A short name for all that the environment depends on, this folder's place among it."""
    project = _project()
    said = [project[table] for table in ("build-system", "project", "dependency-groups")]
    ground = [sys.version, sys.base_prefix, str(VENV), EXTRAS, CONSTRAINTS.read_text()]
    return hashlib.sha256(json.dumps([said, ground]).encode()).hexdigest()


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _variables() -> dict[str, str]:
    """This process's variables, with the environment's commands first and no foreign packages."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    return kept | {"PATH": f"{PYTHON.parent}{os.pathsep}{kept.get('PATH', os.defpath)}"}


def _hold(lock: int, how: int) -> None:
    """Take the lock: shared by those who use `.venv`, exclusive for the one who makes it."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        _say(".venv is in use: waiting for another command in this folder to end\n")
        fcntl.flock(lock, how)


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
