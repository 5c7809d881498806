"""States by timm 1.0, whose schedulers are told the step by whoever calls them, and keep none."""

from __future__ import annotations

from dataclasses import dataclass

from olm.foreign.states._reading import Old, Reader, Seen, State, rates_in, step_of

WRITER = "timm's scheduler"

COMMON = frozenset(
    {
        "param_group_field",
        "_initial_param_group_field",
        "base_values",
        "t_in_epochs",
        "noise_range_t",
        "noise_pct",
        "noise_type",
        "noise_std",
        "noise_seed",
    }
)
"""What the states of all of timm's schedulers have, apart from its plateau."""


@dataclass(frozen=True)
class _Any(Reader):
    """Reads states that have at least the keys, whatever else they have."""

    def knows(self, state: State) -> bool:
        return self.keys <= set(state)


def position(state: State, seen: Seen) -> Old:
    """Where a schedule stands, if the caller has added that to the state."""
    if "last_epoch" not in state:
        seen.reject(
            "last_epoch",
            "timm does not save the step: add it to the state, as in "
            '{**state, "last_epoch": steps}',
        )
    if state["param_group_field"] != "lr":
        seen.reject("param_group_field", "it is the schedule of something else than the rate")
    if seen.exact and state["noise_range_t"] is not None:
        seen.reject("noise_range_t", "its rates have noise, and those of a schedule have none")
    return Old(WRITER, step_of(state, seen), rates_in(state, "base_values", seen), None)


def plateau(state: State, seen: Seen) -> Old:
    """Nothing that one could go on from.

    Raises:
        StateError: always.
    """
    seen.reject(
        "num_bad_epochs",
        "timm's PlateauLRScheduler saves neither this nor cooldown_counter nor how often the rate "
        "has fallen",
    )


READERS = [
    _Any(WRITER, COMMON, position),
    Reader("timm's PlateauLRScheduler", frozenset({"best"}), plateau),
]
