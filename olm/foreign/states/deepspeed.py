"""States of the schedulers that DeepSpeed's engine builds: the step alone.

Such a state says where the schedule is, and nothing of what it is.
"""

from __future__ import annotations

from olm.foreign.states._reading import Old, Reader, Seen, State, whole
from olm.problem import StateError
from olm.spec.state_keys import check_step

WRITER = "DeepSpeed's scheduler"


def position(state: State, seen: Seen) -> Old:
    """Where a schedule is. Its count starts at -1, and is 0 after the first update."""
    step = whole(state["last_batch_iteration"], "last_batch_iteration", seen) + 1
    check_step(step, StateError)
    return Old(WRITER, step, None, None)


READERS = [Reader(WRITER, frozenset({"last_batch_iteration"}), position)]
