"""What a state must have before a scheduler looks at what it says."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from pydantic_core import PydanticCustomError

from olm.fields.errors import quoted
from olm.fields.types import MAX_STEPS, Number
from olm.problem import OlmError, StateError, found, nearest
from olm.spec.rates import as_float, is_number

TRANSIENT = frozenset({"_get_lr_called_within_step", "_is_initial"})
"""Flags that torch keeps among a scheduler's attributes while it steps."""

DERIVED = frozenset({"_last_lr", "_step_count", "verbose"})
"""What a state by torch or by OpenLanguageModel may have, and a scheduler can do without."""

STEP = Number(-1, MAX_STEPS, whole=True)
"""What `last_epoch` may be."""

POSITION = frozenset({"base_lrs", "last_epoch"})
"""What the state of every scheduler has."""


def check_keys(state: Mapping[str, Any], needed: set[str], kind: str) -> None:
    """That a state has the keys that it needs and no others, torch's own aside.

    Raises:
        StateError: with all that are unknown and missing.
    """
    if not isinstance(state, Mapping):
        raise StateError(f"a state must be a mapping, found {found(state)}")
    lines = [
        f"  {quoted(key)}: unknown{_guess(key, needed)}"
        for key in state
        if key not in needed | TRANSIENT | DERIVED
    ]
    lines += [f"  {key}: missing" for key in sorted(needed - set(state))]
    if lines:
        raise StateError("\n".join([f"this is not a state of {kind}", *lines]))


def check_step(last_epoch: Any, error: type[OlmError]) -> None:
    """That this is a step that was taken, or -1; raises the given error if not."""
    if isinstance(last_epoch, bool) or not isinstance(last_epoch, int) or last_epoch < -1:
        raise error(f"last_epoch must be a whole number of at least -1, found {found(last_epoch)}")


def as_step(last_epoch: Any) -> int:
    """A step that was taken, or -1; composites and loops set it by hand, also to numpy's numbers.

    Raises:
        StateError: it is something else.
    """
    try:
        return int(STEP(last_epoch))
    except PydanticCustomError as error:
        raise StateError(f"last_epoch {error}") from None


def check_position(state: Mapping[str, Any], groups: int) -> None:
    """That a state says a step, and a usable base rate for every param group.

    Raises:
        StateError: it does not.
    """
    check_step(state["last_epoch"], StateError)
    base_lrs = state["base_lrs"]
    if not isinstance(base_lrs, list | tuple) or len(base_lrs) != groups:
        raise StateError(
            f"base_lrs must be a list of {groups} rates, one a param group, found {base_lrs!r:.80}"
        )
    for index, rate in enumerate(base_lrs):
        if not (is_number(rate) and isfinite(as_float(rate)) and as_float(rate) >= 0):
            raise StateError(
                f"base_lrs[{index}] must be finite and at least 0, found {found(rate)}"
            )


def _guess(key: Any, known: set[str]) -> str:
    near = nearest(key, known) if isinstance(key, str) else None
    return f", did you mean `{near}`?" if near else ""


def check_likeness(name: str, value: Any, live: Any) -> None:
    """That a value could be that of an attribute which now is `live`."""
    kinds: tuple[type, ...] = (int, float) if type(live) in (int, float) else (type(live),)
    if not (value is None or live is None or type(value) in kinds):
        raise StateError(f"{name} is {found(live)} in this scheduler, {found(value)} in the state")
