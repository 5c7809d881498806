"""``olm show``: describe, plot and tabulate a schedule."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from olm.checking.check import Options
from olm.cli import FINE, MISUSE, PROBLEMS, Misuse
from olm.cli.base_options import add_bases, based, bases_of, check_bases
from olm.cli.clock_options import Uncounted, add_clock, clock_of, exact_number, option, uncounted
from olm.cli.drawing.page import View, page
from olm.cli.files.search import is_there
from olm.cli.formats.text import of_file
from olm.cli.input import add_at, checked
from olm.cli.terminal import Paint, Screen, visible
from olm.drawing.axis import NEEDS, Axis, axes, lacks
from olm.fields.types import MAX_STEPS
from olm.problem import RateError
from olm.schedule.showing.sentence import in_words
from olm.spec.hyperparameters import LR
from olm.spec.recipes import path_or_recipe
from olm.text.write import write_whole

if TYPE_CHECKING:
    from olm.cli.drawing.columns import Column
    from olm.schedule.clock import Clock
    from olm.spec.spec import Spec
    from olm.text.source import Text

SUMMARY = "describe, plot and tabulate a schedule"

EPILOG = """\
examples:
  $ printf 'kind: LinearLR\\ntotal_steps: 100\\n' > linear.olm.yaml
  $ olm show linear.olm.yaml --base-lr 3e-4
  $ printf 'kind: LinearLR\\ntotal_steps: 400e9tok\\n' > tokens.olm.yaml
  $ olm show tokens.olm.yaml --total-steps 100000 --tokens-per-step 4e6 --axis tokens

Step 0 is the first optimizer step; the rate of a step is the one that the step trains with. FILE
may be a state: its base rates are then used, and its step is printed.

A target (`also`) has a sentence, a curve and a column of its own. Its base is that of --base,
else that of a state, else that of `param_groups` or `optimizer` in FILE:

  $ olm new LinearLR --also weight_decay=RampLR --out decay.olm.yaml
  $ olm show decay.olm.yaml --base-lr 5e-4 --base weight_decay=0.04 --only weight_decay

Durations in per cent, epochs, samples or tokens are converted to steps by the `clock:` in FILE and
by the options, which override it. With --total-steps, the curve goes to the end of the run.

exit status: 0 success, 1 the spec has problems, 2 usage error
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "file", metavar="FILE", help="a spec, a state or a recipe; - is standard input"
    )
    parser.add_argument(
        "--csv",
        metavar="OUT",
        help="write every step with its rate, and its position on the --axis; - prints them",
    )
    add_pictures(parser)
    add_view(parser)


def add_view(parser: ArgumentParser) -> None:
    """Add the options for what is shown, and along which axis."""
    add_at(parser)
    add_scale(parser)
    add_bases(parser, "that of FILE")
    parser.add_argument(
        "--only",
        metavar="NUMBER",
        help="show only a hyperparameter such as weight_decay, or a value, by its name",
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
    add_clock(parser.add_argument_group("run length"))


def add_pictures(parser: ArgumentParser) -> None:
    """Add the options for pictures."""
    parser.add_argument("--svg", metavar="OUT", help="draw a picture for light and dark pages")
    parser.add_argument("--html", metavar="OUT", help="write a page with the picture and all else")
    parser.add_argument("--png", metavar="OUT", help="draw a picture (needs the extra `plot`)")


def add_scale(parser: ArgumentParser) -> None:
    """Add the option for the vertical axis."""
    parser.add_argument(
        "--scale",
        choices=["linear", "log"],
        help="the vertical axis (default: log if the values span two decades)",
    )


def scale_of(args: Namespace) -> bool | None:
    """Whether the vertical axes are logarithmic, if an option specifies it."""
    return None if args.scale is None else bool(args.scale == "log")


def run(args: Namespace) -> int:
    """Show the spec, or report its problems."""
    args.file = path_or_recipe(args.file)
    if not is_there(args.file) or Path(args.file).is_dir():
        print(f"olm show: no such file: {visible(args.file)}", file=sys.stderr)
        return MISUSE
    try:
        given = clock_of(args)
        result = checked(args.file, Options(args.at, clock=given))
        if (waiting := uncounted(result, given)) is not None:
            return _show_words(waiting, args)
        if result.spec is None or result.counted is None:
            print(*of_file(result, Paint.of(sys.stdout)), sep="", end="")
            return PROBLEMS
        return _show(view_of(result.spec, result.counted, given, args), result.text, args)
    except RateError as error:
        print(f"olm show: {visible(str(error))}", file=sys.stderr)
        return PROBLEMS


def view_of(written: Spec, spec: Spec, given: Clock | None, args: Namespace) -> View:
    """What to show; also reports how the clock of the options differs from that of the spec.

    Raises:
        Misuse: the clock lacks what the axis needs.
    """
    from olm.cli.drawing.columns import columns_of
    from olm.cli.drawing.tables import counted_in

    clock = written.clock_for(given)
    axis = _axis(clock, args.axis)
    if given and written.clock and (differences := given.differences(written.clock)):
        print(f"olm show: {'; '.join(differences)}", file=sys.stderr)
    bases = bases_of(args)
    check_bases([spec], bases)
    columns = columns_of(spec, bases, args.only)
    first = based(spec, None, bases)[:1]
    base = next((own.number for own in first if own.number is not None), None)
    steps = args.steps or clock.total_steps or _horizon(columns)
    view = View(spec, counted_in(written, clock), clock, 1.0 if base is None else base, steps, axis)
    return replace(
        view,
        base_is_known=base is not None,
        columns=columns if spec.also else (),
        is_log=scale_of(args),
    )


def _horizon(columns: Sequence[Column]) -> int:
    """The last step to show in a run of unknown length: that of the first, or a later change."""
    first, *others = (column.curve for column in columns)
    return max(first.horizon(), *(curve.holds_from() or curve.horizon() for curve in others), 1)


def _axis(clock: Clock, unit: str) -> Axis:
    if (axis := axes(clock).get(unit)) is not None:
        return axis
    field = lacks(unit, clock)
    raise Misuse(f"--axis {unit} needs {option(field)}, or `clock: {{{field}: ...}}` in FILE")


def _show_words(waiting: Uncounted, args: Namespace) -> int:
    """Describe a schedule without steps, and report what its durations need."""
    if not _files(args):
        print(*in_words_of(waiting.spec, args.only), sep="\n", flush=True)
    print(*waiting.message("olm show"), sep="\n", file=sys.stderr)
    return PROBLEMS


def _show(view: View, text: Text, args: Namespace) -> int:
    base, steps, axis = view.base, view.steps, view.axis
    if args.csv:
        from olm.cli.drawing.batch import batch_columns
        from olm.cli.drawing.columns import one_column
        from olm.cli.drawing.csv import write

        numbers = view.columns or one_column(view.spec.schedule, base)
        write(numbers, steps, args.csv, axis, batch_columns(view.clock))
    words = [*in_words_of(view.spec, args.only)]
    if args.png or args.svg or args.html:
        _draw(view, words, text, args)
    if not _files(args):
        print(*page(view, words, Screen.of(sys.stdout)), sep="\n")
    return FINE


def _files(args: Namespace) -> bool:
    """Whether files are written, in place of the terminal's page."""
    return bool(args.csv or args.png or args.svg or args.html)


def in_words_of(spec: Spec, only: str | None) -> Iterator[str]:
    """The schedule in a sentence, and each target, or only those that are wanted."""
    if only in (None, LR) or not spec.also:
        yield from in_words(spec.schedule)
    if spec.also:
        from olm.cli.drawing.target_words import also_in_words

        yield from also_in_words(one for one in spec.also if only in (None, one.label, one.number))


def _draw(view: View, words: Sequence[str], text: Text, args: Namespace) -> None:
    """Write the pictures, and the page."""
    from olm.cli.drawing.pictures import html_page, picture, title_of

    title = title_of(text)
    drawn = picture(view, words, title)
    if args.html:
        from olm.drawing.html import page

        write_whole(args.html, page(html_page(view, words, text)).encode())
    if args.svg:
        from olm.drawing.svg import svg

        write_whole(args.svg, svg(drawn, scale_of(args)).encode())
    if args.png:
        from olm.drawing.figure import save

        save(drawn, args.png, scale_of(args))


def count(text: str) -> int:
    """A number of steps as an argument."""
    steps = exact_number(text)
    if not (steps == steps // 1 and 1 <= steps <= MAX_STEPS):
        raise ArgumentTypeError(f"the number of steps must be whole and at least 1, found {text}")
    return int(steps)
