"""Two kinds outside olm: one without children, and one with children."""

from typing import Literal

from olm.schedule import Array, Factor, Listed, PositiveSteps, Schedule, ramp, rule


class Rex(Schedule):
    """The base rate, which decays to zero, ever faster.

    >>> Rex(total_steps=4).lr([0, 2, 4, 9], base=0.6)
    array([0.6, 0.4, 0. , 0. ])
    """

    kind: Literal["acme.Rex"] = "acme.Rex"
    total_steps: PositiveSteps
    """The step at which the rate is zero."""
    floor_factor: Factor = 0.0
    """The share of the base rate below which it does not fall."""

    group = "decay"
    words = "down from the base rate to {floor_factor} × base at step {total_steps}"
    examples = [{"total_steps": 100}, {"total_steps": 10, "floor_factor": 0.1}]

    def formula(self, step: Array, base: Array) -> Array:
        import numpy as np

        done = ramp(step, self.total_steps)
        return np.maximum(base * (1 - done) / (1 - done / 2), base * self.floor_factor)


@rule(
    "factor",
    "inner",
    holds=lambda factor, inner: factor > 0 or not inner,
    message="{factor} must be above 0 where there are {inner}",
)
class Damped(Schedule):
    """The product of several schedules and a factor."""

    kind: Literal["acme.lab.Damped"] = "acme.lab.Damped"
    first: Schedule
    """The schedule that is damped."""
    inner: Listed[Schedule] = ()
    """Others, whose rates are multiplied with those of ``first`` for a base rate of 1."""
    factor: Factor = 0.5
    """The factor of all rates."""

    group = "composition"
    examples = [{"first": {"kind": "acme.Rex", "total_steps": 10}}]

    def formula(self, step: Array, base: Array) -> Array:
        rates = self.first.evaluate(step, base) * self.factor
        for schedule in self.inner:
            rates = rates * schedule.evaluate(step, base * 0 + 1)
        return rates
