"""``olm show``: describe, plot and tabulate a schedule."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from olm.checking.check import Options
from olm.cli import FINE, MISUSE, PROBLEMS, Misuse
from olm.cli.clock_options import Uncounted, add_clock, clock_of, exact_number, option, uncounted
from olm.cli.drawing.page import View, page
from olm.cli.drawing.sentence import in_words
from olm.cli.files.search import is_there
from olm.cli.formats.text import of_file
from olm.cli.input import add_at, checked
from olm.cli.terminal import Paint, visible, wants_colour
from olm.drawing.axis import NEEDS, Axis, axes
from olm.fields.types import MAX_RATE, MAX_STEPS
from olm.problem import RateError

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.spec.spec import Spec

SUMMARY = "describe, plot and tabulate a schedule"

EPILOG = """\
examples:
  $ printf 'kind: LinearLR\\ntotal_steps: 100\\n' > linear.olm.yaml
  $ olm show linear.olm.yaml --base-lr 3e-4
  $ printf 'kind: LinearLR\\ntotal_steps: 400e9tok\\n' > tokens.olm.yaml
  $ olm show tokens.olm.yaml --total-steps 100000 --tokens-per-step 4e6 --axis tokens

Step 0 is the first optimizer step; the rate of a step is the one that the step trains with. FILE
may be a state: its base rates are then used, and its step is printed.

Durations in per cent, epochs, samples or tokens are converted to steps by the `clock:` in FILE and
by the options, which override it. With --total-steps, the curve goes to the end of the run.

exit status: 0 success, 1 the spec has problems, 2 usage error
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a spec or a state; - is standard input")
    add_at(parser)
    parser.add_argument(
        "--base-lr", type=rate, metavar="LR", help="the base rate (default: that of FILE, or 1)"
    )
    parser.add_argument(
        "--steps",
        type=count,
        metavar="N",
        help="how many steps to show (default: to the end of the run, or of the schedule)",
    )
    parser.add_argument(
        "--axis",
        choices=[*NEEDS],
        default="steps",
        help="the unit of the x axis (default: steps)",
    )
    parser.add_argument(
        "--csv",
        metavar="OUT",
        help="write every step with its rate, and its position on the --axis; - prints them",
    )
    parser.add_argument("--png", metavar="OUT", help="draw the curve (needs the extra `plot`)")
    parser.add_argument("--svg", metavar="OUT", help="draw the curve (needs the extra `plot`)")
    add_clock(parser.add_argument_group("run length"))


def run(args: Namespace) -> int:
    """Show the spec, or report its problems."""
    if not is_there(args.file) or Path(args.file).is_dir():
        print(f"olm show: no such file: {visible(args.file)}", file=sys.stderr)
        return MISUSE
    try:
        given = clock_of(args)
        result = checked(args.file, Options(args.at, clock=given))
        if (waiting := uncounted(result, given)) is not None:
            return _show_words(waiting, args)
        if result.spec is None or result.counted is None:
            print(*of_file(result, Paint(wants_colour(sys.stdout))), sep="", end="")
            return PROBLEMS
        return _show(_view(result.spec, result.counted, given, args), args)
    except RateError as error:
        print(f"olm show: {visible(str(error))}", file=sys.stderr)
        return PROBLEMS


def _view(written: Spec, spec: Spec, given: Clock | None, args: Namespace) -> View:
    """What to show; also reports how the clock of the options differs from that of the spec.

    Raises:
        Misuse: the clock lacks what the axis needs.
    """
    from olm.cli.drawing.tables import counted_in

    clock = written.clock_for(given)
    axis = _axis(clock, args.axis)
    if given and written.clock and (differences := given.differences(written.clock)):
        print(f"olm show: {'; '.join(differences)}", file=sys.stderr)
    known = args.base_lr is not None or bool(spec.base_lrs)
    base = args.base_lr if args.base_lr is not None else (spec.base_lrs or (1.0,))[0]
    steps = args.steps or clock.total_steps or spec.schedule.horizon()
    return View(spec, counted_in(written, clock), clock, base, steps, axis, known)


def _axis(clock: Clock, unit: str) -> Axis:
    if (axis := axes(clock).get(unit)) is not None:
        return axis
    field = NEEDS[unit]
    raise Misuse(f"--axis {unit} needs {option(field)}, or `clock: {{{field}: ...}}` in FILE")


def _show_words(waiting: Uncounted, args: Namespace) -> int:
    """Describe a schedule without steps, and report what its durations need."""
    if not (args.csv or args.png or args.svg):
        print(*in_words(waiting.schedule), sep="\n", flush=True)
    print(*waiting.message("olm show"), sep="\n", file=sys.stderr)
    return PROBLEMS


def _show(view: View, args: Namespace) -> int:
    schedule, (base, steps, axis) = view.spec.schedule, (view.base, view.steps, view.axis)
    if args.csv:
        from olm.cli.drawing.csv import write

        write(schedule, base, steps, args.csv, axis)
    for path, form in ((args.png, "png"), (args.svg, "svg")):
        if path:
            from olm.drawing.figure import draw

            draw(view.spec, base, steps, path, form, axis=axis, run=view.clock.total_steps)
    if not (args.csv or args.png or args.svg):
        print(*page(view, in_words(schedule)), sep="\n")
    return FINE


def rate(text: str) -> float:
    """A rate as an argument."""
    rate = float(text)
    if not 0 <= rate <= MAX_RATE:
        raise ArgumentTypeError(f"the rate must be finite and at least 0, found {text}")
    return rate


def count(text: str) -> int:
    """A number of steps as an argument."""
    steps = exact_number(text)
    if not (steps == steps // 1 and 1 <= steps <= MAX_STEPS):
        raise ArgumentTypeError(f"the number of steps must be whole and at least 1, found {text}")
    return int(steps)
