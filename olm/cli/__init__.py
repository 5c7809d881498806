"""The command `olm`. A file in `verbs` is a verb: check.py is ``olm check``.

A verb has four names: `SUMMARY`, its line in ``olm --help``; `EPILOG`, with an example that runs,
for its own help; `add_arguments(parser)`; and `run(args)`, which returns the exit status. Only the
file of the requested verb is imported, so no verb pays for the imports of another.
"""

from __future__ import annotations

import gc
import os
import sys
from argparse import ArgumentParser, HelpFormatter, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper
from keyword import iskeyword
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import NoReturn

VERBS = "olm.cli.verbs"
"""The package of the verbs."""

FINE, PROBLEMS, MISUSE, NOTHING_MATCHED = range(4)
"""The exit statuses that verbs return."""

FILES = (".olm.yaml", ".olm.yml", ".olm.json", ".olm.toml", "schedule.schema.json")
"""How the names of the files end that hooks pass."""

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
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - it takes the place of the closed one
    if sys.stdout is None:
        print("olm: standard output is closed", file=sys.stderr)
        return MISUSE
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
        _discard_output()
        return PIPE_CLOSED
    except OSError as error:
        # Verbs report the files that they cannot read or write, so this is the output.
        _discard_output()
        print(f"olm: cannot write the output: {_reason(error)}", file=sys.stderr)
        return MISUSE
    finally:
        gc.set_threshold(*usual)
    return status


def script() -> NoReturn:
    """Run the command as a process, and end the process."""
    # Another package of the same name may have replaced the `__init__.py` of this one.
    if not hasattr(sys.modules["olm"], "_check_folder"):
        from olm.cli.shared_folder import explanation

        print(f"olm: {explanation()}", file=sys.stderr)
        sys.exit(MISUSE)
    from olm.cli.pydantic_plugins import skip_pydantic_plugins

    skip_pydantic_plugins()
    status = main()
    sys.stderr.flush()
    # To let Python clean up would take a tenth of the time.
    os._exit(status)


def verb_modules() -> dict[str, ModuleType]:
    """The module of every verb, by name."""
    return {name: import_module(module) for name, module in modules_by_verb().items()}


def modules_by_verb() -> dict[str, str]:
    """The name of the module of every verb, by name."""
    from olm.cli.verbs import __path__ as folder

    names = sorted(module.name for module in iter_modules(folder))
    return {name.removesuffix("_"): f"{VERBS}.{name}" for name in names}


def _status(arguments: list[str]) -> int:
    """The exit status, including where argparse exits."""
    try:
        return _run(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else MISUSE


class Parser(ArgumentParser):
    """The parser of a verb; wrong arguments are reported in one line, without the usage."""

    given: Sequence[str] = ()
    """The arguments, to find the one that is wrong."""

    def error(self, message: str) -> NoReturn:
        """Report wrong arguments and exit."""
        from olm.cli.terminal import visible
        from olm.cli.wrong_arguments import in_one_line

        self.exit(MISUSE, f"{self.prog}: {visible(in_one_line(self, message))}\n")


def fill(parser: ArgumentParser, verb: ModuleType) -> None:
    """Add to a parser what a verb takes, and its help."""
    summary: str = verb.SUMMARY
    parser.description = summary[0].upper() + summary[1:] + "."
    parser.epilog = verb.EPILOG
    verb.add_arguments(parser)


def _run(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if (verb := _verb(name)) is None:
        from olm.cli.without_verb import run_without_verb

        return run_without_verb(name)
    # Declaring arguments formats them. Only a given width keeps argparse from importing shutil.
    parser = Parser(prog=f"olm {name}", formatter_class=partial(HelpFormatter, width=80))
    fill(parser, verb)
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.given = [_as_file(argument) for argument in arguments[1:]]
    args = parser.parse_args(parser.given)
    try:
        status: int = verb.run(args)
    except Misuse as error:
        return _refuse(name, str(error), error.status)
    except OSError as error:
        if error.filename is None or isinstance(error, BrokenPipeError):
            raise
        return _refuse(name, f"{error.filename}: {error.strerror}", MISUSE)
    except ImportError as error:
        if "pip install 'olm-schedules" not in str(error):
            raise
        return _refuse(name, str(error), MISUSE)
    return status


def _refuse(verb: str, why: str, status: int) -> int:
    """Report in one line why a verb cannot go on, and return its status."""
    from olm.cli.terminal import visible

    print(f"olm {verb}: {visible(why)}", file=sys.stderr)
    return status


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _discard_output() -> None:
    """Let the flush at exit, which would report an error again, write to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_file(argument: str) -> str:
    """An argument, which no name of a file can turn into an option.

    A pull request could add a file called ``--config=x.olm.toml``, and hooks pass names of files.
    """
    is_named_so = argument[:1] == "-" and argument.endswith(FILES) and os.path.lexists(argument)
    return f"./{argument}" if is_named_so else argument


def _verb(name: str) -> ModuleType | None:
    if not name.isidentifier() or "_" in name:
        return None
    # A word of Python cannot be the name of a module: the verb `import` is in import_.py.
    file = f"{name}_" if iskeyword(name) else name
    return import_module(f"{VERBS}.{file}") if find_spec(f"{VERBS}.{file}") else None
