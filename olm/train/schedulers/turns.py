"""Which scheduler stepped an optimizer last. Two that take turns overwrite each other's rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import ref

from torch.optim import Optimizer

from olm.problem import OlmError
from olm.train.schedulers.hooks import innermost

if TYPE_CHECKING:
    from olm.train.schedulers.schedule_lr import ScheduleLR


class Turn:
    """The scheduler that stepped an optimizer last, as a weak reference; None at first."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: Callable[[], ScheduleLR | None] = _unused

    def __reduce__(self) -> tuple[type[Turn], tuple[()]]:
        # A copied or unpickled optimizer has been stepped by no scheduler yet.
        return Turn, ()


def turn_of(optimizer: Optimizer) -> Turn:
    """The turn that an optimizer shares with its wrappers."""
    turn: Turn | None = optimizer.__dict__.get("_olm_turn")
    if turn is None:
        turn = innermost(optimizer).__dict__.setdefault("_olm_turn", Turn())
        optimizer.__dict__["_olm_turn"] = turn
    return turn


def take_turn(scheduler: ScheduleLR, turn: Turn, stepped: bool) -> None:
    """Record that a scheduler steps the optimizer from now on.

    Args:
        scheduler: the scheduler.
        turn: the turn of its optimizer.
        stepped: whether the scheduler has stepped since it was built or has loaded a state. If not,
            it replaces the other scheduler.

    Raises:
        OlmError: another scheduler has stepped the optimizer since this one did.
    """
    other = turn.last()
    if stepped and other is not None and other is not scheduler:
        raise OlmError(
            f"{_position(other)}, has stepped this optimizer since the last step of "
            f"{_position(scheduler)}: each overwrites the rates of the other. Step only one of "
            "them; a SequentialLR or a ChainedScheduler in one spec combines two schedules"
        )
    turn.last = ref(scheduler)


def _position(scheduler: ScheduleLR) -> str:
    return f"{scheduler.schedule.kind} at step {scheduler.last_epoch:,}"


def _unused() -> None:
    return None
