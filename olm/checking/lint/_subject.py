"""What a rule looks at: a spec, its text, and its rates at each base rate that it may have."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from olm.checking.lint._ignores import Ignore, ignores
from olm.checking.lint._walk import Node, is_composition, nodes
from olm.problem import Path, dotted, in_steps
from olm.schedule.schedule import Schedule
from olm.spec.spec import Spec
from olm.text.document import Document

if TYPE_CHECKING:
    from olm.schedule.curves import Array

ANY_BASE = tuple(10.0 ** (power + 0.5) for power in range(-7, 2))
"""Base rates that stand for any, of which none is a number that people write."""

MOST_MARKS = 1000
"""How many of the steps at which the shape changes are looked at."""

EVENLY = 64
"""How many steps are looked at besides them."""


@dataclass
class Subject:
    """A spec, and what rules ask of it."""

    spec: Spec
    document: Document
    base_lr: float | None = None
    """The base rate that was given by whoever looks."""
    total_steps: int | None = None
    """How many steps the run has, if a clock says so."""
    nodes: tuple[Node, ...] = field(init=False, repr=False)
    """The schedule and every schedule in it."""
    ignores: tuple[Ignore, ...] = field(init=False, repr=False)
    """The comments that silence warnings."""
    _rates: dict[tuple[int, tuple[int, ...]], Array] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        schedule = self.spec.schedule
        self.nodes = tuple(nodes(schedule)) if self._is_of_parts else (Node(schedule),)
        self.ignores = ignores(self.document)

    @property
    def _is_of_parts(self) -> bool:
        """Whether there are several schedules, and it is known when each of them applies."""
        schedule = self.spec.schedule
        return is_composition(schedule) and schedule.is_counted

    @cached_property
    def known_bases(self) -> tuple[float, ...]:
        """The base rates, if anything says them: who looks, what is expected, or a state."""
        if self.base_lr is not None:
            bases: tuple[float, ...] = (self.base_lr,)
        elif self.spec.expect is not None:
            bases = (self.spec.expect.base_lr,)
        else:
            bases = self.spec.base_lrs or ()
        # With a base rate of 0 nothing trains, which is then meant.
        return tuple(base for base in bases if base > 0)

    @cached_property
    def bases(self) -> tuple[float, ...]:
        """The base rates for all of which a warning must hold: if none is known, any."""
        return self.known_bases or ANY_BASE

    def steps_of(self, path: Path) -> str:
        """How many steps the duration is that was written at a path; nothing if there is none.

        >>> from olm.spec.load import parse_document
        >>> from olm.text.document import read
        >>> document = read("{kind: LinearLR, total_steps: 2ep, clock: {steps_per_epoch: 9}}", "a")
        >>> Subject(parse_document(document).resolve(), document).steps_of(("total_steps",))
        '2ep is 18 steps'
        """
        written = dict(self.spec.durations).get(dotted(path)) if self.spec.durations else None
        if written is None:
            return ""
        steps = self.spec.schedule.at(path)
        return f"{written} is {in_steps(steps)}"

    def rates(self, schedule: Schedule, steps: tuple[int, ...]) -> Array:
        """The rates of a schedule, a row for each of its own steps, a column for each base rate."""
        import numpy as np

        # To hash a schedule is to hash all that is in it.
        key = (id(schedule), steps)
        if key not in self._rates:
            bases = np.array(self.bases)
            self._rates[key] = schedule.evaluate(np.array(steps, float)[:, None], bases)
        return self._rates[key]


def steps_between(schedule: Schedule, first: int, last: int) -> tuple[int, ...]:
    """Some own steps from the first to the last: all those at which its shape changes, and others.

    >>> from olm.kinds.step import MultiStep
    >>> steps_between(MultiStep(milestones=[9]), 0, 128)[:7]
    (0, 2, 4, 6, 8, 9, 10)
    """
    marks = schedule.marks()[:MOST_MARKS]
    near = {step for mark in marks for step in (mark - 1, mark, mark + 1) if first <= step <= last}
    even = {first + (last - first) * part // EVENLY for part in range(EVENLY + 1)}
    return tuple(sorted(near | even))
