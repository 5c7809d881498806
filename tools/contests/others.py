"""What sets rates step by step otherwise: torch, upstream's arithmetic, loops written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

WARMUP, TOTAL = 10, 10_000_000


def factor(step: int) -> float:
    """The curve of all, as a multiple of the base rate."""
    if step < WARMUP:
        return (step + 1) / WARMUP
    if step < TOTAL:
        return 0.5 * (1 + math.cos(math.pi * ((step - WARMUP) / (TOTAL - WARMUP))))
    return 0.0


class Upstream(LRScheduler):
    """What OpenLanguageModel 2.2.1 computes in its WarmupCosineScheduler: a cosine a group."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.warmup_steps, self.total_steps, self.min_lr = WARMUP, TOTAL, 0.0
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """The rates of this step."""
        if self.last_epoch < self.warmup_steps:
            risen = (self.last_epoch + 1) / max(1, self.warmup_steps)
            return [base * risen for base in self.base_lrs]
        decay = max(1, self.total_steps - self.warmup_steps)
        done = min((self.last_epoch - self.warmup_steps) / decay, 1.0)
        low = self.min_lr
        return [low + (base - low) * 0.5 * (1 + math.cos(math.pi * done)) for base in self.base_lrs]


class SameDuties:
    """A loop by hand that also keeps tensors, counts, and remembers the rates."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer, self.last_epoch, self._step_count = optimizer, 0, 1
        self.base_lrs = [float(group["lr"]) for group in optimizer.param_groups]

    def step(self) -> None:
        """Set the rates of the next step."""
        self.last_epoch += 1
        self._step_count += 1
        now = factor(self.last_epoch)
        self._last_lr = rates = [base * now for base in self.base_lrs]
        for group, rate in zip(self.optimizer.param_groups, rates):  # noqa: B905  # slower
            lr = group["lr"]
            if type(lr) is float or not isinstance(lr, Tensor):
                group["lr"] = rate
            else:
                lr.fill_(rate)


class Bare:
    """The loop that one writes first: no check of anything, nothing remembered."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.groups, self.last_epoch = optimizer.param_groups, 0
        self.bases = [float(group["lr"]) for group in self.groups]
        self.step = self.fill if isinstance(self.groups[0]["lr"], Tensor) else self.put

    def put(self) -> None:
        """Set the rates of the next step, which are floats."""
        self.last_epoch += 1
        now = factor(self.last_epoch)
        for group, base in zip(self.groups, self.bases):  # noqa: B905  # slower
            group["lr"] = base * now

    def fill(self) -> None:
        """Set the rates of the next step, which are tensors."""
        self.last_epoch += 1
        now = factor(self.last_epoch)
        for group, base in zip(self.groups, self.bases):  # noqa: B905  # slower
            group["lr"].fill_(base * now)


class Gate:
    """Lets a step through if the optimizer has stepped since the last, as a trainer must."""

    def __init__(self, inner: Any, optimizer: Optimizer) -> None:
        self.inner, self.stepped = inner, False
        optimizer.register_step_post_hook(self._stepped)

    def _stepped(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        found_inf = getattr(optimizer, "found_inf", None)
        self.stepped = self.stepped or found_inf is None or not found_inf.item()

    def step(self) -> None:
        """Step, or do nothing."""
        if self.stepped:
            self.stepped = False
            self.inner.step()


class PlateauLoop:
    """A plateau by hand: it compares, counts, reduces, and remembers the rates."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer, self.last_epoch, self._step_count = optimizer, 0, 1
        self.best, self.bad = math.inf, 0

    def step(self, metric: float) -> None:
        """Observe a metric, and set the rates of the next step."""
        self.last_epoch += 1
        self._step_count += 1
        if math.isfinite(metric) and metric < self.best * (1 - 1e-4):
            self.best, self.bad = metric, 0
        else:
            self.bad += 1
        groups = self.optimizer.param_groups
        if self.bad > 10:
            self.bad = 0
            for group in groups:
                group["lr"] *= 0.1
        self._last_lr = [group["lr"] for group in groups]


def sequential(optimizer: Optimizer) -> LRScheduler:
    """A warm-up and a cosine of torch's."""
    up = lr_scheduler.LinearLR(optimizer, 1 / WARMUP, 1.0, WARMUP - 1)
    down = lr_scheduler.CosineAnnealingLR(optimizer, TOTAL - WARMUP)
    return lr_scheduler.SequentialLR(optimizer, [up, down], [WARMUP])


OTHERS: dict[str, Callable[[Optimizer], Any]] = {
    "torch LambdaLR": lambda optimizer: lr_scheduler.LambdaLR(optimizer, factor),
    "torch CosineAnnealingLR": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, TOTAL),
    "torch SequentialLR": sequential,
    "OpenLanguageModel": Upstream,
    "bare loop": Bare,
    "loop with the same duties": SameDuties,
}

OTHER_CURVE = "torch CosineAnnealingLR"
"""The one without a warm-up."""
