"""What is known of the rates of a kind without evaluating them: warm-up, jumps, floor.

The rules of ``olm check`` ask these questions, and name no kind: a plugin's kind that answers them
is linted as olm's own are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from olm.problem import Path
from olm.schedule.nesting import child_fields, class_variables_known
from olm.schedule.timeline import Timeline


@class_variables_known
class Shape(Timeline):
    """A schedule with what is known of its rates: its warm-up, its jumps, its floor."""

    is_constant: ClassVar[bool] = False
    """Whether the rate is the same at every step by design, so that a rate of 0 is intended."""

    continues: ClassVar[bool] = False
    """Whether each part continues from the rate of the part before, so that a cut is intended."""

    takes_highest: ClassVar[bool] = False
    """Whether the rate is the highest of those of the parts, so that a constant part is a floor."""

    def warm_up(self) -> tuple[Path, float] | None:
        """The path of the field that specifies how long the warm-up is, and its length in steps.

        By default that is the field ``warmup_steps``, or the warm-up of a part that starts at 0.
        """
        # Not getattr: pydantic takes long to find that a kind has no such field.
        if (steps := self.__dict__.get("warmup_steps")) is not None:
            return ("warmup_steps",), steps
        if self.own_clock or not child_fields(type(self)):
            return None
        for (path, _), part in zip(self.placed_children(), self.parts(), strict=True):
            if part.start == 0 and (inner := part.schedule.warm_up()):
                return path + inner[0], min(inner[1], part.end)
        return None

    def jumps(self) -> Iterator[tuple[Path, int]]:
        """The steps at which the rate changes at once, each with the path of its value.

        Of jumps at equal distances only the first.
        """
        yield from ()

    def floor(self) -> str | None:
        """The field that specifies the lowest rate of a decay, in absolute terms, if there is one.

        By default that is ``min_lr`` or ``eta_min``.
        """
        fields = type(self).model_fields
        return next((name for name in ("eta_min", "min_lr") if name in fields), None)

    def left_at_end(self) -> tuple[str, float] | None:
        """The share of a decay that is left where it jumps to its floor, and the field behind it.

        None for a decay that gets there without a jump.
        """
        return None
