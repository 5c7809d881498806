"""``olm check``: what is wrong with specs, and where."""

from __future__ import annotations

import sys
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    Namespace,
    _ArgumentGroup,
)
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from olm.checking.check import Checked
from olm.cli import FINE, PROBLEMS, Misuse
from olm.cli.clock_options import add_clock
from olm.cli.files.plan import Plan, planned
from olm.cli.files.search import STDIN, SUFFIXES
from olm.cli.formats import Look, Tally, in_help, named, names
from olm.cli.input import add_at
from olm.cli.terminal import Paint, Progress, visible, wants_colour
from olm.fields.types import MAX_RATE

SUMMARY = "say what is wrong with specs, and where"

EPILOG = """\
A spec is a YAML, JSON or TOML file that says what the learning rate is at every step. Every
mistake is shown with its line, what was found, and what would do.

examples:
  $ echo '{kind: LinearLR, total_step: 100}' | olm check -
  <stdin>:1:18: error[unknown-field]: LinearLR has no field `total_step`
    |
  1 | {kind: LinearLR, total_step: 100}
    |                  ^^^^^^^^^^ did you mean `total_steps`?
  ...
  $ printf 'optim:\\n  lr: {kind: LinearLR, total_steps: 0}\\n' > train.yaml
  $ olm check --at optim.lr --format concise train.yaml
  train.yaml:2:37: error[range]: total_steps must be at least 1, found 0
  ...

A project says once for all what its checks are, in pyproject.toml:
  [tool.olm]
  exclude = ["old/", "*.draft.olm.yaml"]
  lint = true                   # also strict, jobs, select, ignore
  at = {"conf/*.yaml" = "optim.lr"}
  clock = {total_steps = 100000}

Durations, such as 3% or 2ep, are counted by a clock: the options say it, else the file,
else the project. Without any, their rules, and most of lint, wait until there is one.

exit status: 0 fine, 1 problems, 2 wrong use, 3 no spec found
"""


class _Formats:
    """The formats in words, for which all of them are imported: only if the help is shown."""

    def __str__(self) -> str:
        return in_help()


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes."""
    _add_files(parser)
    looked_for = parser.add_argument_group("what is looked for")
    add_at(looked_for)
    _add_lint(looked_for)
    looked_for.add_argument(
        "--schema",
        metavar="FILE",
        help="hold the files to this JSON Schema (JSON or YAML, draft 4 to 2020-12) and not to "
        "olm's models; anchors, tags and doubled keys are refused here, too, a `$ref` is not "
        "fetched from elsewhere, `format` is not asserted",
    )
    add_clock(parser.add_argument_group("what the run is"))
    mended = parser.add_argument_group("what is mended").add_mutually_exclusive_group()
    mended.add_argument(
        "--fix",
        action="store_true",
        help="mend in the files what has one right answer, such as a misspelt key, and leave every "
        f"other byte as it is; {STDIN} is printed as it is mended",
    )
    mended.add_argument(
        "--diff", action="store_true", help="show what --fix would change, and change nothing"
    )
    told = parser.add_argument_group("how it is told")
    form = told.add_argument(
        "--format", choices=names(), default="text", help="how to write what is found: %(listed)s"
    )
    form.listed = _Formats()  # type: ignore[attr-defined]  # argparse fills it into the help
    told.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help="check in N processes; 0: as many as there are cores (default: 1)",
    )


def _add_files(parser: ArgumentParser) -> None:
    files = parser.add_argument_group("which files")
    files.add_argument(
        "paths",
        nargs="+",
        metavar="FILE|DIR|GLOB",
        help=f"a spec, a folder to search for {', '.join('*' + end for end in SUFFIXES)}, a "
        f"pattern such as 'conf/**/*.yaml', or {STDIN} for standard input; what git ignores is "
        "not searched",
    )
    files.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out of folders and patterns what this matches, as a line of .gitignore would; "
        "may be given more than once",
    )
    files.add_argument(
        "--force-exclude",
        action="store_true",
        help="leave out what is excluded even if it is named, as hooks do",
    )
    files.add_argument(
        "--stdin-filename", default="<stdin>", metavar="FILE", help=f"what to call the file {STDIN}"
    )
    where = files.add_mutually_exclusive_group()
    where.add_argument(
        "--config",
        metavar="FILE",
        help="where [tool.olm] stands (default: the nearest pyproject.toml that has it)",
    )
    where.add_argument("--isolated", action="store_true", help="do not look for [tool.olm]")


def _add_lint(group: _ArgumentGroup) -> None:
    group.add_argument(
        "--lint",
        action=BooleanOptionalAction,
        help="look for all that is most likely not meant, also what takes evaluating rates",
    )
    group.add_argument(
        "--base-lr", type=_rate, metavar="LR", help="the base rate that lint is to assume"
    )
    group.add_argument(
        "--select", type=_codes, metavar="CODES", help="only these warnings, such as jump,zero-rate"
    )
    group.add_argument("--ignore", type=_codes, metavar="CODES", help="none of these warnings")
    group.add_argument(
        "--strict", action=BooleanOptionalAction, help="exit with 1 for warnings, too"
    )


def run(args: Namespace) -> int:
    """Check the files; the exit status tells whether they are fine."""
    try:
        plan = planned(args)
        if args.diff:
            return _differences(plan, args.stdin_filename)
        # Where the mended text goes to standard output, what is told goes elsewhere.
        out = sys.stderr if args.fix and STDIN in plan.paths else sys.stdout
        look = Look(Paint(wants_colour(out)), Tally(), plan.strict)
        for piece in _report(plan, look, args):
            out.write(piece)
    except Misuse as misuse:
        print(f"olm check: {misuse}", file=sys.stderr)
        return misuse.status
    return PROBLEMS if look.tally.errors or (plan.strict and look.tally.warnings) else FINE


def _report(plan: Plan, look: Look, args: Namespace) -> Iterator[str]:
    """What is found, as it is found."""
    # Whatever ends the report ends the processes that check.
    with closing(_results(plan, args)) as results:
        yield from named(args.format).report(counted(results, look.tally, len(plan.paths)), look)


def _results(plan: Plan, args: Namespace) -> Generator[Checked, None, None]:
    """The results, in the order of the files."""
    if plan.mend and STDIN in plan.paths:
        yield from _mended_input(plan, args.stdin_filename)
    elif plan.jobs == 1:
        yield from map(plan.check, plan.paths)
    else:
        from olm.cli.files.jobs import in_order

        yield from in_order(plan.check, plan.paths, plan.jobs)


def _mended_input(plan: Plan, name: str) -> Iterator[Checked]:
    """Print standard input as it is mended."""
    from olm.cli.files.fixing import mended

    if len(plan.paths) > 1:
        raise Misuse(f"what is mended of {STDIN} is printed: give it alone")
    options = plan.options(STDIN)
    file = mended(STDIN, options, name)
    sys.stdout.buffer.write(file.after)
    yield file.checked(options)


def _differences(plan: Plan, stdin: str) -> int:
    """Print what mending would change."""
    from olm.cli.files.fixing import difference, mended

    paint, count = Paint(wants_colour(sys.stdout)), 0
    for path in plan.paths:
        try:
            file = mended(path, plan.options(path), stdin)
        except OSError as error:
            raise Misuse(
                f"{path} cannot be read: {(error.strerror or str(error)).lower()}"
            ) from None
        sys.stdout.writelines(difference(file, paint))
        count += file.count
    said = f"{count:,} problem{'s' * (count != 1)} would be mended"
    print(f"olm check: {said if count else 'there is nothing to mend'}", file=sys.stderr)
    return PROBLEMS if count else FINE


def counted(results: Iterable[Checked], tally: Tally, total: int) -> Iterator[Checked]:
    """The same results, counted as they come, with a line on the terminal that says how far."""
    progress = Progress(total)
    for done, result in enumerate(results):
        progress.at(done)
        tally.add(result)
        if result.problems or result.clocks:
            progress.clear()
        for line in result.clocks:
            print(f"olm check: {visible(result.file)}: {line}", file=sys.stderr)
        yield result
    progress.clear()


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code for part in text.split(",") if (code := part.strip()))


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ArgumentTypeError(f"a number of processes must be at least 0, found {text}")
    return count


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= MAX_RATE:
        raise ArgumentTypeError(f"a base rate must be finite and above 0, found {text}")
    return rate
