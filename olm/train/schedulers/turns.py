"""Which scheduler stepped an optimizer last. Two that take turns overwrite each other's rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import ref

from torch.optim import Optimizer

from olm.problem import OlmError
from olm.train.optimizers import Optimizers, innermost

if TYPE_CHECKING:
    from olm.train.schedulers.schedule_lr import ScheduleLR


class Turn:
    """The scheduler that stepped an optimizer last, as a weak reference; None at first.

    A scheduler that steps several optimizers as one also steps each of them, and one that steps a
    part of them also changes the whole.
    """

    __slots__ = ("last", "parts", "wholes")

    def __init__(self) -> None:
        self.last: Callable[[], ScheduleLR | None] = _unused
        self.parts: list[Turn] = []
        self.wholes: list[Turn] = []

    def __reduce__(self) -> tuple[type[Turn], tuple[()]]:
        # A copied or unpickled optimizer has been stepped by no scheduler yet.
        return Turn, ()


def turn_of(optimizer: Optimizer) -> Turn:
    """The turn that an optimizer shares with its wrappers."""
    turn: Turn | None = optimizer.__dict__.get("_olm_turn")
    if turn is None:
        inner = innermost(optimizer)
        turn = inner.__dict__.get("_olm_turn") or _new_turn(inner)
        inner.__dict__["_olm_turn"] = optimizer.__dict__["_olm_turn"] = turn
    return turn


def _new_turn(optimizer: Optimizer) -> Turn:
    turn = Turn()
    if isinstance(optimizer, Optimizers):
        turn.parts = [turn_of(part) for part in optimizer.parts.values()]
        for part in turn.parts:
            part.wholes.append(turn)
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
    for changed in (turn, *turn.parts):
        for shared in (changed, *changed.wholes):
            previous = shared.last()
            shared.last = ref(scheduler)
            if previous is not None:
                previous._lose_turn()


def _position(scheduler: ScheduleLR) -> str:
    return f"{scheduler.schedule.kind} at step {scheduler.last_epoch:,}"


def _unused() -> None:
    return None
