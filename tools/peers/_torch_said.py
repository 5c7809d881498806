"""torch's schedulers, each said twice: as it is written in torch, and as a spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Said = tuple[str, dict[str, Any]]
"""One schedule: the torch expression, and the spec."""


def _said(name: str, *, kind: str = "", only_torch: str = "", **arguments: Any) -> Said:
    """A schedule whose arguments are the fields of the spec."""
    given = [f"{key}={value!r}" for key, value in arguments.items()]
    text = ", ".join(["optimizer", *given, *filter(None, [only_torch])])
    return f"{name}({text})", {"kind": kind or name, **arguments}


def constant(factor: float, total_iters: int) -> Said:
    """The base rate times a factor, up to a step."""
    return _said("ConstantLR", factor=factor, total_iters=total_iters)


def linear(start: float, end: float, total_iters: int, base: float = 1.0) -> Said:
    """OpenLanguageModel's. Here `end_factor` multiplies the base rate; `end_lr` is absolute."""
    text, _ = factors(start_factor=start, end_factor=end, total_iters=total_iters)
    lengths = {"kind": "LinearLR", "total_steps": total_iters}
    return text, {**lengths, "start_factor": start, "end_lr": base * end}


def factors(**arguments: Any) -> Said:
    """The same of torch, whose ends are both shares of the base rate."""
    return _said("LinearLR", kind="LinearFactorLR", **arguments)


def cosine(t_max: int, eta_min: float = 0.0) -> Said:
    """Half a cosine wave."""
    return _said("CosineAnnealingLR", T_max=t_max, eta_min=eta_min)


def polynomial(total_iters: int, power: float) -> Said:
    """What is left of the way, to a power."""
    return _said("PolynomialLR", total_iters=total_iters, power=power)


def steps(step_size: int, **arguments: Any) -> Said:
    """A fall every so many steps."""
    return _said("StepLR", step_size=step_size, **arguments)


def milestones(at: Sequence[int], **arguments: Any) -> Said:
    """A fall at each of some steps."""
    return _said("MultiStepLR", milestones=[*at], **arguments)


def exponential(gamma: float) -> Said:
    """A fall at every step."""
    return _said("ExponentialLR", gamma=gamma)


def restarts(t_0: int, **arguments: Any) -> Said:
    """Cosine waves."""
    return _said("CosineAnnealingWarmRestarts", T_0=t_0, **arguments)


def cycle(base_lr: float, max_lr: float, step_size_up: int, **arguments: Any) -> Said:
    """Up and down; the momentum stays as it is."""
    said = {"base_lr": base_lr, "max_lr": max_lr, "step_size_up": step_size_up, **arguments}
    return _said("CyclicLR", **said, only_torch="cycle_momentum=False")


def one_cycle(max_lr: float, **arguments: Any) -> Said:
    """Up and down once; the momentum stays as it is."""
    return _said("OneCycleLR", max_lr=max_lr, **arguments, only_torch="cycle_momentum=False")


def sequence(parts: Sequence[Said], at: Sequence[int]) -> Said:
    """One schedule after another."""
    text = ", ".join(part for part, _ in parts)
    specs = [spec for _, spec in parts]
    return (
        f"SequentialLR(optimizer, schedulers=[{text}], milestones={[*at]})",
        {"kind": "SequentialLR", "schedulers": specs, "milestones": [*at]},
    )


def chain(*parts: Said) -> Said:
    """Schedules that apply together."""
    text = ", ".join(part for part, _ in parts)
    specs = [spec for _, spec in parts]
    return f"ChainedScheduler([{text}])", {"kind": "ChainedScheduler", "schedulers": specs}
