"""What a command is told of the run: the options that say a clock, and the clock that they say."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace, _ArgumentGroup
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from olm.cli import Misuse
from olm.problem import SpecError, dotted
from olm.spec.load import parse_document

if TYPE_CHECKING:
    from olm.checking.check import Checked
    from olm.fields.durations import Duration
    from olm.problem import Path
    from olm.schedule.clock import Clock
    from olm.schedule.schedule import Schedule

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


@dataclass(frozen=True)
class Uncounted:
    """A schedule, as it is written, with the durations for which a clock knows too little."""

    schedule: Schedule
    durations: list[tuple[Path, Duration]]

    def message(self, command: str) -> Iterator[str]:
        """What is said of it, in lines."""
        size = len(self.durations)
        these = "this duration" if size == 1 else f"these {size:,} durations"
        yield f"{command}: it takes a clock that knows more to count {these}"
        for path, one in self.durations:
            yield f"  {dotted(path)}: {one} needs {one.needs} ({option(one.needs)} N)"
        needs = dict.fromkeys(one.needs for _, one in self.durations)
        said = ", ".join(f"{field}: ..." for field in needs)
        yield f"the options say it, or `clock: {{{said}}}` at the root of the file"


def uncounted(result: Checked, clock: Clock | None) -> Uncounted | None:
    """What waits for a clock in a file; None if nothing does, or if something else is wrong, too.

    Args:
        result: the file, which was checked.
        clock: what the run is, besides what the file says.
    """
    errors = {problem.code for problem in result.problems if problem.severity == "error"}
    if result.counted is not None or not errors <= {"clock"}:
        return None
    # A spec whose clock knows too little is none for a check.
    spec = result.spec or parse_document(result.document)
    try:
        spec.plan(clock)
    except SpecError as error:
        missing = {problem.path for problem in error.problems}
    else:
        return None
    durations = [(path, one) for path, one in spec.schedule.durations() if path in missing]
    return Uncounted(spec.schedule, durations)
