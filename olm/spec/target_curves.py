"""The numbers of targets as functions of the step and of a param group's own number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from olm.problem import OlmError, found, listed
from olm.schedule.evaluation import evaluate_checked
from olm.schedule.schedule import Schedule
from olm.spec.hyperparameters import LR
from olm.spec.memory import forgotten
from olm.spec.targets import Target, assign

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from olm.schedule.curves import Array
    from olm.schedule.timeline import Part
    from olm.spec.spec import Spec


@dataclass(frozen=True)
class Curve:
    """A number that a schedule gives.

    >>> from olm.kinds.hold import Hold
    >>> from olm.kinds.linear import Linear
    >>> rest = Curve(Linear(total_steps=4))
    >>> Curve(Hold(factor=0.1), others=rest).at(2, 0.5)
    0.025
    """

    schedule: Schedule
    base: float | None = None
    """What its factors multiply, in place of a group's own number."""
    others: Curve | None = None
    """The curve of the other groups, of whose number the schedule is a factor."""
    scale: float = 1.0
    """What multiplies the number in the end: a group's own scale, such as timm's."""

    @property
    def kind(self) -> str:
        """The kind of its schedule."""
        return self.schedule.kind

    def evaluate(self, steps: NDArray[Any], bases: NDArray[Any]) -> Array:
        """The numbers at steps, for groups with these own numbers, unchecked; as float64."""
        import numpy as np

        if self.others is not None:
            bases = self.others.evaluate(steps, bases)
        elif self.base is not None:
            bases = np.full(np.shape(bases), self.base)
        numbers = self.schedule.evaluate(steps, bases)
        return numbers if self.scale == 1 else numbers * self.scale

    def at(self, step: ArrayLike, base: ArrayLike) -> Any:
        """The number at a step or an array of steps, as `Schedule.lr` gives it.

        Raises:
            RateError: a number is negative or not finite.
        """
        return evaluate_checked(self.evaluate, step, base, self.kind)

    lr = at
    """The same, by the name that a schedule has for it."""

    def follows_base(self) -> bool:
        """Whether a group's own number changes what the curve gives, at any of its marks.

        >>> from olm.kinds.hold import Hold
        >>> Curve(Hold()).follows_base(), Curve(Hold(), base=1.0).follows_base()
        (True, False)
        """
        import numpy as np

        steps = np.array([0, 1, *(at + near for at in self.marks() for near in (0, 1))])
        one, two = (self.evaluate(steps, np.array([base])) for base in (1.0, 0.5))
        return not np.array_equal(one, two)

    def in_steps(self) -> Curve:
        """The curve in optimizer steps, without a clock: see `Schedule.in_steps`."""
        others = self.others and self.others.in_steps()
        return Curve(self.schedule.in_steps(), self.base, others)

    def forgotten(self) -> Curve:
        """The curve as it was before its schedules observed a metric."""
        return Curve(forgotten(self.schedule), self.base, self.others and self.others.forgotten())

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """Its schedule, and those of the curve that it scales."""
        return (self.schedule, *(self.others.schedules if self.others else ()))

    @property
    def metric_driven(self) -> bool:
        """Whether its numbers depend on metrics."""
        return any(schedule.metric_driven for schedule in self.schedules)

    def marks(self) -> list[int]:
        """The steps at which its shape changes, ascending."""
        return sorted({mark for schedule in self.schedules for mark in schedule.marks()})

    def holds_from(self) -> int | None:
        """The step from which on its number holds; None if it never does."""
        held = [schedule.holds_from() for schedule in self.schedules]
        return None if None in held else max(step for step in held if step is not None)

    def ends_at(self) -> int | None:
        """The step at which it is over; None if it has no end."""
        ends = [schedule.ends_at() for schedule in self.schedules]
        return max((step for step in ends if step is not None), default=None)

    def horizon(self) -> int:
        """How many steps to look at."""
        return max(schedule.horizon() for schedule in self.schedules)

    def parts(self) -> list[Part]:
        """The schedules that its own schedule is made of."""
        return self.schedule.parts()


def numbers_at(state: Spec, step: int) -> dict[str, list[float]]:
    """The numbers of every target of a state at a step, by the target in words.

    The first are the rates of the groups that no target names. The list of a hyperparameter has a
    number for each group that the target sets, in their order; that of a value has one.

    Raises:
        RateError: a number is negative or not finite.
    """
    names, base_lrs = state.group_names, state.base_lrs or ()
    owners = assign(state.also, names).by_set.get(LR, [None] * len(base_lrs))
    numbers: dict[str, list[float]] = {}
    for index, target in ((None, None), *enumerate(state.also)):
        if target is None or target.set == LR:
            bases = [base for base, owner in zip(base_lrs, owners, strict=True) if owner == index]
        else:
            bases = [1.0] if target.value is not None else [*(target.bases or ())]
        if target is not None and target.base is not None and not bases:
            bases = [target.base]
        label = LR if target is None else target.label
        numbers[label] = (
            curve_of(state.schedule, state.also, target).at([step], bases).tolist() if bases else []
        )
    return numbers


def curve_of(schedule: Schedule, also: Sequence[Target], target: Target | None) -> Curve:
    """The curve of a target, or of the root for None, in a document in steps.

    Args:
        schedule: the schedule of the root.
        also: all targets of the document.
        target: one of them.
    """
    if target is None:
        return Curve(schedule)
    if target.scaled_by is not None:
        rest = next((one for one in also if one.set == target.set and not one.groups), None)
        if rest is not None or target.set == LR:
            return Curve(target.scaled_by, others=curve_of(schedule, also, rest))
        return Curve(target.scaled_by)
    base = 1.0 if target.value is not None and target.base is None else target.base
    return Curve(target.curve, base)


def target_of(spec: Spec, number: str, group: str | None = None) -> Target | None:
    """The target that sets a hyperparameter of a param group, or gives a value.

    It is None for the learning rate of the groups that no target names.

    Raises:
        OlmError: the document does not schedule this number.
    """
    of = [target for target in spec.also if target.number == number]
    if group is not None:
        named = [target for target in of if target.selects(group)]
        if named:
            return named[0]
    rest = next((target for target in of if not target.groups), None)
    if rest is None and number != LR:
        numbers = dict.fromkeys([LR, *(target.number for target in spec.also)])
        place = f" of {group}" if group else ""
        raise OlmError(
            f"this document does not schedule the {number}{place}, only {listed(numbers)}"
        )
    return rest


def value_target(spec: Spec, name: str) -> Target:
    """The target that gives a value.

    Raises:
        OlmError: the document has no such value.
    """
    values = {target.value: target for target in spec.also if target.value is not None}
    if name not in values:
        there = f"its values are {listed(values)}" if values else "it has no values"
        raise OlmError(f"this document has no value {found(name)}: {there}")
    return values[name]
