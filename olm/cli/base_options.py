"""The options for base numbers: what the factors of a schedule multiply."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _ArgumentGroup
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from olm.cli import Misuse
from olm.fields.types import MAX_RATE
from olm.problem import clipped, listed
from olm.spec.hyperparameters import LR

if TYPE_CHECKING:
    from olm.spec.spec import Spec
    from olm.spec.targets import Target

_BASE = re.compile(r"([^:=\s]+)(?::([^=]+))?=([^=]+)")


class OwnNumber(NamedTuple):
    """A param group and its own number, which factors multiply."""

    group: str | None
    """Its name; None if the names of the param groups are unknown."""
    number: float | None
    """The number; None if it is unknown."""


class Base(NamedTuple):
    """A number that an option specifies."""

    number: str
    """The hyperparameter, such as `weight_decay`."""
    group: str | None
    """The param group, by name or glob; None for all without an option of their own."""
    base: float


def add_bases(parser: ArgumentParser, default: str) -> None:
    """Add the options for base numbers."""
    parser.add_argument(
        "--base-lr", type=rate, metavar="LR", help=f"the base rate (default: {default}, or 1)"
    )
    add_base(parser)


def add_base(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Add the option for the base numbers of other hyperparameters."""
    parser.add_argument(
        "--base",
        type=base,
        action="append",
        default=[],
        metavar="NUMBER[:GROUP]=BASE",
        help="the base of a hyperparameter, of all param groups or one, such as weight_decay=0.04",
    )


def bases_of(args: Namespace) -> list[Base]:
    """The numbers that the options specify."""
    lr = [] if args.base_lr is None else [Base(LR, None, args.base_lr)]
    return [*lr, *args.base]


def base(text: str) -> Base:
    """The value of an option.

    >>> base("weight_decay:no_decay=0")
    Base(number='weight_decay', group='no_decay', base=0.0)
    """
    match = _BASE.fullmatch(text)
    if match is None:
        example = "such as weight_decay=0.04 or lr:head=1e-3"
        raise ArgumentTypeError(f"must be NUMBER=BASE or NUMBER:GROUP=BASE, {example}")
    number, group, value = match.groups()
    try:
        return Base(number, group, rate(value))
    except ValueError:
        raise ArgumentTypeError(f"the base must be a number, found {clipped(value)}") from None


def rate(text: str) -> float:
    """A rate, or another number that factors multiply, as an argument."""
    rate = float(text)
    if not 0 <= rate <= MAX_RATE:
        raise ArgumentTypeError(f"the rate must be finite and at least 0, found {text}")
    return rate


def based(spec: Spec, target: Target | None, bases: Sequence[Base]) -> list[OwnNumber]:
    """The param groups that a target sets, each with its base by the options, else its own number.

    A group of unknown name is one that no option names.
    """
    from olm.spec.own_numbers import covered

    number = LR if target is None else target.number
    names, numbers = covered(spec, number, target)
    named = names if spec.param_groups else [None] * len(names)
    own = [OwnNumber(name, known) for name, known in zip(named, numbers, strict=True)]
    given = [base for base in bases if base.number == number]
    if not spec.param_groups:
        own += [OwnNumber(base.group, None) for base in given if _sets(spec, target, base)]
    return [OwnNumber(group, given_for(given, number, group, known)) for group, known in own]


def given_for(
    bases: Sequence[Base], number: str, group: str | None, known: float | None
) -> float | None:
    """The base of a hyperparameter of a param group by the options, else the known one.

    The last option for the group wins, else the last one for all groups.

    >>> given_for([Base("lr", None, 1.0), Base("lr", "head", 0.1)], "lr", "head", None)
    0.1
    """
    from olm.spec.param_groups import matches

    given = [base for base in reversed(bases) if base.number == number]
    for base in given:
        if base.group is not None and group is not None and matches(base.group, group):
            return base.base
    return next((base.base for base in given if base.group is None), known)


def check_bases(specs: Sequence[Spec], bases: Sequence[Base]) -> None:
    """That each option is of a number that one of the specs schedules, and of one of its groups.

    Raises:
        Misuse: one is not.
    """
    from olm.spec.param_groups import matches

    for base in bases:
        numbers = dict.fromkeys([LR, *(t.set for spec in specs for t in spec.also if t.set)])
        if base.number not in numbers:
            option = f"--base {clipped(base.number)}"
            raise Misuse(f"{option}: the hyperparameters are {listed(numbers, 'and')}")
        if base.group is None:
            continue
        names = dict.fromkeys(group.name for spec in specs for group in spec.param_groups)
        if names and not any(matches(base.group, name) for name in names):
            of = f"--base {base.number}:{clipped(base.group)}"
            raise Misuse(f"{of}: the param groups are {listed(names, 'and')}")


def _sets(spec: Spec, target: Target | None, base: Base) -> bool:
    """Whether a target sets a number of the group that an option names."""
    if base.group is None:
        return False
    from olm.spec.target_curves import target_of

    return target_of(spec, base.number, base.group) is target
