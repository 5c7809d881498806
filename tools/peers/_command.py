"""What the commands have in common that run once in the environment of each of several packages."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from peers._environments import Installed, python_of, variables

Work = Callable[[str, bool], int]
"""Writes, or only checks, the file of one of the names, and returns an exit status."""


def run(
    args: list[str],
    prog: str,
    about: str | None,
    noun: str,
    names: Sequence[str],
    *,
    separate: Work,
    here: Work,
) -> int:
    """Write or check the files of some names, and return the exit status.

    Args:
        args: the arguments of the command.
        prog: the command.
        about: its help.
        noun: what the names are of.
        names: all of them.
        separate: the work in an environment of its own.
        here: the work with this Python.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar=noun.upper(), help=f"one of {', '.join(names)}")
    parser.add_argument("--check", action="store_true", help="write nothing, report differences")
    text = f"use the {noun} installed for this Python, and create no environment"
    parser.add_argument("--here", action="store_true", help=text)
    given = parser.parse_args(args)
    if unknown := [name for name in given.names if name not in names]:
        parser.error(f"unknown {noun} {unknown[0]}; the {noun}s are {', '.join(names)}")
    work = here if given.here else separate
    return max([work(name, given.check) for name in given.names or names])


def again(folder: Path, name: str, environment: str, package: Installed, check: bool) -> int:
    """Run the command in a folder again, with the Python of the environment of a package."""
    python = python_of(environment, package)
    command = [str(python), str(folder), name, "--here", *["--check"] * check]
    return subprocess.run(command, env=variables()).returncode


def require(name: str, package: Installed) -> None:
    """Exit if the package is not here in its version."""
    installed = installed_version(package.distribution)
    if installed != package.version:
        sys.exit(f"{name} must be {package.version} here, found {installed or 'none'}")


def installed_version(distribution: str) -> str | None:
    """The installed version, without the local part of a build such as `+cpu`."""
    try:
        return version(distribution).partition("+")[0]
    except PackageNotFoundError:
        return None
