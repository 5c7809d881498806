"""What the numbers below an axis count, and what a clock lacks to count them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from olm.problem import Path
    from olm.schedule.clock import Clock
    from olm.spec.spec import Spec


def counts_at(spec: Spec, path: Path) -> str:
    """What the number at a path counts: ``steps``, or the unit of the axis that it is below.

    >>> from olm.spec.spec import parse
    >>> warmup = {"kind": "WarmupLR", "warmup_steps": 3000}
    >>> spec = parse({"kind": "TimeLR", "axis": "samples", "scheduler": warmup})
    >>> counts_at(spec, ("scheduler", "warmup_steps"))
    'samples'
    """
    placed = reversed(spec.placed_schedules())
    place = next(place for place, _ in placed if path[: len(place)] == place)
    for length in range(len(place), len(path)):
        axis: str = getattr(spec.at(path[:length]), "axis_of_parts", "steps")
        if axis != "steps":
            return axis
    return "steps"


def axes_lacking(
    spec: Spec, clock: Clock, problems: Iterable[Path]
) -> Iterator[tuple[Path, str, str]]:
    """The path of each axis among some problems, the axis, and the field that a clock lacks."""
    for path in problems:
        if path[-1:] == ("axis",):
            axis = str(spec.at(path))
            yield path, axis, clock.lacks_of(axis)
