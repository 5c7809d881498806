"""The rates of many param groups that are tensors, set by one copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import is_

import numpy as np
import torch
from torch import Tensor

from olm.train.schedulers.groups import Group

ENOUGH = 12
"""From how many tensors on one copy is faster than filling each."""


@dataclass(frozen=True)
class StackedRates:
    """A tensor with the coming rates, and the tensors to which its elements are copied.

    The tensors themselves stay: compiled code refers to them.
    """

    tensors: list[Tensor]
    stack: Tensor
    parts: list[Tensor]
    """The elements of `stack`, each in the shape of its tensor."""

    def belongs_to(self, rates: Sequence[object]) -> bool:
        """Whether these are still the same tensors."""
        return len(rates) == len(self.tensors) and all(map(is_, rates, self.tensors))

    def fill(self, rates: list[float]) -> None:
        """Set all of them, without waiting for the device."""
        self.stack.copy_(torch.from_numpy(np.array(rates)), non_blocking=True)
        torch._foreach_copy_(self.tensors, self.parts)


def stacked(groups: Sequence[Group]) -> StackedRates | None:
    """The rates of param groups for one copy; None if they are few or differ in type or place."""
    first = groups[0]["lr"] if len(groups) >= ENOUGH else None
    if type(first) is not Tensor or first.device.type not in ("cpu", "cuda"):
        return None
    tensors = []
    for group in groups:
        rate = group["lr"]
        if type(rate) is not Tensor or rate.numel() != 1 or not rate.is_floating_point():
            return None
        if (rate.dtype, rate.device) != (first.dtype, first.device):
            return None
        tensors.append(rate)
    stack = torch.empty(len(tensors), dtype=first.dtype, device=first.device)
    parts = [part.view(rate.shape) for part, rate in zip(stack, tensors, strict=True)]
    return StackedRates(tensors, stack, parts)
