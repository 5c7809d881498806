"""``olm show``: what a schedule does, in words, as a picture and in numbers."""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from olm.checks import Options
from olm.cli import FINE, MISUSE, PROBLEMS
from olm.cli.formats.text import of_file
from olm.cli.reading import add_at, checked
from olm.cli.terminal import Paint, Progress, wants_colour
from olm.fields import MAX_RATE, MAX_STEPS
from olm.problem import RateError

if TYPE_CHECKING:
    from olm.schedule import Schedule
    from olm.spec import Spec

SUMMARY = "say, draw and tabulate what a spec does"

EPILOG = """\
example:
  $ printf 'kind: LinearLR\\ntotal_steps: 100\\n' > linear.olm.yaml
  $ olm show linear.olm.yaml --base-lr 3e-4

Step 0 is the first optimizer step; a rate is the one that a step trains with. A spec may be a
state: its base rate is then the state's, and the step where it stands is told.

exit status: 0 fine, 1 the spec has problems, 2 wrong use
"""

WIDTH = 64
"""The width of the curve, in characters."""

AT_ONCE = 100_000
"""How many rates are evaluated and written at once."""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", metavar="FILE", help="a spec or a state; - is standard input")
    add_at(parser)
    parser.add_argument(
        "--base-lr", type=rate, metavar="LR", help="the base rate; 1 if there is none in FILE"
    )
    parser.add_argument(
        "--steps", type=count, metavar="N", help="how many steps to show; else to its own end"
    )
    parser.add_argument("--csv", metavar="OUT", help="write every step and its rate; - prints them")
    parser.add_argument("--png", metavar="OUT", help="draw the curve (needs the extra `plot`)")
    parser.add_argument("--svg", metavar="OUT", help="draw the curve (needs the extra `plot`)")


def run(args: Namespace) -> int:
    """Show the spec, or what is wrong with it."""
    if args.file != "-" and not Path(args.file).is_file():
        print(f"olm show: there is no file {args.file}", file=sys.stderr)
        return MISUSE
    result = checked(args.file, Options(args.at))
    if (spec := result.spec) is None:
        print(*of_file(result, Paint(wants_colour(sys.stdout))), sep="", end="")
        return PROBLEMS
    base = args.base_lr if args.base_lr is not None else (spec.base_lrs or (1.0,))[0]
    steps = args.steps or spec.schedule.horizon()
    try:
        return _show(spec, base, steps, args)
    except (OSError, ImportError, RateError) as error:
        print(f"olm show: {error}", file=sys.stderr)
        return PROBLEMS if isinstance(error, RateError) else MISUSE


def _show(spec: Spec, base: float, steps: int, args: Namespace) -> int:
    if args.csv:
        _write_csv(spec.schedule, base, steps, args.csv)
    for path, form in ((args.png, "png"), (args.svg, "svg")):
        if path:
            from olm.cli.drawing.figure import draw

            draw(spec, base, steps, path, form)
    if not (args.csv or args.png or args.svg):
        print(*_page(spec, base, steps), sep="\n")
    return FINE


def _page(spec: Spec, base: float, steps: int) -> Iterator[str]:
    """What the terminal shows: the words, the curve, and the steps that people ask about."""
    import numpy as np

    from olm.cli.drawing.braille import chart, columns, rate_text

    yield from in_words(spec.schedule)
    if spec.last_epoch is not None:
        bases = ", ".join(map(rate_text, spec.base_lrs or ()))
        yield f"It stands at step {spec.last_epoch:,}, with the base rates {bases}."
    at = np.linspace(0, steps, columns(WIDTH)).round()
    yield ""
    yield from (f"    {line}" for line in chart(spec.lr(at, base), steps))
    yield ""
    yield from (f"    {line}" for line in _table(spec, base, steps))


def in_words(schedule: Schedule) -> Iterator[str]:
    """A schedule in a sentence, and one below it for each of its parts.

    >>> from olm.kinds.linear import LinearDecay
    >>> print(*in_words(LinearDecay(total_steps=2000)))
    LinearDecayLR: a straight line from the base rate to 0 at step 2,000, which holds.
    """
    values = {name: _said(value) for name, value in schedule}
    yield f"{schedule.kind}: {schedule.words.format(**values)}."
    for start, part in schedule.parts():
        first, *more = in_words(part)
        yield f"  from step {start:,} on, {first}"
        yield from (f"  {line}" for line in more)


def _said(value: object) -> object:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else value


def _table(spec: Spec, base: float, steps: int) -> Iterator[str]:
    from olm.cli.drawing.braille import rate_text
    from olm.cli.drawing.key_steps import key_steps

    rows = [("step", "rate", "of base", "")]
    for key in key_steps(spec.schedule, base, steps):
        share = f"{key.rate / base * 100:.3g} %" if base else ""
        rows.append((f"{key.step:,}", rate_text(key.rate), share, key.why))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()


def _write_csv(schedule: Schedule, base: float, steps: int, path: str) -> None:
    """Write the rates of all steps, the last of which is the end and trains nothing."""
    if path == "-":
        _write_rows(schedule, base, steps, sys.stdout)
    else:
        with Path(path).open("w", newline="") as file:
            _write_rows(schedule, base, steps, file)


def _write_rows(schedule: Schedule, base: float, steps: int, file: TextIO) -> None:
    import numpy as np

    writer, progress = csv.writer(file, lineterminator="\n"), Progress(steps + 1, "steps", AT_ONCE)
    writer.writerow(["step", "lr"])
    for first in range(0, steps + 1, AT_ONCE):
        progress.at(first)
        block = np.arange(first, min(first + AT_ONCE, steps + 1))
        writer.writerows(zip(block.tolist(), schedule.lr(block, base).tolist(), strict=True))
    progress.clear()


def rate(text: str) -> float:
    """A rate, as an argument."""
    rate = float(text)
    if not 0 <= rate <= MAX_RATE:
        raise ArgumentTypeError(f"a rate must be finite and at least 0, found {text}")
    return rate


def count(text: str) -> int:
    """A number of steps, as an argument."""
    steps = float(text)
    if not (steps.is_integer() and 1 <= steps <= MAX_STEPS):
        raise ArgumentTypeError(f"a number of steps must be whole and at least 1, found {text}")
    return int(steps)
