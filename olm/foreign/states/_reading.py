"""What readers of states share: what they see, what they return, and how they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isclose
from typing import Any, NoReturn

from olm.problem import StateError, found
from olm.schedule.schedule import Schedule
from olm.spec.rates import as_float, is_number, is_tensor
from olm.spec.state_keys import DERIVED, POSITION, TRANSIENT, check_step
from olm.spec.targets import Target

State = Mapping[str, Any]

DRIFT = 1e-6
"""How far, as a share, the rates of a state may be from those of the schedule that it says: torch
computes most rates from the one before, a million times over."""

COARSE = 1e-3
"""The same where rates are tensors, of 32 bits or fewer."""


@dataclass(frozen=True)
class Old:
    """What an old state says, in the words of a spec."""

    writer: str
    """Whose state it is, such as ``torch's StepLR``."""
    last_epoch: int
    """The step last taken."""
    base_lrs: tuple[float, ...] | None
    """The base rates; None where they count for nothing."""
    schedule: dict[str, Any] | None
    """The schedule as a document; None if it is code, which a state does not hold."""
    unsaid: tuple[str, ...] = ()
    """Fields that the state does not have, and that were taken from the scheduler."""
    also: tuple[Target, ...] = ()
    """The targets of the scheduler that give the numbers which the state's scheduler set too."""


@dataclass(frozen=True)
class Seen:
    """What a reader may look at beside the state."""

    live: Schedule | None = None
    """The schedule of the scheduler that is to go on from the state, if there is one."""
    base_lrs: tuple[float, ...] | None = None
    """The base rates of that scheduler."""
    groups: Sequence[State] = ()
    """The param groups of the optimizer's state that was saved with it, if there is one."""
    targets: tuple[Target, ...] = ()
    """The targets of the scheduler that is to go on, each with the groups' own numbers."""
    live_groups: Sequence[State] = ()
    """The param groups of its optimizer."""
    exact: bool = True
    """Whether the rates are to go on as they were; if not, only the position matters."""
    after: str = field(default="", kw_only=True)
    """Where the state stands in that of a composition, such as ``_schedulers[0].``."""

    def part(self, index: int, count: int) -> Seen:
        """The same for a part of a composition that has so many."""
        children = self.live.children() if self.live else ()
        live = children[index] if len(children) == count else None
        return replace(self, live=live, after=f"{self.after}_schedulers[{index}].")

    def error(self, name: str, why: str) -> StateError:
        """The error that says which number would have to be guessed."""
        return StateError(f"{self.after}{name}: {why}")

    def reject(self, name: str, why: str) -> NoReturn:
        """Raise it."""
        raise self.error(name, why)


@dataclass(frozen=True)
class Reader:
    """Reads the states of one class."""

    writer: str
    """Whose states these are."""
    keys: frozenset[str]
    """The keys by which they are known, besides those that all have."""
    read: Callable[[State, Seen], Old]
    optional: frozenset[str] = frozenset()
    """Keys that only some versions or some settings write."""

    def knows(self, state: State) -> bool:
        """Whether a state has the keys of this class and no others."""
        keys = keys_of(state)
        return keys - self.optional == self.keys


def keys_of(state: State) -> set[str]:
    """The keys of a state that not every state has."""
    return set(state) - TRANSIENT - DERIVED - POSITION


def step_of(state: State, seen: Seen) -> int:
    """The step last taken, as a state says it."""
    if "last_epoch" not in state:
        seen.reject("last_epoch", "the state does not say which step was the last")
    step: int = state["last_epoch"]
    check_step(step, StateError)
    return step


def rates_in(state: State, name: str, seen: Seen) -> tuple[float, ...]:
    """The rates of all param groups under a key; tensors as floats."""
    rates = state.get(name)
    if not isinstance(rates, list | tuple) or not rates:
        seen.reject(name, f"must be a list of rates, one a param group, found {found(rates)}")
    for index, rate in enumerate(rates):
        if not is_number(rate):
            seen.reject(f"{name}[{index}]", f"must be a number, found {found(rate)}")
    return tuple(as_float(rate) for rate in rates)


def same_fields(kind: str, writer: str, state: State, seen: Seen) -> Old:
    """A state whose keys are the fields of a kind."""
    fields = {name: state[name] for name in state if name in keys_of(state)}
    base_lrs = rates_in(state, "base_lrs", seen)
    return Old(writer, step_of(state, seen), base_lrs, {"kind": kind, **fields})


def only(values: Any, name: str, seen: Seen) -> Any:
    """What all param groups have under a key."""
    if not isinstance(values, list | tuple) or not values:
        seen.reject(
            name, f"must be a list with an item for each param group, found {found(values)}"
        )
    if any(value != values[0] for value in values):
        seen.reject(name, "it differs between param groups, and a schedule has one for all")
    return as_float(values[0]) if is_tensor(values[0]) else values[0]


def whole(value: Any, name: str, seen: Seen) -> int:
    """A number that must be whole."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or value != value or value in (float("inf"), -float("inf")) or value % 1:
        seen.reject(name, f"must be a whole number, found {found(value)}")
    return int(value)


def written(value: float, holds: Callable[[float], bool]) -> float | None:
    """The shortest number near a computed one for which something holds, as people write it.

    >>> written(0.30000000000000004, lambda share: share * 20 - 1 == 5)
    0.3
    """
    shorter = (round(value, digits) for digits in range(17))
    return next((number for number in (*shorter, value) if holds(number)), None)


def check_rates(state: State, old: Old, schedule: Schedule, bases: Sequence[float]) -> None:
    """That the schedule has the rates at that step which the state says were set.

    Raises:
        StateError: it has others: it is not the schedule that the state is of, or the old class
            does something else than what its arguments say.
    """
    if old.last_epoch < 0 or not isinstance(state.get("_last_lr"), list | tuple):
        return
    last = rates_in(state, "_last_lr", Seen())
    coarse = any(map(is_tensor, state["_last_lr"]))
    ours = [schedule.lr(old.last_epoch, base) for base in bases]
    small = 1e-12 * max((0.0, *bases))
    same = len(ours) == len(last) and all(
        isclose(our, their, rel_tol=COARSE if coarse else DRIFT, abs_tol=small)
        for our, their in zip(ours, last, strict=True)
    )
    if not same:
        raise StateError(
            f"_last_lr: {old.writer} set the rates {list(last)} at step {old.last_epoch}, where "
            f"{schedule.kind} has {ours}: it would not go on as before; with this scheduler's "
            f'schedule, from step {old.last_epoch} on: on_change="spec"'
        )
