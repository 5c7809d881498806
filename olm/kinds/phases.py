"""One schedule after another, each for a number of steps."""

from itertools import accumulate
from typing import Annotated, Literal

from olm.schedule import (
    MAX_STEPS,
    Array,
    Children,
    Length,
    Lengths,
    Part,
    Schedule,
    pieces,
    rule,
    stages,
)


@rule(
    "schedulers",
    "lengths",
    holds=lambda schedulers, lengths: len(schedulers) == len(lengths),
    message="{schedulers} and {lengths} must have equally many items: each phase has its length",
)
@stages("lengths")
class Phases(Schedule):
    """One schedule after another, each for a number of steps, from its own step 0 on.

    >>> from olm.kinds.hold import Hold
    >>> from olm.kinds.ramp import Ramp
    >>> up = Ramp(total_steps=2, start_factor=0.0, end_factor=1.0)
    >>> phases = Phases(schedulers=[up, Hold(), Ramp(total_steps=4)], lengths=[2, 3, 4])
    >>> phases.lr([0, 1, 2, 4, 5, 7, 9, 99], base=0.8)
    array([0. , 0.4, 0.8, 0.8, 0.8, 0.4, 0. , 0. ])

    After the last phase, the rate at its end holds.

    Source: olm's own; `SequentialLR` is the same with milestones in place of lengths.
    """

    kind: Literal["PhasesLR"] = "PhasesLR"
    schedulers: Annotated[Children, Length(1)]
    """The schedules, in the order in which they apply."""
    lengths: Annotated[Lengths, Length(1)]
    """How many steps each schedule applies."""

    group = "composition"
    words = "one after another, each from its own step 0, for {lengths} steps"
    examples = [
        {
            "schedulers": [
                {"kind": "RampLR", "total_steps": 10, "start_factor": 0.0, "end_factor": 1.0},
                {"kind": "HoldLR"},
                {"kind": "RampLR", "total_steps": 40, "ease": "cosine"},
            ],
            "lengths": [10, 50, 40],
        }
    ]
    length_fields = ("lengths",)

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        # Step `sum(lengths)` is the end of the last phase, where the rate holds.
        clipped = np.minimum(step, float(sum(self.lengths)))
        return pieces(clipped, base, [(start, part.formula) for start, _, part in self.parts()])

    def parts(self) -> list[Part]:
        starts = [0, *accumulate(self.lengths[:-1])]
        # Durations cannot be added, and the starts must be known before they are counted.
        counted = all(isinstance(length, int) for length in self.lengths)
        ends = [*starts[1:], sum(self.lengths) if counted else MAX_STEPS]
        return list(map(Part, starts, ends, self.schedulers))

    def own_marks(self) -> tuple[int, ...]:
        return (sum(self.lengths),)
