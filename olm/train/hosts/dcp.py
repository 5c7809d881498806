"""For torch's distributed checkpoints: a scheduler whose state travels as one leaf of JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from olm.problem import StateError, found
from olm.spec.agreement import OnChange
from olm.train.schedulers.schedule_lr import ScheduleLR

LEAF = "olm"
"""The key of the text. In the checkpoint it follows the scheduler's own, as in `scheduler.olm`."""


class SchedulerState:
    """A scheduler as a part of what `torch.distributed.checkpoint` saves and loads.

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

    A scheduler can be saved without it. But torch loads by writing the leaves of a checkpoint into
    the state of the live object, so that two schedules may arrive as a mixture of both, which a
    digest tells from a state, but which no one can list or choose from; and where the checkpoint
    lacks a leaf, torch raises before the scheduler is asked. A text arrives whole.

    Args:
        scheduler: what is saved, and where a loaded state goes.
        on_change: what to do if a loaded state is of another schedule or of other base rates, as
            in the scheduler's own `load_state_dict`.

    Raises:
        TypeError: this is no scheduler of olm.
    """

    def __init__(self, scheduler: ScheduleLR, *, on_change: OnChange = "error") -> None:
        if not isinstance(scheduler, ScheduleLR):
            raise TypeError(
                f"scheduler must be one that olm.build gave, found {type(scheduler).__name__}"
            )
        self._scheduler = scheduler
        self._on_change = on_change

    def state_dict(self) -> dict[str, Any]:
        """The scheduler's state as text, the same on all ranks if their schedulers are."""
        return {LEAF: json.dumps(self._scheduler.state_dict(), allow_nan=False)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict` gave, as the scheduler's own `load_state_dict` does.

        Raises:
            StateError: it is no state of this scheduler. Nothing of the scheduler was changed.
        """
        text = state_dict.get(LEAF) if isinstance(state_dict, Mapping) else None
        if not isinstance(text, str):
            raise StateError(
                f"this is not what SchedulerState saves: `{LEAF}` must be JSON text, "
                f"found {found(text)}"
            )
        try:
            state = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise StateError(f"`{LEAF}` is not JSON text: {error}") from None
        self._scheduler.load_state_dict(state, on_change=self._on_change)
