"""One schedule after another."""

from typing import TYPE_CHECKING, Literal

from olm.schedule import (
    MAX_STEPS,
    Array,
    Children,
    Part,
    PositiveStepIndices,
    Schedule,
    ascending,
    covering,
    pieces,
    rule,
)


@rule(
    "schedulers",
    "milestones",
    holds=lambda schedulers, milestones: len(schedulers) == len(milestones) + 1,
    message="{schedulers} must have one item more than {milestones}, the steps between them",
)
@ascending("milestones")
class Milestones(Schedule):
    """Schedules that take over from one another at milestones: not a kind, but the base of some."""

    schedulers: Children
    """The schedules, in the order in which they apply."""
    milestones: PositiveStepIndices
    """The step at which each schedule but the first takes over."""

    group = "composition"

    def parts(self) -> list[Part]:
        ends = (*self.milestones, MAX_STEPS)
        return list(map(Part, (0, *self.milestones), ends, self.schedulers))


class Sequential(Milestones):
    """One schedule after another: at each milestone the next takes over, at its own step 0.

    >>> from olm.kinds.linear import Linear
    >>> from olm.kinds.warmup import Warmup
    >>> Sequential(
    ...     schedulers=[Warmup(warmup_steps=2), Linear(total_steps=4)], milestones=[2]
    ... ).lr([0, 1, 2, 3, 4, 5, 6, 9], base=0.5)
    array([0.25 , 0.5  , 0.5  , 0.375, 0.25 , 0.125, 0.   , 0.   ])

    Source: torch 2.13, ``torch.optim.lr_scheduler.SequentialLR``. Unlike in torch, a child may be
    a sequence itself, and no child is evaluated at a step at which it does not apply.
    """

    kind: Literal["SequentialLR"] = "SequentialLR"

    if TYPE_CHECKING:
        # pydantic's plugin for mypy forgets the types of inherited fields.
        schedulers: Children
        milestones: PositiveStepIndices

    words = "one after another, each from its own step 0"
    examples = [
        {
            "schedulers": [
                {"kind": "WarmupLR", "warmup_steps": 10},
                {"kind": "CosineAnnealingLR", "T_max": 90, "eta_min": 1e-5},
            ],
            "milestones": [10],
        }
    ]

    def formula(self, step: Array, base: Array) -> Array:
        starts = (0, *self.milestones)
        needed = covering(starts, step)
        return pieces(step, base, [(starts[at], self.schedulers[at].formula) for at in needed])
