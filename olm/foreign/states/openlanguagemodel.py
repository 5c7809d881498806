"""States by OpenLanguageModel 2.2.1, whose classes have our names, arguments and numbers."""

from __future__ import annotations

from functools import partial

from olm.foreign.states._reading import Reader, same_fields

FIELDS = {
    "LinearLR": ("total_steps", "end_lr", "start_factor"),
    "LinearDecayLR": ("total_steps",),
    "WarmupLR": ("warmup_steps", "start_lr"),
    "WarmupCosineScheduler": ("warmup_steps", "total_steps", "min_lr"),
}
"""Its classes, without `CosineAnnealingLR`, whose states have the keys of torch's."""


READERS = [
    Reader(
        f"OpenLanguageModel's {kind}",
        frozenset(fields),
        partial(same_fields, kind, f"OpenLanguageModel's {kind}"),
    )
    for kind, fields in FIELDS.items()
]
