"""States of schedules that are code: torch's LambdaLR, which all of transformers' schedules are.

Such a state says where the schedule stands, and nothing of what it is.
"""

from __future__ import annotations

from olm.foreign.states._reading import Old, Reader, Seen, State, rates_in, step_of
from olm.problem import found

WRITER = "torch's LambdaLR"


def position(state: State, seen: Seen) -> Old:
    """Where a function of the step stands. A partial leaves an empty mapping, a lambda nothing."""
    functions = state["lr_lambdas"]
    if not isinstance(functions, list | tuple):
        seen.reject("lr_lambdas", f"must be a list, found {found(functions)}")
    for index, function in enumerate(functions):
        if function:
            seen.reject(
                f"lr_lambdas[{index}]",
                "it is an object with contents of its own, which no schedule can take over",
            )
    return Old(WRITER, step_of(state, seen), rates_in(state, "base_lrs", seen), None)


READERS = [Reader(WRITER, frozenset({"lr_lambdas"}), position)]
