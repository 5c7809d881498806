"""Schedules as torch's own classes, where both have the same rates at every step of a run.

Source: torch 2.13, ``torch/optim/lr_scheduler.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

PLATEAU = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps")
"""The arguments of torch's plateau, without what it remembers."""

SAME_FIELDS = {
    "ConstantLR": ("factor", "total_iters"),
    "PolynomialLR": ("total_iters", "power"),
    "StepLR": ("step_size", "gamma"),
    "MultiStepLR": ("milestones", "gamma"),
    "ExponentialLR": ("gamma",),
    "CosineAnnealingLR": ("T_max", "eta_min"),
    "CosineAnnealingWarmRestarts": ("T_0", "T_mult", "eta_min"),
    "ReduceLROnPlateau": PLATEAU,
}
"""The kinds that have the name and the arguments of torch's class."""


def torch_class(schedule: Schedule, steps: int) -> tuple[str, dict[str, Any]] | None:
    """The class of torch with the rates of a schedule over a number of steps, and its arguments."""
    kind, fields = schedule.kind, {k: v for k, v in schedule if k != "kind"}
    if kind == "LinearFactorLR":
        # Torch rejects factors above 1, and a first factor of 0.
        if not (0 < fields["start_factor"] <= 1 and fields["end_factor"] <= 1):
            return None
        return "LinearLR", fields
    # Torch rejects a factor above 1, and divides by the factor at the end.
    if kind == "ConstantLR" and not (0 < fields["factor"] <= 1 and fields["total_iters"]):
        return None
    # Torch's rate rises again.
    if kind == "CosineAnnealingLR" and steps > fields["T_max"] + 1:
        return None
    if kind not in SAME_FIELDS:
        return None
    arguments = {name: fields[name] for name in SAME_FIELDS[kind]}
    return kind, {key: list(v) if isinstance(v, tuple) else v for key, v in arguments.items()}
