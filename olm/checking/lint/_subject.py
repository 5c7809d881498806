"""The subjects of the rules: each schedule of a spec, with its numbers for each possible base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from olm.checking.lint._ignores import Ignore, ignores
from olm.checking.lint._walk import Node, is_composition, nodes
from olm.problem import Path, dotted, quantity
from olm.schedule.schedule import Schedule
from olm.spec.spec import Spec
from olm.text.document import Document

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.schedule.curves import Array
    from olm.spec.targets import Target

ANY_BASE = tuple(10.0 ** (power + 0.5) for power in range(-7, 2))
"""Base rates that represent all others. Nobody writes these numbers in a spec."""

MOST_MARKS = 1000
"""How many of the steps at which the shape changes are evaluated, at most."""

EVENLY = 64
"""How many other steps are evaluated, at equal distances."""


@dataclass
class Subject:
    """A schedule of a spec, the root's or a target's, with all that rules need to know of it."""

    spec: Spec
    document: Document
    base_lr: float | None = None
    """The base rate from the command line."""
    clock: Clock | None = None
    """The clock of the run, if there is one."""
    index: int | None = None
    """The position of the target in `also`; None for the root."""
    nodes: tuple[Node, ...] = field(init=False, repr=False)
    """The schedule and every schedule in it."""
    ignores: tuple[Ignore, ...] = field(init=False, repr=False)
    """The comments that silence warnings."""
    _rates: dict[tuple[int, tuple[int, ...]], Array] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        schedule = self.schedule
        self.nodes = tuple(nodes(schedule)) if self._is_counted_composition else (Node(schedule),)
        self.ignores = ignores(self.document) if self.index is None else ()

    def of_targets(self) -> Iterator[Subject]:
        """The subjects of the targets of the same spec."""
        for index in range(len(self.spec.also)):
            yield Subject(self.spec, self.document, self.base_lr, self.clock, index)

    @property
    def target(self) -> Target | None:
        """The target whose schedule it is; None for the root."""
        return None if self.index is None else self.spec.also[self.index]

    @property
    def schedule(self) -> Schedule:
        """The schedule itself."""
        return self.spec.schedule if self.target is None else self.target.curve

    @property
    def total_steps(self) -> int | None:
        """The run length in steps, if the clock has it."""
        return None if self.clock is None else self.clock.total_steps

    @property
    def place(self) -> Path:
        """The path of the schedule in the document."""
        target = self.target
        return () if target is None else ("also", self.index or 0, target.field)

    @property
    def is_rate(self) -> bool:
        """Whether it is the schedule of a learning rate."""
        target = self.target
        return target is None or (target.set == "lr" and target.scaled_by is None)

    @property
    def number(self) -> str:
        """What it schedules, in words."""
        if self.is_rate or self.target is None:
            return "rate"
        number = self.target.number
        return f"factor of {number}" if self.target.scaled_by is not None else number

    @property
    def _is_counted_composition(self) -> bool:
        """Whether there are several schedules, and it is known when each of them applies."""
        return is_composition(self.schedule) and self.schedule.is_counted

    @cached_property
    def known_bases(self) -> tuple[float, ...]:
        """The base numbers that the factors multiply, if they are known.

        Those of rates are from the command line, from the expectation, or from the document.
        """
        target, expect = self.target, self.spec.expect
        if self.is_rate and self.base_lr is not None:
            bases: tuple[float, ...] = (self.base_lr,)
        elif target is None and expect is not None and expect.base_lr is not None:
            bases = (expect.base_lr,)
        elif target is not None and target.scaled_by is not None:
            # Its base is another number at each step.
            bases = ()
        else:
            # Few documents have what this reads.
            from olm.spec.own_numbers import own_numbers

            bases = own_numbers(self.spec, "lr" if target is None else target.number, target)
        # A base rate of 0 trains nothing, which is then intended.
        return tuple(base for base in bases if base > 0)

    @cached_property
    def bases(self) -> tuple[float, ...]:
        """The base rates for which a warning must be true: the known ones, or `ANY_BASE`."""
        return self.known_bases or ANY_BASE

    def steps_of(self, path: Path) -> str:
        """The steps of the duration that was written at a path; empty if there is none.

        >>> from olm.spec.load import parse_document
        >>> from olm.text.document import read
        >>> document = read("{kind: LinearLR, total_steps: 2ep, clock: {steps_per_epoch: 9}}", "a")
        >>> Subject(parse_document(document).resolve(), document).steps_of(("total_steps",))
        '2ep is 18 steps'
        """
        written = dict(self.spec.durations).get(dotted(path)) if self.spec.durations else None
        if written is None:
            return ""
        places = reversed(self.spec.placed_schedules())
        place, schedule = next(one for one in places if path[: len(one[0])] == one[0])
        steps, unit = schedule.at(path[len(place) :]), "step"
        for length in range(len(path) - len(place)):
            above = schedule.at(path[len(place) :][:length])
            if isinstance(above, Schedule) and above.axis_of_parts != "steps":
                unit = above.axis_of_parts.removesuffix("s")
        return f"{written} is {quantity(steps, unit)}"

    def rates(self, schedule: Schedule, steps: tuple[int, ...]) -> Array:
        """The rates of a schedule: a row for each of its own steps, a column for each base rate."""
        import numpy as np

        # Hashing a schedule hashes all schedules inside it.
        key = (id(schedule), steps)
        if key not in self._rates:
            bases = np.array(self.bases)
            self._rates[key] = schedule.evaluate(np.array(steps, float)[:, None], bases)
        return self._rates[key]


def steps_between(schedule: Schedule, first: int, last: int) -> tuple[int, ...]:
    """Some own steps from the first to the last: those around each change of the shape, and others.

    >>> from olm.kinds.step import MultiStep
    >>> steps_between(MultiStep(milestones=[9]), 0, 128)[:7]
    (0, 2, 4, 6, 8, 9, 10)
    """
    marks = schedule.marks()[:MOST_MARKS]
    near = {step for mark in marks for step in (mark - 1, mark, mark + 1) if first <= step <= last}
    even = {first + (last - first) * index // EVENLY for index in range(EVENLY + 1)}
    return tuple(sorted(near | even))
