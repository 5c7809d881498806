"""The curves of Megatron's `OptimizerParamScheduler`, in steps or along samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from olm.fields.durations import SAMPLE

Node = dict[str, Any]

EASES = {"linear": "linear", "cosine": "cosine"}
SHAPES = {"linear": "linear", "cosine": "cosine", "exponential": "exponential"}
SHAPES |= {"minus_sqrt": "sqrt"}
"""Megatron's ``--lr-wsd-decay-style`` → the decay of a `WarmupStableDecayLR`."""


@dataclass(frozen=True)
class Curve:
    """What the scheduler is made with, in steps or in samples."""

    style: str
    warmup: int
    end: int
    """Where the decay ends."""
    init: float
    """The rate at the start of the warm-up."""
    anneal: int | None
    """The length of the decay of WSD."""
    anneal_style: str
    along_samples: bool
    total: int
    """The length of the run."""

    def span(self, count: int) -> int | str:
        """A duration."""
        return f"{count}{SAMPLE.suffix}" if self.along_samples else count

    def schedule(self, lr: float, low: float) -> Node:
        """The schedule of a param group with a rate and a floor.

        Source: megatron-core 0.16.1, ``optimizer_param_scheduler.py``, ``get_lr``.
        """
        return self.along(getattr(self, f"_{self.style.lower().replace('-', '_')}")(lr, low))

    def along(self, node: Node) -> Node:
        """A schedule on the clock that the scheduler counts."""
        along = {"kind": "TimeLR", "axis": "samples", "scheduler": node}
        return along if self.along_samples and node["kind"] != "HoldLR" else node

    def weight_decay(self, start: float, end: float, style: str) -> Node:
        """The schedule of the weight decay, which rises over the whole run."""
        ends = {"start_factor": start / end, "end_factor": 1.0}
        ramp = {"kind": "RampLR", "total_steps": self.span(self.total), **ends}
        return self.along({**ramp, "ease": EASES[style]})

    def _rise(self) -> Node:
        start = {"start_lr": self.init} if self.init else {"start_factor": 0.0}
        return {"kind": "RampLR", "total_steps": self.span(self.warmup), **start, "end_factor": 1.0}

    def _warmed(self, *parts: tuple[Node, int]) -> Node:
        """The warm-up, and what follows from where on."""
        pairs = [(self._rise(), self.warmup)] * bool(self.warmup) + [*parts]
        if len(pairs) == 1:
            return pairs[0][0]
        ends, place = [], 0
        for _, length in pairs[:-1]:
            place += length
            ends.append(self.span(place))
        nodes = [node for node, _ in pairs]
        return {"kind": "SequentialLR", "schedulers": nodes, "milestones": ends}

    def _constant(self, lr: float, low: float) -> Node:
        return self._rise() if self.warmup else {"kind": "HoldLR"}

    def _linear(self, lr: float, low: float) -> Node:
        if not self.init:
            lengths = {"warmup_steps": self.span(self.warmup), "total_steps": self.span(self.end)}
            lengths = {key: span for key, span in lengths.items() if span not in (0, "0sp")}
            ends = {"decay": self.style, "end_factor": low / lr}
            return {"kind": "WarmupDecayLR", "warmup_steps": 0, **lengths, **ends}
        left = self.end - self.warmup
        ramp = {"kind": "RampLR", "total_steps": self.span(left), "end_factor": low / lr}
        return self._warmed(({**ramp, "ease": EASES[self.style]}, left))

    _cosine = _linear

    def _inverse_square_root(self, lr: float, low: float) -> Node:
        """The root, a floor, and a fall to the floor after the end."""
        root: Node = {
            "kind": "PowerLR",
            "power": 0.5,
            "decay_steps": self.span(max(self.warmup, 1)),
        }
        if not self.warmup:
            # Its first sample has the rate of the one before it.
            root = {"kind": "TimeLR", "scheduler": {"kind": "PowerLR", "power": 0.5}, "shift": -1}
        if low:
            floor = {"kind": "HoldLR", "fixed_lr": low}
            root = {"kind": "MaximumLR", "schedulers": [root, floor]}
        if self.end >= self.total:
            return self._warmed((root, self.end))
        last = {"kind": "HoldLR", "fixed_lr": low}
        return self._warmed((root, self.end - self.warmup + 1), (last, 1))

    def _wsd(self, lr: float, low: float) -> Node:
        assert self.anneal is not None
        lengths = {"total_steps": self.span(self.end), "decay_steps": self.span(self.anneal)}
        lengths["warmup_steps"] = self.span(self.warmup) if self.warmup else 0
        ends = {"end_factor": low / lr, **({"start_factor": self.init / lr} if self.init else {})}
        shape = SHAPES[self.anneal_style]
        return {"kind": "WarmupStableDecayLR", **lengths, "decay": shape, **ends}
