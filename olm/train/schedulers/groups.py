"""The rates of an optimizer's param groups, which may be floats or tensors."""

from __future__ import annotations

from math import isfinite
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from olm.problem import RateError
from olm.spec.rates import as_float


def write(group: dict[str, Any], key: str, value: float) -> None:
    """Set a rate of a param group; a tensor keeps its identity: compiled code holds on to it."""
    old = group.get(key)
    if isinstance(old, Tensor):
        old.fill_(value)
    else:
        group[key] = value


def group_rates(optimizer: Optimizer) -> list[float]:
    """The base rate of every param group: its ``initial_lr``, else its ``lr``.

    Raises:
        TypeError: this is no optimizer.
        RateError: one of them is negative or not finite, or a tensor that two groups share.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be a torch Optimizer, found {type(optimizer).__name__}")
    _check_not_shared([group["lr"] for group in optimizer.param_groups])
    return check_bases(
        [as_float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    )


def mark(optimizer: Optimizer, bases: list[float]) -> None:
    """Let param groups say the base rates that they do not say yet, as torch's schedulers do."""
    # There may be more groups, which no step was taken with.
    for group, base in zip(optimizer.param_groups, bases, strict=False):
        group.setdefault("initial_lr", base)


def added_rates(optimizer: Optimizer, known: int) -> list[float]:
    """The base rates of the param groups behind the first few, which a scheduler knows.

    Raises:
        RateError: as `group_rates`.
    """
    return group_rates(optimizer)[known:] if len(optimizer.param_groups) > known else []


def check_bases(rates: list[float]) -> list[float]:
    """The same base rates, one for each param group.

    Raises:
        RateError: one of them is negative or not finite.
    """
    for index, rate in enumerate(rates):
        if not (isfinite(rate) and rate >= 0):
            raise RateError(
                f"param_groups[{index}]: the base rate must be finite and at least 0, found {rate}"
            )
    return rates


def _check_not_shared(rates: list[Any]) -> None:
    """That no two groups have one tensor: it could not hold the rates of both."""
    first: dict[int, int] = {}
    for index, rate in enumerate(rates):
        if type(rate) is not float and isinstance(rate, Tensor):
            earlier = first.setdefault(rate.data_ptr(), index)
            if earlier != index:
                raise RateError(
                    f"param_groups[{earlier}] and param_groups[{index}] share one tensor as their "
                    'rate: give each its own, such as group["lr"] = group["lr"].clone()'
                )
