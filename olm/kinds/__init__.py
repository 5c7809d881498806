"""The catalogue: every file here is a family of schedules. To add a kind, copy a file.

A file is imported when one of its kinds is looked up, by the table in `olm.schedule.families`,
which tools/generate.py writes. Each model is an attribute by the name of its kind:

>>> import olm
>>> olm.kinds.LinearLR(total_steps=4).lr(1, base=0.5)
0.375
"""

from __future__ import annotations

from typing import Any

from olm.schedule.families import FAMILIES
from olm.schedule.schedule import KINDS

GROUPS = ("warm-up", "decay", "cyclic", "building block", "composition", "metric-driven")
"""The groups of kinds, in the order of `olm kinds`. Every kind belongs to one of them."""

__all__ = ["GROUPS", "KINDS"]


def __getattr__(name: str) -> Any:
    # Python looks here for the files of this folder too, before it imports them.
    if name in FAMILIES or name[:1].isupper():
        model = KINDS.loaded(name)
        if model is not None:
            return model
    hint = ""
    if not name.startswith("_"):
        from olm.schedule.schedule import nearest_kind

        hint = f": did you mean {meant}?" if (meant := nearest_kind(name)) else ""
    raise AttributeError(f"module 'olm.kinds' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted({*__all__, *FAMILIES})
