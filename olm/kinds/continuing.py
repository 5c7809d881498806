"""One schedule after another, each of which continues from the rate that the last one reached."""

from typing import TYPE_CHECKING, Literal

from olm.kinds.sequence import Milestones
from olm.schedule import Array, Children, PositiveStepIndices, covering, pieces


class Continue(Milestones):
    """One schedule after another, each with a base rate of its own: the rate that was reached.

    At each milestone the next schedule takes over, at its own step 0. Its base rate is the rate
    that the schedule before it has at the milestone, so that a factor of 1 continues there.

    >>> from olm.kinds.hold import Hold
    >>> from olm.kinds.linear import Linear
    >>> from olm.kinds.ramp import Ramp
    >>> branch = Continue(
    ...     schedulers=[Linear(total_steps=10), Hold(), Ramp(total_steps=4)], milestones=[5, 8]
    ... )
    >>> branch.lr([0, 4, 5, 7, 8, 9, 10, 12, 99], base=0.8)
    array([0.8 , 0.48, 0.4 , 0.4 , 0.4 , 0.3 , 0.2 , 0.  , 0.  ])

    This is the branch of a run: the first schedule is that of the run, and what follows continues
    from the rate of each param group, whether that has a fixed floor or a base rate of 0.

    Source: olm's own; `SequentialLR` is the same with one base rate for all its schedules.
    """

    kind: Literal["ContinueLR"] = "ContinueLR"

    if TYPE_CHECKING:
        # pydantic's plugin for mypy forgets the types of inherited fields.
        schedulers: Children
        milestones: PositiveStepIndices

    words = (
        "one after another, each from its own step 0 and from the rate that the last one reached"
    )
    examples = [
        {
            "schedulers": [
                {"kind": "CosineAnnealingLR", "T_max": 90, "eta_min": 1e-5},
                {"kind": "HoldLR"},
                {"kind": "RampLR", "total_steps": 20},
            ],
            "milestones": [40, 60],
        }
    ]

    continues = True

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        needed = covering((0, *self.milestones), step)
        parts, bases = self.parts()[: needed.stop], [base]
        for start, end, before in parts[:-1]:
            last = np.full((1,) * base.ndim, float(end - start))
            bases.append(before.formula(last, bases[-1]))
        some = slice(needed.start, None)
        return pieces(
            step, bases[some], [(part.start, part.schedule.formula) for part in parts[some]]
        )
