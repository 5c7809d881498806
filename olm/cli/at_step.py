"""The state of a spec at a step that an option specifies, with base numbers by options."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from olm.cli import Misuse
from olm.cli.base_options import Base, add_base, check_bases, given_for, rate
from olm.cli.clock_options import exact_number, uncounted
from olm.cli.formats.text import of_file
from olm.cli.input import checked
from olm.cli.terminal import Paint, visible
from olm.problem import OlmError, found, listed, path_of, quantity
from olm.spec.hyperparameters import LR

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.spec.spec import Spec


def add_at_step(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    group = parser.add_argument_group("a state for a run that saved none: FILE is a spec")
    group.add_argument(
        "--at-step", type=_updates, metavar="N", help="the updates taken: the state's `last_epoch`"
    )
    group.add_argument(
        "--base-lr",
        type=_rates,
        default=(),
        metavar="LR[,LR...]",
        help="the base rate, or one for each param group (default: that of FILE)",
    )
    add_base(group)


def check_alone(args: Namespace) -> None:
    """Check that the options fit together.

    Raises:
        Misuse: they do not.
    """
    if args.at_step is None and (args.base_lr or args.base):
        raise Misuse("a state has base numbers already: --base-lr and --base need --at-step")
    if args.at_step is not None and args.spec is not None:
        raise Misuse("with --at-step, FILE is the spec: leave --spec out")


def spec_at_step(args: Namespace, clock: Clock | None, paint: Paint) -> Spec | None:
    """The state of a file's spec at a step; None if it has problems, which are printed.

    Raises:
        Misuse: the file lacks what the options do not specify.
    """
    from olm.checking.check import Options

    try:
        place = path_of(args.at or "")
    except ValueError as error:
        raise Misuse(f"--at: {error}") from None
    result = checked(args.file, Options(place, clock=clock))
    if (waiting := uncounted(result, clock)) is not None:
        print(*waiting.message("olm state"), sep="\n", file=sys.stderr)
        return None
    if result.counted is None:
        print(*of_file(result, paint), sep="", end="")
        return None
    try:
        return _state(result.counted, args)
    except OlmError as error:
        print(f"olm state: {visible(args.file)}: {visible(str(error))}", file=sys.stderr)
        return None


def _state(spec: Spec, args: Namespace) -> Spec:
    """The state of a spec in steps.

    Raises:
        OlmError: the spec has no numbers that follow from a step.
        Misuse: a base number is unknown.
    """
    from olm.spec.begin import check_begin, documented, needed, state_at
    from olm.spec.param_groups import ParamGroup
    from olm.spec.spec import Spec
    from olm.spec.target_curves import numbers_at

    check_begin(spec, args.at_step)
    names = spec.group_names or [f"#{index}" for index in range(max(len(args.base_lr), 1))]
    bases = _bases(args, names)
    groups = tuple(map(ParamGroup, names))
    check_bases([Spec.trusted(spec.schedule, also=spec.also, param_groups=groups)], bases)
    own = [
        {key: given_for(bases, key, name, documented(spec, name, key)) for key in keys}
        for name, keys in zip(names, needed(spec, names), strict=True)
    ]
    known = [{key: number for key, number in each.items() if number is not None} for each in own]
    unknown = dict.fromkeys(key for each in own for key in each if each[key] is None)
    if unknown:
        raise Misuse(_unknown([*unknown]))
    state = state_at(spec, args.at_step, names, known)
    # This raises if a number cannot be used.
    numbers_at(state, args.at_step)
    return state


def _bases(args: Namespace, names: list[str]) -> list[Base]:
    """The numbers that the options specify; those for one param group are the last."""
    rates: list[float] = [*args.base_lr]
    if len(rates) == 1:
        return [Base(LR, None, rates[0]), *args.base]
    if rates and len(rates) != len(names):
        groups = f"FILE lists {quantity(len(names), 'param group')}"
        raise Misuse(f"--base-lr: {groups} under `param_groups`, found {len(rates):,} rates")
    return [*(Base(LR, name, rate) for name, rate in zip(names, rates, strict=False)), *args.base]


def _unknown(keys: list[str]) -> str:
    options = listed(("--base-lr LR" if key == LR else f"--base {key}=BASE" for key in keys), "and")
    numbers = listed(f"{key}: ..." for key in keys)
    return f"--at-step needs base numbers: give {options}, or `optimizer: {{{numbers}}}` in FILE"


def _updates(text: str) -> int:
    from olm.spec.begin import updates_taken

    try:
        number = exact_number(text)
        return updates_taken(int(number) if number == number // 1 else number)
    except (OlmError, ValueError):
        what = f"must be a whole number of updates, found {found(text)}"
        raise ArgumentTypeError(what) from None


def _rates(text: str) -> list[float]:
    try:
        return [rate(item) for item in text.split(",")]
    except ValueError:
        what = f"must be a rate, or rates such as 0.1,0.2, found {found(text)}"
        raise ArgumentTypeError(what) from None
