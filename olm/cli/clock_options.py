"""The options for the run length, the clock that they make, and what to do without one."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace, _ArgumentGroup
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from olm.cli import Misuse
from olm.fields.durations import UNITS, duration
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
OPTIONS["total_steps"] += "; or a duration such as 300e9tok"
OPTIONS["samples_per_epoch"] = "samples in the data set, instead of steps per epoch"
OPTIONS["tokens_per_sample"] = "the sequence length: converts between samples and tokens"
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
    """Add the options for a clock, which overrides the clock of a file.

    A batch that changes has no option: a file describes it.
    """
    for name, text in OPTIONS.items():
        number = _length if name == "total_steps" else _number
        parser.add_argument(option(name), type=number, metavar="N", help=text)


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


def _length(text: str) -> float | str:
    """A run length: a number of steps, or a duration, which the clock checks."""
    return text if duration(text) else _number(text)


class Uncounted(NamedTuple):
    """A spec as written, with the durations and axes that the clock cannot convert to steps."""

    spec: Spec
    values: list[tuple[Path, Duration | str, str]]
    """The path of each, the duration or axis, and a field that the clock lacks for it."""

    def message(self, command: str) -> Iterator[str]:
        """The error message, in lines."""
        axes = sum(isinstance(value, str) for _, value, _ in self.values)
        durations = len(self.values) - axes
        counts = [quantity(durations, "duration")] if durations or not axes else []
        counts += [f"{axes:,} {'axis' if axes == 1 else 'axes'}"] if axes else []
        what = listed(counts, "and")
        fields = dict.fromkeys(lacks for _, _, lacks in self.values)
        unknown = listed((UNKNOWN.get(field, field.replace("_", " ")) for field in fields), "and")
        yield f"{command}: cannot convert {what} to steps: {unknown} unknown"
        for path, value, lacks in self.values:
            yield f"  {dotted(path)}: {value} needs {lacks} ({option(lacks)} N)"
        clock = listed(f"{field}: ..." for field in fields)
        yield f"give the options, or add `clock: {{{clock}}}` at the root of the file"


def uncounted(result: Checked, clock: Clock | None) -> Uncounted | None:
    """What in a file needs a clock to be counted; None if nothing does, or has other errors too.

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
    whole = spec.clock_for(clock)
    durations = [
        (path, written, whole.lacks(written))
        for path, written in spec.durations_there()
        if path in missing
    ]
    from olm.cli.axis_units import axes_lacking

    return Uncounted(spec, [*axes_lacking(spec, whole, missing), *durations])
