"""States by torch's plateau, which has neither base rates nor a place in a composition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isinf
from typing import Any

from olm.foreign.states._reading import Old, Reader, Seen, State, only, rates_in, step_of


def plateau(state: State, seen: Seen) -> Old:
    """A plateau. torch keeps neither base rates nor falls: the rates tell exactly, or not."""
    best = state["best"]
    names = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "eps")
    fields = {
        "kind": "ReduceLROnPlateau",
        **{name: state[name] for name in names},
        "min_lr": only(state["min_lrs"], "min_lrs", seen),
        "best": None if isinstance(best, float) and isinf(best) else best,
        "num_bad_epochs": state["num_bad_epochs"],
        "cooldown_counter": state["cooldown_counter"],
    }
    rates = _plateau_rates(state, seen)
    bases = rates if seen.base_lrs is None else seen.base_lrs
    fields["num_reductions"] = _falls(bases, rates, fields, seen)
    # It counts what it has observed, as ours does where it is stepped with a metric.
    return Old("torch's ReduceLROnPlateau", step_of(state, seen), bases, fields)


def _plateau_rates(state: State, seen: Seen) -> tuple[float, ...]:
    if "_last_lr" not in state and seen.base_lrs and state["last_epoch"] == 0:
        return seen.base_lrs
    return rates_in(state, "_last_lr", seen)


def _falls(
    bases: Sequence[float], rates: Sequence[float], fields: Mapping[str, Any], seen: Seen
) -> int:
    """How often the rates have fallen, from the base rates to what they are."""
    factor, low, eps = (float(fields[name]) for name in ("factor", "min_lr", "eps"))
    now, falls = [*bases], 0
    while now != [*rates]:
        lower = [max(rate * factor, low) for rate in now]
        fallen = [new if rate - new > eps else rate for rate, new in zip(now, lower, strict=True)]
        if fallen == now or not 0 < factor < 1:
            seen.reject(
                "num_reductions",
                f"torch does not save how often the rate has fallen, and no number of falls leads "
                f"from the base rates {[*bases]} to the checkpoint's {[*rates]}",
            )
        now, falls = fallen, falls + 1
    return falls


READERS = [
    Reader(
        "torch's ReduceLROnPlateau",
        frozenset(
            {
                "factor",
                "min_lrs",
                "patience",
                "cooldown",
                "eps",
                "mode_worse",
                "mode",
                "threshold",
                "threshold_mode",
                "best",
                "cooldown_counter",
                "num_bad_epochs",
            }
        ),
        plateau,
        frozenset({"default_min_lr"}),
    ),
]
