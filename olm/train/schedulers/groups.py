"""The rates of an optimizer's param groups, which may be floats or tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import isfinite
from typing import Any, TypeGuard

from torch import Tensor, finfo
from torch.optim import Optimizer

from olm.problem import RateError, distinct
from olm.spec.rates import as_float

Group = dict[str, Any]

EVERY_TYPE_HOLDS = 1.0
"""A number that a tensor of any floating type can hold: smaller ones need no look at the type."""

NO_TENSOR = object()
"""Stands for a rate that is no tensor, and is itself never a rate."""


def is_tensor(rate: Any) -> TypeGuard[Tensor]:
    """Whether a rate is a tensor."""
    # isinstance alone would do, but it takes ten times as long for a float.
    return type(rate) is not float and isinstance(rate, Tensor)


def write(group: Group, key: str, value: float) -> None:
    """Set a rate of a param group. A tensor is filled, because compiled code refers to it."""
    old = group.get(key)
    if is_tensor(old):
        old.fill_(value)
    else:
        group[key] = value


def group_rates(optimizer: Optimizer) -> list[float]:
    """The base rate of every param group: its ``initial_lr``, else its ``lr``.

    Raises:
        TypeError: the argument is not an optimizer.
        RateError: a base rate is negative or not finite, two param groups share a tensor, or a
            tensor cannot be filled with a rate.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be a torch Optimizer, found {type(optimizer).__name__}")
    check_groups(optimizer.param_groups)
    _check_not_shared([group["lr"] for group in optimizer.param_groups])
    return check_bases(
        [as_float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    )


def late_base(lr: Callable[[int, list[float]], Any], step: int, group: Group) -> float:
    """The base rate of a param group that was added after some steps.

    It is the group's ``initial_lr`` if it has one. Otherwise it is the base rate with which the
    schedule has the group's ``lr`` at the current step, which almost always is an affine function
    of the base rate. If no base rate gives that rate, it is the ``lr`` itself.

    >>> from olm.kinds.linear import Linear
    >>> late_base(Linear(total_steps=10).lr, 5, {"lr": 0.05})
    0.1
    """
    if "initial_lr" in group:
        return as_float(group["initial_lr"])
    now = as_float(group["lr"])
    if step < 0 or not (isfinite(now) and now > 0):
        return now
    with suppress(RateError, OverflowError, ZeroDivisionError):
        once, twice = lr(step, [now, 2 * now]).tolist()
        base = now + (now - once) / ((twice - once) / now)
        # The shortest of these numbers is the one that a person would have written.
        bases = [float(f"{base:.{digits}g}") for digits in range(1, 18)]
        if base >= 0:
            rates = lr(step, bases).tolist()
            return next((b for b, rate in zip(bases, rates, strict=True) if rate == now), base)
    return now


def set_initial_lrs(optimizer: Optimizer, known: Sequence[Group], bases: Sequence[float]) -> None:
    """Set the ``initial_lr`` of the known param groups that lack it, as torch's schedulers do.

    Args:
        optimizer: the optimizer. A param group that was added since the last step is not known; of
            several optimizers, it need not be the last one.
        known: the param groups to which the base rates belong, or their predecessors.
        bases: the base rates.
    """
    groups = optimizer.param_groups
    for group, origin in zip(groups, origins_of(groups, known[: len(bases)]), strict=True):
        if origin is not None:
            group.setdefault("initial_lr", bases[origin])


def origins_of(groups: Iterable[Group], known: Iterable[Group]) -> list[int | None]:
    """The positions that param groups have among those that were known; None for new ones."""
    left, origins = dict(enumerate(known)), list[int | None]()
    for group in groups:
        origin = next((index for index, old in left.items() if same_group(old, group)), None)
        origins.append(origin)
        if origin is not None:
            del left[origin]
    return origins


def same_group(old: Group, new: Group) -> bool:
    """Whether a param group is the one that was known, or its successor.

    An optimizer that loads a state replaces its groups but keeps their lists of parameters.
    Lightning's finetuning replaces the lists as well, but not the parameters.
    """
    theirs, ours = old["params"], new["params"]
    return old is new or theirs is ours or bool(theirs and ours and theirs[0] is ours[0])


def check_fits(groups: Iterable[Group], rates: Sequence[float], key: str = "lr") -> None:
    """Check that every tensor among the rates of the param groups can hold its new value.

    Raises:
        RateError: a value is too large for the type of its tensor.
    """
    for index, (group, rate) in enumerate(zip(groups, rates, strict=False)):
        # torch's constructor copies a group's `lr` as its `initial_lr`.
        tensor = group.get(key, group["lr"])
        # Not is_tensor, whose call alone would take as long as the rest for a float.
        if (
            type(tensor) is not float
            and isinstance(tensor, Tensor)
            and rate > finfo(tensor.dtype).max
        ):
            [value], [most] = distinct([rate], [finfo(tensor.dtype).max])
            raise RateError(
                f"param_groups[{index}]: {key} would be {value}, but a tensor of {tensor.dtype} "
                f"holds at most {most}"
            )


def tensors_in(groups: Sequence[Group]) -> list[object] | None:
    """The rates of the param groups that are tensors to fill; None if none is one.

    Each param group has a place; where its rate is no such tensor, that is `NO_TENSOR`. A step only
    compares by identity, so it does not notice if the type of a tensor changes by ``.data = ...``.
    """
    rates = [group["lr"] for group in groups]
    known = [lr if is_tensor(lr) and not why_unusable(lr) else NO_TENSOR for lr in rates]
    return None if all(place is NO_TENSOR for place in known) else known


def check_bases(rates: list[float]) -> list[float]:
    """Return base rates unchanged, one per param group.

    Raises:
        RateError: a base rate is negative or not finite.
    """
    for index, rate in enumerate(rates):
        if not (isfinite(rate) and rate >= 0):
            raise RateError(
                f"param_groups[{index}]: the base rate must be finite and at least 0, found {rate}"
            )
    return rates


def check_groups(groups: Sequence[Group]) -> None:
    """Check that a schedule can set the rates of the param groups.

    Raises:
        RateError: a rate is a tensor that cannot be filled with another one, or is no number.
    """
    for index, group in enumerate(groups):
        for key in ("lr", "initial_lr"):
            rate = group.get(key)
            if isinstance(rate, str | bool):
                raise RateError(f"param_groups[{index}]: {key} must be a number, found {rate!r}")
            if type(rate) is float or not isinstance(rate, Tensor):
                continue
            if why := why_unusable(rate):
                raise RateError(
                    f"param_groups[{index}]: {key} is a tensor {why}: use a float, or a plain "
                    "tensor such as torch.tensor(0.1)"
                )


def why_unusable(tensor: Tensor) -> str | None:
    """Why a tensor cannot be filled with a number; None if it can."""
    if not tensor.is_floating_point():
        return f"of {tensor.dtype}, which holds no fractional rate"
    if tensor.requires_grad:
        return "that requires a gradient"
    if tensor.is_inference():
        return "from torch.inference_mode()"
    if tensor.is_meta:
        return "on the meta device, which has no value"
    return None


def _check_not_shared(rates: list[Any]) -> None:
    """Refuse a tensor that two param groups share: it cannot have the rates of both."""
    first: dict[int, int] = {}
    for index, rate in enumerate(rates):
        if is_tensor(rate):
            earlier = first.setdefault(rate.data_ptr(), index)
            if earlier != index:
                raise RateError(
                    f"param_groups[{earlier}] and param_groups[{index}] share one tensor as their "
                    'rate: give each its own, such as group["lr"] = group["lr"].clone()'
                )
