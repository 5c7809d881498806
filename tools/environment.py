"""Environments at the root of the repository, made when missing or stale: `.venv`, `.venv-hosts`.

They need Python alone, on Linux or macOS. `pyproject.toml` says which packages belong into one, a
file of constraints in `tools` their exact versions, and pip's own configuration where they come
from.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "tools" / "constraints.txt"
EXTRAS = "torch,plot"
ENTERED = "OLM_ENVIRONMENT"


@dataclass(frozen=True)
class Environment:
    """A folder with a Python, olm and the packages of a group in `pyproject.toml`."""

    name: str
    """The folder, at the root."""
    group: str
    """The dependency group."""
    constraints: Path
    """The file that says their versions."""
    first: tuple[str, ...] = ()
    """What some of the group need to be built, besides what builds olm."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        return ROOT / self.name

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """The file that says what it was made from."""
        return self.folder / "made-from"


DEVELOPMENT = Environment(".venv", "dev", CONSTRAINTS)
"""What developers and CI use."""

HOSTS = Environment(
    ".venv-hosts",
    "hosts",
    ROOT / "tools" / "constraints-hosts.txt",
    first=("torch", "numpy", "ninja", "py-cpuinfo", "wheel"),
)
"""The trainers that olm works in, which would not all agree with the development tools."""

FUZZ = Environment(".venv-fuzz", "fuzz", CONSTRAINTS)
"""What finds input that breaks olm: not for every platform and Python that olm runs on."""


def enter(environment: Environment = DEVELOPMENT) -> None:
    """Go on inside an environment: make it if need be, then start this command again in there."""
    here = str(environment.folder)
    if os.environ.get(ENTERED) == here and sys.prefix != sys.base_prefix:
        return
    # The next program inherits the lock, so that nobody makes a new environment under its feet.
    lock = os.open(ROOT / f"{environment.name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    os.set_inheritable(lock, True)
    _hold(lock, fcntl.LOCK_SH, environment)
    while not _is_fresh(environment):
        _hold(lock, fcntl.LOCK_EX, environment)
        if not _is_fresh(environment):
            _make(environment)
        _hold(lock, fcntl.LOCK_SH, environment)
    python = str(environment.python)
    os.execve(python, [python, *sys.orig_argv[1:]], {**_variables(environment), ENTERED: here})


def _make(environment: Environment) -> None:
    project = _project()
    pip = [str(environment.python), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--no-build-isolation"]
    pip += ["--constraint", str(environment.constraints)]
    olm = ["--editable", f"{ROOT}[{EXTRAS}]"]
    version = ".".join(map(str, sys.version_info[:3]))
    # The Python under an environment, should this process run in one.
    python = getattr(sys, "_base_executable", sys.executable)
    name, group = environment.name, project["dependency-groups"][environment.group]
    _say(f"{name}: made for Python {version} now, and again when what it is made from changes\n")

    def do(what: str, command: list[str]) -> None:
        _do(what, command, environment)

    do("an empty environment", [python, "-m", "venv", "--clear", str(environment.folder)])
    do("what builds olm", [*pip, *project["build-system"]["requires"], *environment.first])
    do(f"olm, torch and what {environment.group} needs", [*pip, *olm, *group])
    environment.stamp.write_text(_made_from(environment))


def _do(what: str, command: list[str], environment: Environment) -> None:
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
        env=_variables(environment),
    )
    if done.returncode:
        sys.exit(f"failed\n{done.stdout}\nthis failed: {' '.join(command)}")
    _say(f"{time.monotonic() - start:.0f} s\n")


def _is_fresh(environment: Environment) -> bool:
    stamp = environment.stamp
    made = environment.python.exists() and stamp.is_file()
    return made and stamp.read_text() == _made_from(environment)


def _made_from(environment: Environment) -> str:
    """A short name for all that the environment depends on, this folder's place among it."""
    project = _project()
    said = [project["build-system"], project["project"]]
    said.append(project["dependency-groups"][environment.group])
    ground = [sys.version, sys.base_prefix, str(environment), environment.constraints.read_text()]
    return hashlib.sha256(json.dumps([said, ground, EXTRAS]).encode()).hexdigest()


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _variables(environment: Environment) -> dict[str, str]:
    """This process's variables, with the environment's commands first and no foreign packages."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    first = environment.python.parent
    return kept | {"PATH": f"{first}{os.pathsep}{kept.get('PATH', os.defpath)}"}


def _hold(lock: int, how: int, environment: Environment) -> None:
    """Take the lock: shared by those who use it, exclusive for the one who makes it."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        _say(f"{environment.name} is in use: waiting for another command here to end\n")
        fcntl.flock(lock, how)


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
