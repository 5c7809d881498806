"""What is wrong with the arguments of a verb, in one line instead of argparse's usage page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from olm.problem import clipped, listed, nearest

if TYPE_CHECKING:
    from olm.cli import Parser

_CHOICE = re.compile(r"invalid choice: (.*?)(?:, maybe.*)? \(choose from (.*)\)", re.DOTALL)
_VALUE = re.compile(r"invalid \w+ value: (.*)", re.DOTALL)
_NUMBER = re.compile(r"-[\d.]")


def in_one_line(parser: Parser, message: str) -> str:
    """The line for what argparse reports.

    Args:
        parser: the parser, with its arguments.
        message: what argparse would print under the usage.
    """
    known = list(parser._option_string_actions)
    if unknown := next(_unknown_options(parser.given, known), None):
        near = nearest(unknown, known)
        hint = f"did you mean `{near}`?" if near else f"`{parser.prog} --help` lists its options"
        return f"there is no option `{clipped(unknown)}`: {hint}"
    return _reworded(message.removeprefix("argument "), parser.prog)


def _unknown_options(given: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    """The arguments that argparse reads as options that do not exist."""
    for argument in given:
        if argument == "--":
            return
        if argument in ("", "-") or argument[0] != "-" or " " in argument:
            continue
        name = argument.partition("=")[0]
        # argparse completes a long option, and reads a letter after a short option as its value.
        is_known = (
            any(option.startswith(name) for option in known)
            if name.startswith("--")
            else name[:2] in known or _NUMBER.match(name)
        )
        if not is_known:
            yield name


def _reworded(message: str, prog: str) -> str:
    """A message of argparse, such as ``--jobs: expected one argument``."""
    option, _, rest = message.partition(": ")
    if message.startswith("the following arguments are required: "):
        return f"{rest} is missing: `{prog} --help` describes it"
    if message.startswith("unrecognized arguments: "):
        return f"unexpected argument `{clipped(rest)}`: `{prog} --help` lists what it takes"
    if rest in ("expected one argument", "expected at least one argument"):
        return f"{option} needs a value: `{prog} --help` describes it"
    if match := _CHOICE.fullmatch(rest):
        return f"{option}: {_choice(match[1], match[2])}"
    if match := _VALUE.fullmatch(rest):
        return f"{option}: {clipped(match[1])} is not a valid value"
    return message


def _choice(found: str, choices: str) -> str:
    """What would do instead of a value that is no choice.

    >>> _choice("'jsn'", "'json', 'text'")
    "there is no 'jsn': did you mean `json`?"
    >>> _choice("'x'", "json, text")
    "there is no 'x': choose from json, text"
    """
    names = [choice.strip("' ") for choice in choices.split(",")]
    near = nearest(found.strip("'"), names)
    hint = f"did you mean `{near}`?" if near else f"choose from {listed(names)}"
    return f"there is no {clipped(found)}: {hint}"
