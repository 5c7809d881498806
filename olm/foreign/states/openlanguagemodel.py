"""States by OpenLanguageModel 2.2.1, whose classes have our names, arguments and numbers."""

from __future__ import annotations

from functools import partial

from olm.foreign.states.reading import Old, Reader, Seen, State, keys_of, rates_in, step_of

FIELDS = {
    "LinearLR": ("total_steps", "end_lr", "start_factor"),
    "LinearDecayLR": ("total_steps",),
    "WarmupLR": ("warmup_steps", "start_lr"),
    "WarmupCosineScheduler": ("warmup_steps", "total_steps", "min_lr"),
}
"""Its classes, without `CosineAnnealingLR`, whose states have the keys of torch's."""


def same(kind: str, writer: str, state: State, seen: Seen) -> Old:
    """A state whose keys are the fields of a kind."""
    fields = {name: state[name] for name in state if name in keys_of(state)}
    base_lrs = rates_in(state, "base_lrs", seen)
    return Old(writer, step_of(state, seen), base_lrs, {"kind": kind, **fields})


READERS = [
    Reader(
        f"OpenLanguageModel's {kind}",
        frozenset(fields),
        partial(same, kind, f"OpenLanguageModel's {kind}"),
    )
    for kind, fields in FIELDS.items()
]
