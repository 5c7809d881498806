"""The schedulers of torch, each written twice: as a torch expression and as a spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Pair = tuple[str, dict[str, Any]]
"""One schedule: the torch expression, and the spec."""


def _pair(name: str, *, kind: str = "", only_torch: str = "", **arguments: Any) -> Pair:
    """A schedule whose arguments are the fields of the spec."""
    given = [f"{key}={value!r}" for key, value in arguments.items()]
    text = ", ".join(["optimizer", *given, *filter(None, [only_torch])])
    return f"{name}({text})", {"kind": kind or name, **arguments}


def constant(factor: float, total_iters: int) -> Pair:
    """The base rate times a factor, up to a step."""
    return _pair("ConstantLR", factor=factor, total_iters=total_iters)


def linear(start: float, end: float, total_iters: int, base: float = 1.0) -> Pair:
    """OpenLanguageModel's. Here `end_factor` multiplies the base rate; `end_lr` is absolute."""
    text, _ = factors(start_factor=start, end_factor=end, total_iters=total_iters)
    lengths = {"kind": "LinearLR", "total_steps": total_iters}
    return text, {**lengths, "start_factor": start, "end_lr": base * end}


def factors(**arguments: Any) -> Pair:
    """That of torch, where both ends are shares of the base rate."""
    return _pair("LinearLR", kind="LinearFactorLR", **arguments)


def cosine(t_max: int, eta_min: float = 0.0) -> Pair:
    """Half a cosine wave."""
    return _pair("CosineAnnealingLR", T_max=t_max, eta_min=eta_min)


def polynomial(total_iters: int, power: float) -> Pair:
    """A power of the remaining share of the steps."""
    return _pair("PolynomialLR", total_iters=total_iters, power=power)


def steps(step_size: int, **arguments: Any) -> Pair:
    """A drop every few steps."""
    return _pair("StepLR", step_size=step_size, **arguments)


def milestones(at: Sequence[int], **arguments: Any) -> Pair:
    """A drop at each milestone."""
    return _pair("MultiStepLR", milestones=[*at], **arguments)


def exponential(gamma: float) -> Pair:
    """A drop at every step."""
    return _pair("ExponentialLR", gamma=gamma)


def restarts(t_0: int, **arguments: Any) -> Pair:
    """Cosine waves."""
    return _pair("CosineAnnealingWarmRestarts", T_0=t_0, **arguments)


def cycle(base_lr: float, max_lr: float, step_size_up: int, **arguments: Any) -> Pair:
    """Up and down; the momentum stays as it is."""
    fields = {"base_lr": base_lr, "max_lr": max_lr, "step_size_up": step_size_up, **arguments}
    return _pair("CyclicLR", **fields, only_torch="cycle_momentum=False")


def one_cycle(max_lr: float, **arguments: Any) -> Pair:
    """Up and down once; the momentum stays as it is."""
    return _pair("OneCycleLR", max_lr=max_lr, **arguments, only_torch="cycle_momentum=False")


def sequence(parts: Sequence[Pair], at: Sequence[int]) -> Pair:
    """One schedule after another."""
    text = ", ".join(part for part, _ in parts)
    specs = [spec for _, spec in parts]
    return (
        f"SequentialLR(optimizer, schedulers=[{text}], milestones={[*at]})",
        {"kind": "SequentialLR", "schedulers": specs, "milestones": [*at]},
    )


def chain(*parts: Pair) -> Pair:
    """Schedules that apply together."""
    text = ", ".join(part for part, _ in parts)
    specs = [spec for _, spec in parts]
    return f"ChainedScheduler([{text}])", {"kind": "ChainedScheduler", "schedulers": specs}
