"""``olm diff``: in which fields two specs differ, and where their curves diverge."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from olm.cli import FINE, MISUSE, PROBLEMS
from olm.cli.base_options import add_bases, bases_of, check_bases
from olm.cli.clock_options import add_clock, clock_of
from olm.cli.comparing.comparison import Comparison, compare
from olm.cli.comparing.page import page, without_curves
from olm.cli.comparing.revision import file_at
from olm.cli.comparing.sides import Side, side, state_in, text_of
from olm.cli.excerpt import picture
from olm.cli.files.search import STDIN
from olm.cli.input import add_at
from olm.cli.terminal import Paint, Screen, visible
from olm.cli.verbs.show import add_pictures, add_scale, count, scale_of
from olm.problem import LISTED, OlmError, RateError, SpecError, quantity
from olm.spec.load import parse_document
from olm.text.document import Document, read
from olm.text.write import write_whole

if TYPE_CHECKING:
    from olm.schedule.clock import Clock

SUMMARY = "compare the fields and the curves of two specs"

EPILOG = """\
A and B are specs, states in JSON or YAML, or a checkpoint in JSON with one state; one of
them may be -, standard input. For any other checkpoint, first write its state as JSON with
`olm state`. A field with its default equals a missing field.

example:
  $ printf 'kind: LinearLR\\ntotal_steps: 1000\\n' > a.olm.yaml
  $ printf 'kind: LinearLR\\ntotal_steps: 2000\\n' > b.olm.yaml
  $ olm diff a.olm.yaml b.olm.yaml --base-lr 0.5
  total_steps: a.olm.yaml has 1000, b.olm.yaml 2000
  ...

Curves are compared over the longer of the two: at every step up to 100 million steps, else
at a sample of steps, which is reported. Two rates are equal if they differ by rounding only.
The position of a state (its step, and what a plateau remembers of its metrics) is reported,
but is not a difference, as when a state is loaded; curves are those of schedules that have
not observed a metric. The `expect` of a spec is not compared.

Durations such as 3% or 2ep are compared as written. For the curves they are converted to
steps, by the options or else by the clock of each spec. A state is in steps already.

exit status: 0 equal, 1 different, or one of them has problems, 2 usage error
"""

USAGE = "olm diff A B, or olm diff --git REV FILE"

NOW = "now"
"""The name of the current version of a file in a comparison with a revision."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.usage = USAGE.replace(", or ", " [options]\n       ") + " [options]"
    parser.add_argument("files", nargs="*", metavar="A B", help="what to compare")
    parser.add_argument(
        "--git", metavar="REV", help="compare one FILE with its version at a git revision"
    )
    add_at(parser)
    add_bases(parser, "that of a state or a spec")
    parser.add_argument(
        "--steps", type=count, metavar="N", help="how many steps to compare (default: the longer)"
    )
    add_clock(parser.add_argument_group("run length of both"))
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")
    add_pictures(parser)
    add_scale(parser)


def run(args: Namespace) -> int:
    """Compare the two, or report their problems."""
    try:
        sides = _sides(args)
        if sides is None:
            return PROBLEMS
        bases = bases_of(args)
        check_bases([side.spec for side in sides], bases)
        return _report(compare(*sides, bases, args.steps), args)
    except OlmError as error:
        print(f"olm diff: {visible(str(error))}", file=sys.stderr)
        return PROBLEMS if isinstance(error, RateError) else MISUSE


def _sides(args: Namespace) -> tuple[Side, Side] | None:
    """The two, or None if one of them has problems, which are printed.

    Raises:
        OSError: one of them cannot be read.
        OlmError: one of them does not exist, or cannot be compared.
    """
    clock = clock_of(args)
    named = _documents(args)
    paint = Paint.of(sys.stdout)
    # Problems must not mix with the JSON.
    with redirect_stdout(sys.stderr if args.json else sys.stdout):
        a, b = (_side(name, document, clock, paint) for name, document in named)
    return None if a is None or b is None else (a, b)


def _documents(args: Namespace) -> list[tuple[str, Document]]:
    """The two documents, with their names."""
    wanted, what = (2, "two files") if args.git is None else (1, "one file")
    if len(args.files) != wanted:
        raise OlmError(f"expected {what}, found {len(args.files)}: {USAGE}")
    if args.files.count(STDIN) >= wanted:
        raise OlmError("only one of the two can be standard input, and neither with --git")
    texts = [text_of(path) for path in args.files]
    if args.git is None:
        names = ["<stdin>" if path == STDIN else path for path in args.files]
    else:
        texts.insert(0, file_at(args.git, *args.files))
        names = [f"{args.git}:{args.files[0]}", args.files[0]]
    documents = [read(text, name, args.at) for text, name in zip(texts, names, strict=True)]
    found = documents if args.at else [state_in(document) for document in documents]
    short = [args.git, NOW] if args.git is not None else _short(names)
    return list(zip(short, found, strict=True))


def _short(names: list[str]) -> list[str]:
    """The names of the files without their folders, if these differ."""
    short = [Path(name).name for name in names]
    return names if short[0] == short[1] else short


def _side(name: str, document: Document, clock: Clock | None, paint: Paint) -> Side | None:
    try:
        return side(name, parse_document(document), clock)
    except SpecError as error:
        for problem in error.problems[:LISTED]:
            located = problem if problem.place else document.located(problem)
            print(*picture(located, document.text, paint), "", sep="\n")
        if len(error.problems) > LISTED:
            more = len(error.problems) - LISTED
            print(f"{visible(document.text.file)}: ... and {quantity(more, 'more problem')}\n")
        return None


def _draw(found: Comparison, args: Namespace) -> None:
    """Write the pictures, and the page.

    Raises:
        OlmError: there are no curves.
    """
    from olm.cli.comparing.pictures import html_page, picture

    if found.curves is None:
        raise OlmError(without_curves(found))
    if args.svg:
        from olm.drawing.svg import svg

        write_whole(args.svg, svg(picture(found), scale_of(args)).encode())
    if args.html:
        from olm.drawing.html import page as text_of_page

        write_whole(args.html, text_of_page(html_page(found)).encode())
    if args.png:
        from olm.drawing.figure import save

        save(picture(found), args.png, scale_of(args))


def _report(found: Comparison, args: Namespace) -> int:
    """Print and draw how the two differ."""
    draws = bool(args.png or args.svg or args.html)
    if draws:
        _draw(found, args)
    if args.json:
        print(json.dumps(found.as_json(), indent=2, allow_nan=False))
    else:
        screen = Screen.of(sys.stdout)
        print(*map(screen.text, page(found, screen, drawn=not draws)), sep="\n")
    return FINE if found.same else PROBLEMS
