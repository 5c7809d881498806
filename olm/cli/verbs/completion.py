"""``olm completion``: the script with which a shell completes verbs, options and arguments."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from olm.cli import FINE, fill, verb_modules

SUMMARY = "print the script with which a shell completes `olm`"

EPILOG = """\
The script completes verbs, options, their values, files, kinds and topics of help. It is complete
in itself: at Tab no Python starts. Write it again after an update of olm.

examples:
  $ olm completion bash > olm.bash                 # then: source olm.bash
  $ olm completion fish > olm.fish                 # into ~/.config/fish/completions/
  $ olm completion zsh > _olm                      # into a folder of $fpath

This needs the extra `completion`: pip install 'olm-schedules[completion]'

exit status: 0 fine, 2 usage error
"""

SHELLS = ("bash", "fish", "zsh")

FILES = ("FILE", "FILE|DIR|GLOB", "A B", "STATE", "SPEC", "CONFIG", "OUT", "PATH")
"""What verbs call an argument that is a file."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, fish or zsh")


def run(args: Namespace) -> int:
    """Print the script."""
    try:
        import shtab
    except ImportError:
        message = "the script needs shtab: pip install 'olm-schedules[completion]'"
        raise ImportError(message) from None
    print(shtab.complete(whole_parser(), args.shell))
    return FINE


def whole_parser() -> ArgumentParser:
    """One parser with all verbs, each argument marked with what completes it."""
    from shtab import DIRECTORY, FILE

    from olm.cli.topics import topics
    from olm.kinds import KINDS

    values = {"KIND": sorted(KINDS), "TOPIC": sorted({*verb_modules(), *topics()})}
    whole = ArgumentParser("olm", description="Learning-rate schedules as data.")
    verbs = whole.add_subparsers(metavar="VERB")
    for name, verb in verb_modules().items():
        parser = verbs.add_parser(
            name, help=verb.SUMMARY, formatter_class=RawDescriptionHelpFormatter
        )
        fill(parser, verb)
        for action in parser._actions:
            if action.metavar in FILES:
                action.complete = FILE  # type: ignore[attr-defined]  # shtab reads it
            elif action.metavar == "DIR":
                action.complete = DIRECTORY  # type: ignore[attr-defined]  # shtab reads it
            elif isinstance(action.metavar, str) and action.metavar in values:
                action.choices = values[action.metavar]
    return whole
