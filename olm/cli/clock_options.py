"""What a command is told of the run: the options that say a clock, and the clock that they say."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace, _ArgumentGroup
from typing import TYPE_CHECKING

from olm.cli.misuse import Misuse

if TYPE_CHECKING:
    from olm.schedule.clock import Clock

OPTIONS = {
    "total_steps": "how many optimizer steps the run has, for durations such as 3%%",
    "steps_per_epoch": "how many optimizer steps an epoch has, for durations such as 2ep",
    "samples_per_step": "how many samples a step sees, for durations such as 1.5e6sp",
    "tokens_per_step": "how many tokens a step sees, for durations such as 20e9tok",
}
"""The fields of a clock, and what is said of their options."""


def option(field: str) -> str:
    """The option that says a field of a clock.

    >>> option("total_steps")
    '--total-steps'
    """
    return f"--{field.replace('_', '-')}"


def add_clock(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Let a command take a clock, which wins over that of a file."""
    for name, text in OPTIONS.items():
        parser.add_argument(option(name), type=_number, metavar="N", help=text)


def clock_of(args: Namespace) -> Clock | None:
    """The clock that the options say; None if there are none.

    Raises:
        Misuse: no run is like that.
    """
    said = {name: number for name in OPTIONS if (number := getattr(args, name)) is not None}
    if not said:
        return None
    from pydantic import ValidationError

    from olm.fields.errors import problems_of
    from olm.schedule.clock import Clock

    try:
        return Clock(**said)
    except ValidationError as error:
        first, *_ = problems_of(error)
    raise Misuse(f"{option(str(first.path[0]))}: {first.message}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a number, found {text}") from None
