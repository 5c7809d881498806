"""``olm check``: what is wrong with specs, and where."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from olm.cli import FINE, MISUSE, NOTHING_MATCHED, PROBLEMS
from olm.cli.picture import picture, visible
from olm.cli.search import STDIN, SUFFIXES, files, is_there
from olm.cli.terminal import Paint, Progress, wants_colour
from olm.document import Document, read, read_file
from olm.problem import LISTED, Place, Problem, SpecError
from olm.text import MAX_BYTES, Text

SUMMARY = "say what is wrong with specs, and where"

EPILOG = """\
A spec is a YAML or JSON file that says what the learning rate is at every step. Every
mistake is shown with its line, what was found, and what would do.

example:
  $ echo '{kind: LinearLR, total_step: 100}' | olm check -
  <stdin>:1:18: error[unknown-field]: LinearLR has no field `total_step`
    |
  1 | {kind: LinearLR, total_step: 100}
    |                  ^^^^^^^^^^ did you mean `total_steps`?
  ...

exit status: 0 fine, 1 problems, 2 wrong use, 3 no spec found
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="FILE|DIR",
        help=f"a spec, a folder to search for {', '.join('*' + end for end in SUFFIXES)}, "
        f"or {STDIN} for standard input",
    )


def run(args: Namespace) -> int:
    """Check the files; the exit status tells whether they are fine."""
    for path in args.paths:
        if not is_there(path):
            print(f"olm check: there is no file or folder {path}", file=sys.stderr)
            return MISUSE
    paths = files(args.paths)
    if not paths:
        ends = ", ".join(f"*{end}" for end in SUFFIXES)
        print(f"olm check: no {ends} in {', '.join(args.paths)}", file=sys.stderr)
        return NOTHING_MATCHED
    paint = Paint(wants_colour(sys.stdout))
    counts = list(check_all(paths, paint))
    print(paint("bold" if any(counts) else "fine", summary(counts)))
    return PROBLEMS if any(counts) else FINE


def check_all(paths: list[str], paint: Paint) -> Iterator[int]:
    """Check files, print what is wrong, and give the number of problems of each."""
    progress = Progress(len(paths))
    for done, path in enumerate(paths):
        progress.at(done)
        document, problems = check(path)
        if problems:
            progress.clear()
            show(problems, document.text, paint)
        yield len(problems)
    progress.clear()


def check(path: str) -> tuple[Document, tuple[Problem, ...]]:
    """A file, and what is wrong with it."""
    try:
        if path == STDIN:
            document = read(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>")
        else:
            document = read_file(path)
        document.parse()
    except SpecError as error:
        return document, error.problems
    except OSError as error:
        message = f"this cannot be read: {(error.strerror or str(error)).lower()}"
        problem = Problem("unreadable", message, place=Place(path, 1, 1, 1))
        return Document(Text(path, "")), (problem,)
    return document, ()


def show(problems: tuple[Problem, ...], text: Text, paint: Paint) -> None:
    """Print the problems of one file, as far as anybody would read them."""
    for problem in problems[:LISTED]:
        print(*picture(problem, text, paint), "", sep="\n")
    if len(problems) > LISTED:
        print(f"{visible(text.file)}: ... and {len(problems) - LISTED:,} more problems\n")


def summary(counts: list[int]) -> str:
    """How many problems there are in how many files.

    >>> summary([0, 2, 0]), summary([0, 0]), summary([1])
    ('2 problems in 1 of 3 files', '2 files are fine', '1 problem in 1 file')
    """
    total, wrong = sum(counts), sum(count > 0 for count in counts)
    of_files = "1 file" if len(counts) == 1 else f"{len(counts):,} files"
    if not total:
        return f"{of_files} {'is' if len(counts) == 1 else 'are'} fine"
    those = of_files if len(counts) == 1 else f"{wrong:,} of {of_files}"
    return f"{total:,} problem{'s' * (total != 1)} in {those}"
