"""The rates of an optimizer's param groups, which may be floats or tensors."""

from __future__ import annotations

from math import isfinite
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from olm.problem import RateError
from olm.spec.rates import as_float


def write(group: dict[str, Any], key: str, value: float) -> None:
    """Set a rate of a param group. A tensor is filled, because compiled code refers to it."""
    old = group.get(key)
    if isinstance(old, Tensor):
        old.fill_(value)
    else:
        group[key] = value


def group_rates(optimizer: Optimizer) -> list[float]:
    """The base rate of every param group: its ``initial_lr``, else its ``lr``.

    Raises:
        TypeError: the argument is not an optimizer.
        RateError: a base rate is negative or not finite, or two param groups share a tensor.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be a torch Optimizer, found {type(optimizer).__name__}")
    _check_not_shared([group["lr"] for group in optimizer.param_groups])
    return check_bases(
        [as_float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    )


def set_initial_lrs(optimizer: Optimizer, bases: list[float]) -> None:
    """Set the ``initial_lr`` of the param groups that lack it, as torch's schedulers do."""
    # There are more groups than base rates if one was added since the last step.
    for group, base in zip(optimizer.param_groups, bases, strict=False):
        group.setdefault("initial_lr", base)


def added_rates(optimizer: Optimizer, known: int) -> list[float]:
    """The base rates of all param groups after the first few, which the scheduler knows already.

    Raises:
        RateError: as `group_rates`.
    """
    return group_rates(optimizer)[known:] if len(optimizer.param_groups) > known else []


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


def _check_not_shared(rates: list[Any]) -> None:
    """Refuse a tensor that two param groups share: it cannot have the rates of both."""
    first: dict[int, int] = {}
    for index, rate in enumerate(rates):
        if type(rate) is not float and isinstance(rate, Tensor):
            earlier = first.setdefault(rate.data_ptr(), index)
            if earlier != index:
                raise RateError(
                    f"param_groups[{earlier}] and param_groups[{index}] share one tensor as their "
                    'rate: give each its own, such as group["lr"] = group["lr"].clone()'
                )
