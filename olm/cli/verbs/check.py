"""``olm check``: find errors in specs, and where they are."""

from __future__ import annotations

import sys
from argparse import (
    Action,
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    Namespace,
    _ArgumentGroup,
)
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any

from olm.checking.check import Checked
from olm.cli import FINE, PROBLEMS
from olm.cli.clock_options import add_clock
from olm.cli.files.plan import Plan, planned
from olm.cli.files.search import STDIN, SUFFIXES
from olm.cli.formats import Look, Output, Tally, in_help, named, names
from olm.cli.input import add_at
from olm.cli.terminal import Paint, Progress, visible
from olm.fields.types import MAX_RATE
from olm.problem import listed

SUMMARY = "find errors in specs"

EPILOG = """\
A spec is a YAML, JSON or TOML file that specifies the learning rate at every step. Each error
is reported with its location, the offending value and the fix.

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

Each file has the settings of the nearest pyproject.toml or olm.toml, in its folder or above:
  [tool.olm]
  exclude = ["old/", "*.draft.olm.yaml"]
  lint = true                   # also strict, jobs, select, ignore
  at = {"conf/*.yaml" = "optim.lr"}
  clock = {total_steps = 100000}

A clock converts durations such as 3% or 2ep to steps. It comes from the options, else from the
file, else from the project. Without a clock, rules about durations and most of lint are skipped.

exit status: 0 no problems, 1 problems, 2 usage error, 3 no spec found
"""


class _Formats:
    """The formats with their summaries; to list them imports them all, so only for the help."""

    def __str__(self) -> str:
        return in_help()


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    _add_files(parser)
    looked_for = parser.add_argument_group("what to check")
    add_at(looked_for)
    _add_lint(looked_for)
    looked_for.add_argument(
        "--schema",
        metavar="FILE",
        help="validate against this JSON Schema (JSON or YAML, draft 4 to 2020-12) instead of "
        "olm's models; anchors, tags and duplicate keys are still errors, remote `$ref`s are not "
        "fetched, `format` is not asserted",
    )
    add_clock(parser.add_argument_group("run length"))
    fixes = parser.add_argument_group("fixes").add_mutually_exclusive_group()
    fixes.add_argument(
        "--fix",
        action="store_true",
        help="fix errors that have only one possible fix, such as a misspelt key, and leave every "
        f"other byte unchanged; with {STDIN}, print the fixed text",
    )
    fixes.add_argument(
        "--diff", action="store_true", help="show what --fix would change, without writing it"
    )
    _add_output(parser.add_argument_group("output"))


class _Collected(Action):
    """Collects the formats, each with the file that is named next to it."""

    def __call__(
        self,
        parser: ArgumentParser,
        args: Namespace,
        value: Any,
        option: str | None = None,
    ) -> None:
        *before, last = args.outputs or [Output()]
        given = {str(self.const): value}
        if getattr(last, str(self.const)) is None:
            args.outputs = [*before, last._replace(**given)]
        else:
            args.outputs = [*before, last, Output(**given)]


def _add_output(group: _ArgumentGroup) -> None:
    form = group.add_argument(
        "--format",
        dest="outputs",
        action=_Collected,
        const="format",
        choices=names(),
        help="the output format: %(listed)s (default: text); can be repeated if all but one have "
        "an --output-file",
    )
    form.listed = _Formats()  # type: ignore[attr-defined]  # argparse fills it into the help
    group.add_argument(
        "--output-file",
        dest="outputs",
        action=_Collected,
        const="file",
        metavar="OUT",
        help="write the report in the --format before it to this file",
    )
    group.add_argument(
        "--statistics",
        action="store_true",
        help="print how many problems have which code, instead of the problems",
    )
    group.add_argument(
        "--exit-zero", action="store_true", help="exit with status 0 even if there are problems"
    )
    group.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help="check in N processes; 0 for one per core (default: 1)",
    )


def _add_files(parser: ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="FILE|DIR|GLOB",
        help=f"a spec, a folder to search for {listed(('*' + end for end in SUFFIXES), 'or')}, a "
        f"pattern such as 'conf/**/*.yaml', or {STDIN} for standard input (default: the current "
        "folder); git-ignored files are skipped",
    )
    files.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="skip files that match this .gitignore pattern when searching folders and patterns; "
        "can be repeated",
    )
    files.add_argument(
        "--force-exclude",
        action="store_true",
        help="also skip excluded files that are named on the command line, as hooks need",
    )
    files.add_argument(
        "--stdin-filename",
        default="<stdin>",
        metavar="FILE",
        help=f"name to report for {STDIN}",
    )
    where = files.add_mutually_exclusive_group()
    where.add_argument(
        "--config",
        metavar="FILE",
        help="the file with the settings of all files (default: for each file, the nearest "
        "olm.toml or pyproject.toml with [tool.olm], in its folder or above)",
    )
    where.add_argument("--isolated", action="store_true", help="ignore the settings of projects")


def _add_lint(group: _ArgumentGroup) -> None:
    group.add_argument(
        "--lint",
        action=BooleanOptionalAction,
        help="also report warnings that require evaluating the rates",
    )
    group.add_argument(
        "--base-lr", type=_rate, metavar="LR", help="the base rate that lint assumes"
    )
    group.add_argument(
        "--select",
        type=_codes,
        metavar="CODES",
        help="only these warnings, such as jump,zero-rate",
    )
    group.add_argument("--ignore", type=_codes, metavar="CODES", help="skip these warnings")
    group.add_argument(
        "--strict", action=BooleanOptionalAction, help="exit with status 1 for warnings as well"
    )


def run(args: Namespace) -> int:
    """Check the files."""
    plan = planned(args)
    if args.diff:
        from olm.cli.files.fixing import print_differences

        found = print_differences(plan) > 0
    else:
        found = _reported(plan, args)
    return PROBLEMS if found and not args.exit_zero else FINE


def _reported(plan: Plan, args: Namespace) -> bool:
    """Write the reports; whether the run fails."""
    # The fixed text goes to standard output, so the report goes to standard error.
    out = sys.stderr if args.fix and STDIN in plan.paths else sys.stdout
    look = Look(Tally(), Paint.of(out), plan.is_strict)
    # Whatever ends the report must end the worker processes.
    with closing(_results(plan)) as results:
        out.writelines(_report(counted(results, look, len(plan.paths)), look, plan, args))
    return look.tally.failing > 0


def _report(results: Iterable[Checked], look: Look, plan: Plan, args: Namespace) -> Iterator[str]:
    """The report on standard output, piece by piece."""
    if not (args.outputs or args.statistics):
        return named("text").report(results, look)
    from olm.cli.formats._files import with_files

    return with_files(args.outputs or [], args.statistics, plan.paths)(results, look)


def _results(plan: Plan) -> Generator[Checked, None, None]:
    """The results, in the order of the files."""
    if plan.fix and STDIN in plan.paths:
        from olm.cli.files.fixing import fixed_input

        yield from fixed_input(plan)
    elif plan.jobs == 1:
        yield from map(plan.check, plan.paths)
    else:
        from olm.cli.files.jobs import in_order

        yield from in_order(plan.check, plan.paths, plan.jobs)


def counted(results: Iterable[Checked], look: Look, total: int) -> Iterator[Checked]:
    """The same results, added to the tally, with a progress line on the terminal."""
    progress = Progress(total)
    for done, result in enumerate(results):
        progress.at(done)
        look.tally.add(result, bool(result.problems) and look.is_strict(result.file))
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
        raise ArgumentTypeError(f"the number of processes must be at least 0, found {text}")
    return count


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= MAX_RATE:
        raise ArgumentTypeError(f"the base rate must be finite and above 0, found {text}")
    return rate
