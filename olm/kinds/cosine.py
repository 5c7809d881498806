"""Half a cosine wave."""

from math import pi
from typing import Literal

from olm.schedule import Array, PositiveSteps, Rate, Schedule, half_cosine, where


class CosineAnnealing(Schedule):
    """Half a cosine wave from the base rate to ``eta_min``.

    >>> CosineAnnealing(T_max=4, eta_min=0.1).lr([0, 1, 2, 3, 4, 9], base=0.5).round(3)
    array([0.5  , 0.441, 0.3  , 0.159, 0.1  , 0.1  ])

    Source: OpenLanguageModel 2.2.1, ``olm.train.schedulers.CosineAnnealingLR``, to the bit, after
    Loshchilov and Hutter, SGDR (2017), equation 5, without the restarts. torch's class of this name
    rises again after ``T_max``. ``T_max: 0``, by which OLM divides, is an error.
    """

    kind: Literal["CosineAnnealingLR"] = "CosineAnnealingLR"
    T_max: PositiveSteps
    """The step at which the rate reaches ``eta_min``, where it holds."""
    eta_min: Rate = 0.0
    """The rate at ``T_max`` and after."""

    group = "decay"
    words = "half a cosine from the base rate to {eta_min} at step {T_max}, which holds"
    examples = [{"T_max": 100}, {"T_max": 10, "eta_min": 1e-5}]
    length_fields = ("T_max",)

    def wording(self) -> str:
        return self.words if self.eta_min else self.words.replace(" to ", " down to ")

    def formula(self, step: Array, base: Array) -> Array:
        height = base - self.eta_min
        # The sum can miss the floor and the base rate by a rounding.
        return where(
            step == 0,
            base,
            lambda: where(
                step < self.T_max,
                lambda: self.eta_min + height * half_cosine(pi * step / self.T_max) / 2,
                self.eta_min,
            ),
        )
