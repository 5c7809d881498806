"""The rates of several param groups that are tensors, set by one copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from olm.schedule.curves import Array

ENOUGH = {"cpu": 2, "cuda": 12}
"""From how many tensors on one copy is faster than filling each, by the type of their device."""


@dataclass(frozen=True)
class StackedRates:
    """Memory for the coming rates, and the tensors to which its elements are copied.

    The tensors themselves stay: compiled code refers to them.
    """

    tensors: list[Tensor]
    numbers: Array
    """The memory for the coming rates."""
    source: Tensor
    """The same memory as a tensor."""
    stack: Tensor
    """`source` itself, or a tensor on another device to which it is copied."""
    parts: list[Tensor]
    """The elements of `stack`, each in the shape of its tensor."""

    def fill(self, rates: list[float]) -> None:
        """Set all of them, without waiting for the device."""
        self.numbers[:] = rates
        if self.stack is not self.source:
            self.stack.copy_(self.source, non_blocking=True)
        torch._foreach_copy_(self.tensors, self.parts)


def stacked(rates: Sequence[object]) -> StackedRates | None:
    """Rates for one copy; None if they are few or no tensors, or differ in type or place."""
    tensors = [rate for rate in rates if type(rate) is Tensor and rate.numel() == 1]
    types = {(tensor.dtype, tensor.device) for tensor in tensors}
    if len(types) != 1 or len(tensors) < len(rates):
        return None
    dtype, device = types.pop()
    if len(tensors) < ENOUGH.get(device.type, len(tensors) + 1):
        return None
    numbers = np.zeros(len(tensors))
    source = torch.from_numpy(numbers)
    stack = source if device.type == "cpu" else source.to(device, dtype)
    parts = [part.view(tensor.shape) for part, tensor in zip(stack, tensors, strict=True)]
    return StackedRates(tensors, numbers, source, stack, parts)
