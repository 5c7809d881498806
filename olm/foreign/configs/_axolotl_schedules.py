"""The schedules of axolotl itself, of axolotl 0.19.0, ``utils/schedulers.py``."""

from __future__ import annotations

from typing import Any

from olm.foreign.configs._documents import Document, ramp, rise, sequence, shifted
from olm.foreign.configs._hugging_face import Run

CYCLE = {
    "pct_start": None,
    "anneal_strategy": "cos",
    "div_factor": 25.0,
    "final_div_factor": 1e4,
    "three_phase": False,
}
"""The arguments of torch's OneCycleLR with their defaults; `pct_start` is the warm-up."""


def quadratic(run: Run) -> Document:
    """A quadratic warm-up, then half a cosine to zero."""
    warmup, left = run.counted("lr_quadratic_warmup")
    up = ramp(warmup, start_factor=0.0, end_factor=1.0, ease="power", power=2.0)
    return up if left <= 0 else sequence((up, warmup), last=ramp(left, ease="cosine"))


def rex(run: Run, floor: float) -> Document:
    """A warm-up and a REX decay, both of which are one step ahead."""
    warmup, left = run.counted("rex")
    if left <= 0:
        text = "the warm-up is as long as the run"
        raise run.config.refusal("unsupported-key", text, run.at)
    end = {"end_factor": floor} if floor else {}
    fall = {"kind": "RexLR", "total_steps": left, "beta": 0.9, **end}
    return shifted(sequence((rise(warmup), warmup), last=fall), 1)


def one_cycle(run: Run, options: Document) -> tuple[Document, Document | None]:
    """A cycle over the run, and that of the momentum. The options are removed."""
    warmup, left = run.counted("one_cycle")
    total = warmup + left
    fields = {key: options.pop(key, default) for key, default in CYCLE.items()}
    if fields["pct_start"] is None:
        fields["pct_start"] = warmup / total
    cycle: Document = {"kind": "OneCycleLR", "max_lr": run.lr, "total_steps": total, **fields}
    low, high = options.pop("base_momentum", 0.85), options.pop("max_momentum", 0.95)
    if not options.pop("cycle_momentum", True):
        return cycle, None
    ends: dict[str, Any] = {"max_lr": low, "div_factor": low / high, "final_div_factor": 1.0}
    return cycle, {**cycle, **ends}


def jagged(
    schedule: Document, period: int, rises: int, falls: int, scale: float, ahead: int
) -> Document:
    """A schedule that is scaled by a fall and a warm-up around every restart.

    Args:
        schedule: the schedule.
        period: the steps from restart to restart.
        rises: the steps of each warm-up.
        falls: the steps of the fall before it.
        scale: the lowest factor.
        ahead: how many steps axolotl steps the schedule while it constructs it.
    """
    up, down = ramp(rises, start_factor=scale, end_factor=1.0), ramp(falls, end_factor=scale)
    cycle = sequence((up, period - falls), last=down)
    again = {"kind": "RepeatLR", "scheduler": cycle, "period": period}
    factors = sequence(({"kind": "HoldLR"}, period - falls), (down, falls), last=again)
    product = {"kind": "ChainedScheduler", "schedulers": [schedule, shifted(factors, ahead)]}
    # The scheduler of the restarts makes one more step.
    return shifted(product, 1)
