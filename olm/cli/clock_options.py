"""The options for the run length, the clock that they make, and what to do without one."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace, _ArgumentGroup
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from olm.cli import Misuse
from olm.fields.durations import UNITS
from olm.problem import SHOWN, SpecError, dotted, listed, quantity
from olm.spec.load import parse_document

if TYPE_CHECKING:
    from olm.checking.check import Checked
    from olm.fields.durations import Duration
    from olm.problem import Path
    from olm.schedule.clock import Clock
    from olm.spec.spec import Spec

OPTIONS = {
    unit.needs: f"{unit.option}, for durations such as {unit.example}".replace("%", "%%")
    for unit in UNITS.values()
    if unit.option
}
"""The fields of a clock → the help of their options."""

UNKNOWN = {"total_steps": "run length"}
"""What a field of a clock is called where it is unknown, if not by its name."""


def option(field: str) -> str:
    """The option for a field of a clock.

    >>> option("total_steps")
    '--total-steps'
    """
    return f"--{field.replace('_', '-')}"


def add_clock(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Add the options for a clock, which overrides the clock of a file."""
    for name, text in OPTIONS.items():
        parser.add_argument(option(name), type=_number, metavar="N", help=text)


def clock_of(args: Namespace) -> Clock | None:
    """The clock that the options describe; None without options.

    Raises:
        Misuse: the options contradict each other.
    """
    given = {name: number for name in OPTIONS if (number := getattr(args, name)) is not None}
    if not given:
        return None
    from olm.schedule.clock import Clock

    try:
        return Clock(**given)
    except SpecError as error:
        first, *_ = error.problems
    raise Misuse(f"{option(str(first.path[0]))}: {first.message}")


def exact_number(text: str) -> float:
    """A number, as a whole one where it is written as one: a float may be the one beside it.

    Raises:
        ValueError: it is none.
    """
    return int(text) if text.isdecimal() and len(text) < SHOWN else float(text)


def _number(text: str) -> float:
    try:
        return exact_number(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a number, found {text}") from None


@dataclass(frozen=True)
class Uncounted:
    """A spec as written, with the durations that the clock cannot convert to steps."""

    spec: Spec
    durations: list[tuple[Path, Duration, str]]
    """The path of each, the duration, and a field that the clock lacks for it."""

    def message(self, command: str) -> Iterator[str]:
        """The error message, in lines."""
        durations = quantity(len(self.durations), "duration")
        fields = dict.fromkeys(lacks for _, _, lacks in self.durations)
        unknown = listed((UNKNOWN.get(field, field.replace("_", " ")) for field in fields), "and")
        yield f"{command}: cannot convert {durations} to steps: {unknown} unknown"
        for path, duration, lacks in self.durations:
            yield f"  {dotted(path)}: {duration} needs {lacks} ({option(lacks)} N)"
        clock = listed(f"{field}: ..." for field in fields)
        yield f"give the options, or add `clock: {{{clock}}}` at the root of the file"


def uncounted(result: Checked, clock: Clock | None) -> Uncounted | None:
    """The durations of a file that need a clock; None if there are none, or other errors as well.

    Args:
        result: the checked file.
        clock: the clock of the options, which adds to that of the file.
    """
    errors = {problem.code for problem in result.problems if problem.severity == "error"}
    if result.counted is not None or not errors <= {"clock"}:
        return None
    # The check keeps no spec whose clock is incomplete.
    spec = result.spec or parse_document(result.document)
    try:
        spec.plan(clock)
    except SpecError as error:
        missing = {problem.path for problem in error.problems}
    else:
        return None
    durations = [
        (path, written, spec.clock_for(clock).lacks(written))
        for path, written in spec.durations_there()
        if path in missing
    ]
    return Uncounted(spec, durations)
