"""torch's distributed checkpoints: a scheduler's state is saved as one leaf, a JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from olm.problem import StateError, found
from olm.spec.agreement import OnChange
from olm.train.schedulers.schedule_lr import ScheduleLR

LEAF = "olm"
"""The key of the text. The checkpoint prefixes the scheduler's own key: `scheduler.olm`."""


class SchedulerState:
    """A scheduler as `torch.distributed.checkpoint` saves and loads it.

    >>> import torch, olm
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    >>> scheduler = olm.build({"kind": "LinearLR", "total_steps": 4}, optimizer)
    >>> saved = SchedulerState(scheduler).state_dict()
    >>> saved["olm"][:37]
    '{"kind": "LinearLR", "total_steps": 4'
    >>> longer = olm.build({"kind": "LinearLR", "total_steps": 8}, optimizer)
    >>> SchedulerState(longer, on_change="checkpoint").load_state_dict(saved)
    >>> longer.schedule.total_steps
    4

    A scheduler can also be saved without this class. torch then loads by writing the leaves of the
    checkpoint into the state of the live object. If the two schedules differ, the scheduler gets a
    mixture of both: it refuses the mixture by its digest, but cannot list the differences or choose
    a side. If the checkpoint lacks a leaf, torch raises before the scheduler sees the state. A
    single text arrives whole.

    Args:
        scheduler: the scheduler to save and to load.
        on_change: what to do if a loaded state has another schedule or other base rates, as in the
            scheduler's own `load_state_dict`.

    Raises:
        TypeError: `scheduler` is not a scheduler of olm.
    """

    def __init__(self, scheduler: ScheduleLR, *, on_change: OnChange = "error") -> None:
        if not isinstance(scheduler, ScheduleLR):
            raise TypeError(
                f"scheduler must be one that olm.build returned, found {type(scheduler).__name__}"
            )
        self._scheduler = scheduler
        self._on_change = on_change

    def state_dict(self) -> dict[str, Any]:
        """The scheduler's state as text; equal schedulers give equal texts on all ranks."""
        return {LEAF: json.dumps(self._scheduler.state_dict(), allow_nan=False)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict` returned, as the scheduler's own `load_state_dict` does.

        Raises:
            StateError: it is not a state of this scheduler. The scheduler is unchanged.
        """
        text = state_dict.get(LEAF) if isinstance(state_dict, Mapping) else None
        if not isinstance(text, str):
            raise StateError(
                f"this is not a state that SchedulerState saved: `{LEAF}` must be JSON text, "
                f"found {found(text)}"
            )
        try:
            state = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise StateError(f"`{LEAF}` is not JSON text: {error}") from None
        self._scheduler.load_state_dict(state, on_change=self._on_change)
