"""``olm export``: write a spec as the configuration of another framework."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from olm.checking.check import Options
from olm.cli import FINE, MISUSE, PROBLEMS, Misuse
from olm.cli.base_options import based, rate
from olm.cli.clock_options import add_clock, clock_of, uncounted
from olm.cli.excerpt import picture
from olm.cli.files.search import is_there
from olm.cli.formats.text import of_file
from olm.cli.input import add_at, checked
from olm.cli.terminal import Paint, visible
from olm.cli.verbs.show import count
from olm.problem import SpecError, clipped, listed, nearest
from olm.text.write import write_whole

if TYPE_CHECKING:
    from olm.foreign.exports._targets import Run, Target
    from olm.schedule.clock import Clock
    from olm.schedule.schedule import Schedule
    from olm.spec.spec import Spec

SUMMARY = "write a spec as the configuration of another framework"

EPILOG = """\
The file has the rates of the spec at every step of the run, or the spec is refused with the
nearest schedule that the framework has and the largest difference.

targets:
{targets}

examples:
  $ printf 'kind: WarmupDecayLR\\nwarmup_steps: 10\\ntotal_steps: 100\\n' > run.olm.yaml
  $ olm export run.olm.yaml --to torch --out schedule.py
  wrote schedule.py: torch code
  $ olm export run.olm.yaml --to csv --base-lr 3e-4 --steps 2
  step,lr
  0,0.0
  1,2.9999999999999997e-05

The run ends at `clock: {{total_steps: ...}}` in FILE, --total-steps or --steps, else at the end of
the schedule. The base rate is --base-lr, else that of `optimizer` or `param_groups` in FILE.
If the param groups have different base rates, only torch code has them all; --base-lr exports one.
The other numbers of `optimizer` are written where the framework's file has its optimizer.

exit status: 0 success, 1 the spec has problems or was refused, 2 usage error
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from olm.foreign.exports._targets import targets

    rows = (f"  {name:14}{target.title}" for name, target in targets().items())
    parser.epilog = EPILOG.format(targets="\n".join(rows))
    parser.add_argument("file", metavar="FILE", help="a spec or a state; - is standard input")
    parser.add_argument("--to", required=True, metavar="TARGET", help="the framework")
    parser.add_argument("--out", metavar="PATH", help="the file to write (default: print it)")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    parser.add_argument("--base-lr", type=rate, metavar="LR", help="the base rate")
    parser.add_argument("--steps", type=count, metavar="N", help="how many steps the run has")
    add_at(parser)
    add_clock(parser.add_argument_group("run length"))


def run(args: Namespace) -> int:
    """Write the file, or report why there is none."""
    from olm.foreign.exports._targets import export

    if not is_there(args.file) or Path(args.file).is_dir():
        print(f"olm export: no such file: {visible(args.file)}", file=sys.stderr)
        return MISUSE
    target, given = _target(args.to), clock_of(args)
    if args.out and Path(args.out).exists() and not args.force:
        raise Misuse(f"{visible(args.out)} exists already: add --force to overwrite it")
    result = checked(args.file, Options(args.at, clock=given))
    if (waiting := uncounted(result, given)) is not None:
        print(*waiting.message("olm export"), sep="\n", file=sys.stderr)
        return PROBLEMS
    if result.spec is None or result.counted is None:
        print(*of_file(result, Paint.of(sys.stdout)), sep="", end="")
        return PROBLEMS
    clock = result.spec.clock_for(given)
    try:
        text = export(_run_of(result.counted, target, clock, args), target)
    except SpecError as error:
        paint = Paint.of(sys.stderr)
        for problem in error.problems:
            shown = result.document.located(problem._replace(path=("kind",)))
            print(*picture(shown, result.text, paint), sep="\n", file=sys.stderr)
        return PROBLEMS
    if args.out is None:
        print(text, end="")
        return FINE
    write_whole(Path(args.out), text.encode())
    print(f"wrote {visible(args.out)}: {target.title}")
    return FINE


def _target(name: str) -> Target:
    from olm.foreign.exports._targets import targets

    known = targets()
    if name in known:
        return known[name]
    meant = nearest(name, known)
    hint = f"did you mean {meant}?" if meant else f"the targets are {listed(known, 'and')}"
    raise Misuse(f"there is no target {clipped(name)}: {hint}")


def _run_of(spec: Spec, target: Target, clock: Clock, args: Namespace) -> Run:
    """The run to write.

    Raises:
        Misuse: the target needs a base rate that is unknown.
    """
    from olm.foreign.exports._targets import Run

    numbers = (own.number for own in based(spec, None, []) if own.number is not None)
    known = args.base_lr if args.base_lr is not None else next(numbers, None)
    if known is None and (target.needs_base or not _scales(spec.schedule)):
        raise Misuse("the base rate is unknown: add --base-lr, or `optimizer: {lr: ...}` to FILE")
    steps = args.steps or clock.total_steps
    end = spec.schedule.holds_from() or spec.schedule.horizon() or 1
    base = 1.0 if known is None else known
    name = "standard input" if args.file == "-" else Path(args.file).name
    known_length, chosen = steps is not None, args.base_lr is not None
    return Run(spec, base, int(steps or end), name, known_length, clock, chosen)


def _scales(schedule: Schedule) -> bool:
    """Whether the rates are proportional to the base rate."""
    marks = [0, 1, *(mark + by for mark in schedule.marks() for by in (-1, 0, 1) if mark)]
    low, high = schedule.lr(marks, 1.0), schedule.lr(marks, 0.125)
    return bool((low * 0.125 == high).all())
