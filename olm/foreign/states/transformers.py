"""States of schedules that are code: torch's LambdaLR, which all of transformers' schedules are.

Such a state says where the schedule stands, and nothing of what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any

from olm.foreign.states._reading import Old, Reader, Seen, State, rates_in, step_of
from olm.problem import OlmError, found
from olm.spec.multiplier import multiplier

WRITER = "torch's LambdaLR"

STEPS = (0, 1, 10, 100, 1_000, 10_000, 100_000)
"""Where the rates of a `multiplier` are compared with those of its schedule."""


def position(state: State, seen: Seen) -> Old:
    """Where a function of the step stands. A partial leaves an empty mapping, a lambda nothing."""
    functions, base_lrs = state["lr_lambdas"], rates_in(state, "base_lrs", seen)
    if not isinstance(functions, list | tuple):
        seen.reject("lr_lambdas", f"must be a list, found {found(functions)}")
    if schedule := _of_multiplier(functions, base_lrs):
        return Old("olm's multiplier", step_of(state, seen), base_lrs, schedule)
    for index, function in enumerate(functions):
        if function and seen.exact:
            seen.reject(
                f"lr_lambdas[{index}]",
                "it is an object with contents of its own, which no schedule can take over",
            )
    return Old(WRITER, step_of(state, seen), base_lrs, None)


def _of_multiplier(functions: Sequence[Any], base_lrs: Sequence[float]) -> dict[str, Any] | None:
    """The schedule of olm's `multiplier` if that is the function of every param group."""
    first = functions[0] if functions else None
    if not isinstance(first, Mapping) or set(first) != {"spec", "base_lr"}:
        return None
    if any(function != first for function in functions):
        return None
    try:
        factor = multiplier(first["spec"], first["base_lr"])
        # With rates that are absolute, the factor is one only for the base rate it was made for.
        own = [factor.schedule.lr(step, base) for base in base_lrs for step in STEPS]
        theirs = [base * factor(step) for base in base_lrs for step in STEPS]
    except OlmError:
        return None
    same = all(isclose(a, b, rel_tol=1e-9, abs_tol=0) for a, b in zip(own, theirs, strict=True))
    return factor.schedule.model_dump(mode="json") if same else None


READERS = [Reader(WRITER, frozenset({"lr_lambdas"}), position)]
