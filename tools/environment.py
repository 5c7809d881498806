"""The environments at the root of the repository: `.venv`, and others such as `.venv-hosts`.

A command creates the environment that it runs in, when that is missing or stale. The packages are
listed in `pyproject.toml`, their exact versions in a constraints file in `tools`; pip's own
configuration names the index.
"""

import sys

# Older Pythons must get far enough to print this: no syntax in this file is newer than Python 3.6.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("olm needs Python 3.11 or newer, this is {}.{}.{}".format(*sys.version_info))

import hashlib
import json
import os
import subprocess
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import fcntl

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "tools" / "constraints.txt"
EXTRAS = "torch,plot,completion"
ENTERED = "OLM_ENVIRONMENT"


@dataclass(frozen=True)
class Environment:
    """A folder with a Python, olm and the packages of a dependency group of `pyproject.toml`."""

    name: str
    """The folder, at the root."""
    group: str
    """The dependency group."""
    constraints: Path
    """The file with the exact versions."""
    first: tuple[str, ...] = ()
    """Packages that building some of the group needs, besides those that building olm needs."""

    @property
    def folder(self) -> Path:
        """The path of the folder."""
        return ROOT / self.name

    @property
    def python(self) -> Path:
        """The path of its Python."""
        commands, suffix = ("Scripts", ".exe") if sys.platform == "win32" else ("bin", "")
        return self.folder / commands / f"python{suffix}"

    @property
    def stamp(self) -> Path:
        """The file with the digest of everything that the environment was created from."""
        return self.folder / "made-from"


DEVELOPMENT = Environment(".venv", "dev", CONSTRAINTS)
"""The environment of developers and CI."""

HOSTS = Environment(
    ".venv-hosts",
    "hosts",
    ROOT / "tools" / "constraints-hosts.txt",
    first=("torch", "numpy", "ninja", "py-cpuinfo", "wheel"),
)
"""The trainers that olm works in; their requirements conflict with those of the other tools."""

FUZZ = Environment(".venv-fuzz", "fuzz", CONSTRAINTS)
"""The fuzzer, which some platforms and Pythons that olm supports do not have."""


def enter(environment: Environment = DEVELOPMENT) -> None:
    """Restart this command inside an environment, and create that first if missing or stale."""
    here = str(environment.folder)
    if os.environ.get(ENTERED) == here and sys.prefix != sys.base_prefix:
        return
    _refresh(environment)
    command = [str(environment.python), *sys.orig_argv[1:]]
    variables = {**_variables(environment), ENTERED: here}
    if sys.platform == "win32":
        # There, exec returns to the shell before the new process ends.
        sys.exit(subprocess.run(command, env=variables).returncode)
    os.execve(command[0], command, variables)


def chosen(args: list[str], tests: Path) -> list[str]:
    """Arguments for pytest: a folder of tests is added if no path is among them."""
    has_path = any((ROOT / arg.partition("::")[0]).exists() for arg in args)
    return args if has_path else [*args, str(tests)]


def _refresh(environment: Environment) -> None:
    """Create an environment if missing or stale, while no other command uses it."""
    # The new process inherits the lock, so that no other command recreates the environment then.
    lock = os.open(ROOT / f"{environment.name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    os.set_inheritable(lock, True)
    _acquire(lock, environment)
    while not _is_fresh(environment):
        _acquire(lock, environment, exclusive=True)
        if not _is_fresh(environment):
            _create(environment)
        _acquire(lock, environment)


def _create(environment: Environment) -> None:
    project = _project()
    pip = [str(environment.python), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--no-build-isolation"]
    pip += ["--constraint", str(environment.constraints)]
    olm = ["--editable", f"{ROOT}[{EXTRAS}]"]
    version = ".".join(map(str, sys.version_info[:3]))
    # The Python that the current environment was created with, if this process runs in one.
    python = getattr(sys, "_base_executable", sys.executable)
    name, group = environment.name, project["dependency-groups"][environment.group]
    _log(f"creating {name} for Python {version}; it is reused until its sources change\n")

    def run(step: str, command: list[str]) -> None:
        _run(step, command, environment)

    run("empty environment", [python, "-m", "venv", "--clear", str(environment.folder)])
    run("build tools", [*pip, *project["build-system"]["requires"], *environment.first])
    run(f"olm, torch and the group {environment.group}", [*pip, *olm, *group])
    environment.stamp.write_text(_digest(environment), encoding="utf-8")


def _run(step: str, command: list[str], environment: Environment) -> None:
    """Run one step, and print its output only if it fails."""
    _log(f"  {step} ... ")
    start = time.monotonic()
    done = subprocess.run(
        command,
        close_fds=False,  # The step holds the lock too, in case this process is killed first.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=_variables(environment),
    )
    if done.returncode:
        sys.exit(f"failed\n{done.stdout}\nthis command failed: {' '.join(command)}")
    _log(f"{time.monotonic() - start:.0f} s\n")


def _is_fresh(environment: Environment) -> bool:
    stamp = environment.stamp
    created = environment.python.exists() and stamp.is_file()
    return created and stamp.read_text(encoding="utf-8") == _digest(environment)


def _digest(environment: Environment) -> str:
    """A digest of everything that the environment depends on, the path of this folder included."""
    project = _project()
    parts = [project["build-system"], project["project"]]
    parts.append(project["dependency-groups"][environment.group])
    pins = environment.constraints.read_text(encoding="utf-8")
    python = [sys.version, sys.base_prefix, str(environment), pins]
    return hashlib.sha256(json.dumps([parts, python, EXTRAS]).encode()).hexdigest()


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _variables(environment: Environment) -> dict[str, str]:
    """The variables of this process, with the environment's commands first in the PATH."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    commands = environment.python.parent
    return kept | {"PATH": f"{commands}{os.pathsep}{kept.get('PATH', os.defpath)}"}


def _acquire(lock: int, environment: Environment, exclusive: bool = False) -> None:
    """Acquire the lock: shared to use the environment, exclusive to create it."""
    # No lock of Windows has both modes: start the first command there alone.
    if sys.platform != "win32":
        mode = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(lock, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            _log(f"{environment.name} is in use: waiting for another command to end\n")
            fcntl.flock(lock, mode)


def _log(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
