"""The command `olm`. A file in `verbs` is a verb: check.py is ``olm check``.

A verb has four names: `SUMMARY`, its line in ``olm --help``; `EPILOG`, with an example that runs,
for its own help; `add_arguments(parser)`; and `run(args)`, which returns the exit status. Only the
file of the requested verb is imported, so no verb pays for the imports of another.
"""

from __future__ import annotations

import gc
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper
from pkgutil import iter_modules
from types import ModuleType
from typing import NoReturn

from olm.cli.pydantic_plugins import skip_pydantic_plugins

VERBS = "olm.cli.verbs"
"""The package of the verbs."""

FINE, PROBLEMS, MISUSE, NOTHING_MATCHED = range(4)
"""The exit statuses that verbs return."""

INTERRUPTED, PIPE_CLOSED = 130, 141
"""The exit statuses of a command that Ctrl-C or a closed pipe stops, as shells report them."""


class Misuse(Exception):
    """The command was given wrong arguments; the text names them and what would do."""

    status = MISUSE


class NothingMatched(Misuse):
    """No file matches what was asked for."""

    status = NOTHING_MATCHED


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments without the name of the command; by default those of the process.

    Returns:
        The exit status.
    """
    usual = gc.get_threshold()
    # A short run makes little garbage; collecting it would take a tenth of the time of a check.
    gc.set_threshold(100_000, 50, 100)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _status(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes again at exit, and would report the error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    finally:
        gc.set_threshold(*usual)
    return status


def script() -> NoReturn:
    """Run the command as a process, and end the process."""
    skip_pydantic_plugins()
    status = main()
    sys.stderr.flush()
    # To let Python clean up would take a tenth of the time.
    os._exit(status)


def verb_modules() -> dict[str, ModuleType]:
    """The module of every verb, by name."""
    from olm.cli.verbs import __path__ as folder

    names = sorted(module.name for module in iter_modules(folder))
    return {name: import_module(f"{VERBS}.{name}") for name in names}


def _status(arguments: list[str]) -> int:
    """The exit status, including where argparse exits."""
    try:
        return _run(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else MISUSE


def _run(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if (verb := _verb(name)) is None:
        return _without_verb(name)
    summary: str = verb.SUMMARY
    parser = ArgumentParser(
        prog=f"olm {name}",
        description=summary[0].upper() + summary[1:] + ".",
        epilog=verb.EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    verb.add_arguments(parser)
    status: int = verb.run(parser.parse_args(arguments[1:]))
    return status


def _verb(name: str) -> ModuleType | None:
    if not name.isidentifier() or name.startswith("_") or not find_spec(f"{VERBS}.{name}"):
        return None
    return import_module(f"{VERBS}.{name}")


def _without_verb(name: str) -> int:
    if name in ("", "-h", "--help"):
        print("usage: olm VERB ...\n\nLearning-rate schedules as data.\n\nverbs:")
        for verb, module in verb_modules().items():
            print(f"  {verb:10}{module.SUMMARY}")
        print("\n`olm VERB --help` describes a verb. `olm --version` prints the version.")
        return FINE if name else MISUSE
    if name in ("-V", "--version"):
        print(f"olm {_version()}")
        return FINE
    from olm.problem import clipped, listed, nearest

    near = nearest(name, verb_modules())
    hint = f"did you mean `{near}`?" if near else f"the verbs are {listed(verb_modules())}"
    print(f"olm: there is no verb `{clipped(name)}`: {hint}", file=sys.stderr)
    return MISUSE


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("olm-schedules")
    except PackageNotFoundError:
        return "(not installed)"
