"""``olm branch``: write the spec of a branch of a run, from a state of the run."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from olm.cli import FINE, MISUSE, PROBLEMS
from olm.cli.base_options import rate
from olm.cli.clock_options import OPTIONS, add_clock, option
from olm.cli.files.search import is_there
from olm.cli.schema_line import add_schema, is_url, reference, schema_near
from olm.cli.terminal import visible
from olm.cli.verbs.state import only_state
from olm.problem import OlmError, SpecError
from olm.schedule.curves import Ease

if TYPE_CHECKING:
    from olm.problem import Problem
    from olm.spec.spec import Spec

SUMMARY = "create the spec of a branch of a run, from a state"

EPILOG = """\
STATE is a checkpoint, as for `olm state`. The first part of the spec is the schedule of the run
up to the step of STATE; from there the rate holds, and decays at the end. Train with the spec
and load STATE into its scheduler: no on_change is needed.

A decay at the end of a run that holds its rate, as in WSD:
  $ printf 'kind: WarmupLR\\nwarmup_steps: 100\\n' > wsd.olm.yaml
  $ olm state wsd.olm.yaml --at-step 600 --base-lr 0.5 --out state.json
  $ olm branch state.json --decay 10% --total-steps 1000 --out decayed.olm.yaml
  wrote decayed.olm.yaml: a branch at step 600 that decays from step 900 to 1,000

Other branches:
  decay at once, to another floor         --total-steps 1000 --end-lr 1e-5
  hold the rate, without a decay          --hold
  a longer run of a power law (Power)     --follow --decay 10% --total-steps 1000
  warm up again after a decay (WSD-S),    --warmup 50 --decay 10% --total-steps 2000
    from the state at its end

exit status: 0 success, 1 problems, 2 usage error, 3 no state found
"""

RENAMED = ("total_steps", "end_lr", "end_factor")
"""The arguments of `olm.branch` that are options with a hyphen."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="STATE", help="a checkpoint; - is standard input")
    parser.add_argument("--at", metavar="PLACE", help="which state, if STATE has several")
    end = parser.add_argument_group("the end of the branch")
    end.add_argument(
        "--decay",
        type=_steps,
        metavar="STEPS",
        help="the length of the decay, such as 500, 2ep or 10%% of the total steps (default: all "
        "steps that are left)",
    )
    end.add_argument("--end-lr", type=rate, metavar="LR", help="the rate at its end (default: 0)")
    end.add_argument(
        "--end-factor", type=rate, metavar="F", help="or the share of the rate that is left there"
    )
    end.add_argument(
        "--ease", choices=get_args(Ease), default="linear", help="the curve (default: linear)"
    )
    end.add_argument("--power", type=rate, help="the exponent of polynomial and power")
    end.add_argument("--hold", action="store_true", help="no decay: the rate holds")
    start = parser.add_argument_group("before the decay, where the rate holds by default")
    start.add_argument(
        "--warmup", type=_steps, default=0, metavar="STEPS", help="let the rate rise first"
    )
    start.add_argument(
        "--peak",
        type=rate,
        metavar="LR",
        help="the rate to which it rises (default: the base rate)",
    )
    start.add_argument(
        "--follow", action="store_true", help="follow the schedule of the run until the decay"
    )
    start.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="TARGET",
        help="a target that continues as the rate does, such as weight_decay",
    )
    add_clock(parser.add_argument_group("run length of the branch, from step 0 of its run"))
    parser.add_argument(
        "--out", metavar="FILE", help="write to a file: YAML, or JSON if the name ends with .json"
    )
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    add_schema(parser)


def _steps(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def run(args: Namespace) -> int:
    """Print or write a spec, or report problems."""
    if not is_there(args.file):
        print(f"olm branch: no such file or folder: {visible(args.file)}", file=sys.stderr)
        return MISUSE
    out = None if args.out is None else Path(args.out)
    if out is not None and out.exists() and not args.force:
        print(f"olm branch: {out} already exists: --force overwrites it", file=sys.stderr)
        return MISUSE
    state = only_state("branch", args.file, args.at)
    if isinstance(state, int):
        return state
    try:
        spec = _branch(state, args)
    except SpecError as error:
        return _refused(map(_reason, error.problems))
    except OlmError as error:
        return _refused([str(error)])
    text = _text(spec, state, args, out)
    if out is None:
        print(text, end="")
        return FINE
    from olm.text.write import write_whole

    write_whole(out, text.encode())
    print(f"wrote {out}: {_in_words(spec)}")
    return FINE


def _reason(problem: Problem) -> str:
    """A problem with the option that solves it."""
    if problem.code == "clock":
        needs = next((name for name in OPTIONS if name in problem.message), "")
        return f"{problem.message}: give {option(needs)} N" if needs else problem.message
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


def _refused(lines: Iterable[str]) -> int:
    for line in lines:
        print(f"olm branch: {visible(_as_options(line))}", file=sys.stderr)
    return PROBLEMS


def _as_options(message: str) -> str:
    """A message about arguments of `olm.branch` with the options that they are.

    >>> _as_options("end_lr and end_factor both specify the end of the decay")
    '--end-lr and --end-factor both specify the end of the decay'
    """
    message = message.replace("hold=True", "--hold")
    return re.sub(rf"\b({'|'.join(RENAMED)})\b", lambda match: option(match[1]), message)


def _branch(state: Spec, args: Namespace) -> Spec:
    from olm.spec.branching import branch

    given = {name: number for name in OPTIONS if (number := getattr(args, name)) is not None}
    total = given.pop("total_steps", None)
    return branch(
        state,
        total_steps=total,
        decay=args.decay,
        end_lr=args.end_lr,
        end_factor=args.end_factor,
        ease=args.ease,
        power=args.power,
        warmup=args.warmup,
        peak=args.peak,
        hold=args.hold,
        follow=args.follow,
        also=args.also,
        clock=given or None,
    )


def _text(spec: Spec, state: Spec, args: Namespace, out: Path | None) -> str:
    from olm.cli.spec_text import as_json, as_yaml

    if out is not None and out.suffix == ".json":
        return as_json(spec)
    folder = Path() if out is None else out.parent
    schema = args.schema or schema_near(folder)
    return as_yaml(spec, [*_comments(spec, state, args, folder, schema)])


def _comments(
    spec: Spec, state: Spec, args: Namespace, folder: Path, schema: str | None
) -> Iterator[str]:
    if schema:
        named = reference(schema, folder)
        named = named if is_url(named) else named.replace("%", "%25").replace(" ", "%20")
        yield f"yaml-language-server: $schema={named}"
    yield f"{_in_words(spec).capitalize()}, from {visible(Path(args.file).name)}."
    if any(schedule.metric_driven for _, schedule in state.placed_schedules()):
        from olm.spec.branching import METRICS

        assert spec.parent is not None
        yield f"{METRICS.format(f'{spec.parent.step:,}').capitalize()}."


def _in_words(spec: Spec) -> str:
    """Where a branch starts, and what it does."""
    assert spec.parent is not None
    start = f"a branch at step {spec.parent.step:,}"
    milestones: Any = getattr(spec.schedule, "milestones", ())
    last: Any = spec.schedule.at(("schedulers", -1)) if spec.schedule.children() else spec.schedule
    total = spec.clock.total_steps if spec.clock else None
    if last.kind == "RampLR" and total and milestones[-1] + last.total_steps == total:
        return f"{start} that decays from step {milestones[-1]:,} to {total:,}"
    return f"{start} that holds its rate"
