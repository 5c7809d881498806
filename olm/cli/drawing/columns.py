"""The numbers that a spec schedules, as columns: the learning rate first, then each target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from olm.cli import Misuse
from olm.cli.base_options import based
from olm.problem import clipped, listed
from olm.spec.hyperparameters import LR
from olm.spec.target_curves import Curve, curve_of

if TYPE_CHECKING:
    from olm.cli.base_options import Base
    from olm.schedule.schedule import Schedule
    from olm.spec.spec import Spec
    from olm.spec.targets import Target

MOST = 3
"""How many bases of a target are shown among others."""

ALONE = 12
"""How many are shown of the only target."""


@dataclass(frozen=True)
class Column:
    """A number that a spec schedules, for one base."""

    number: str
    """The hyperparameter or the value."""
    label: str
    """What it is, with its param groups where there are several bases."""
    target: str
    """The target in words, which several columns may have."""
    curve: Curve
    base: float | None
    """The base; None if the numbers do not depend on one."""
    is_known: bool = True
    """Whether the base is that of a run, not only a number to multiply."""
    left_out: int = 0
    """How many other bases of the same target have no column."""

    @property
    def factor(self) -> float:
        """The base, or any number where the base does not matter."""
        return 1.0 if self.base is None else self.base

    @property
    def heading(self) -> str:
        """The label, with the base if there is one."""
        return self.label if self.base is None else f"{self.label} (base {self.base:.6g})"


def columns_of(spec: Spec, bases: Sequence[Base], only: str | None = None) -> list[Column]:
    """The columns of a spec in steps.

    Args:
        spec: the spec.
        bases: the numbers that options specify.
        only: a hyperparameter, a value, or a target in words, in place of all.

    Raises:
        Misuse: the spec does not schedule what is wanted.
    """
    targets: dict[str, Target | None] = {LR: None} | {one.label: one for one in spec.also}
    if only is not None:
        wanted = {label: one for label, one in targets.items() if only in (label, _number(one))}
        if not wanted:
            raise Misuse(f"--only {clipped(only)}: this document schedules {listed(targets)}")
        targets = wanted
    most = ALONE if len(targets) == 1 else MOST
    return [
        column
        for label, one in targets.items()
        for column in _columns(spec, label, one, bases, most)
    ]


def one_column(schedule: Schedule, base: float) -> list[Column]:
    """The column of a spec without targets."""
    return [Column(LR, LR, LR, Curve(schedule), base)]


def _number(target: Target | None) -> str:
    return LR if target is None else target.number


def _columns(
    spec: Spec, label: str, target: Target | None, bases: Sequence[Base], most: int
) -> Iterator[Column]:
    """The columns of a target, one for each base."""
    curve, number = curve_of(spec.schedule, spec.also, target), _number(target)
    if not curve.follows_base():
        yield Column(number, label, label, curve, None)
        return
    groups: dict[float | None, list[str]] = {}
    for group, base in based(spec, target, bases):
        groups.setdefault(base, []).append(group or "")
    groups = groups or {None: []}
    for base in [*groups][:most]:
        several = len(groups) > 1 and groups[base][0]
        name = f"{number} of {_names(groups[base])}" if several else label
        left = max(len(groups) - most, 0)
        yield Column(
            number, name, label, curve, 1.0 if base is None else base, base is not None, left
        )


def _names(groups: Sequence[str]) -> str:
    """The names of param groups in a heading, up to a limit."""
    shown = [clipped(name) for name in groups[:2]]
    return ", ".join([*shown, *("…" for _ in groups[2:3])])
