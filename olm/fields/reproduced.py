"""The schedules of other libraries that each kind reproduces, as the tests compare them.

The table is data: ``reproduced.json``, which tools/generate.py writes from tests/peers.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_suffix(".json")


@cache
def reproduced() -> dict[str, dict[str, list[str]]]:
    """For each kind, the schedules of each library that a spec with this kind reproduces.

    >>> reproduced()["CyclicLR"]
    {'torch': ['CyclicLR', 'SequentialLR']}
    """
    import json

    table: dict[str, dict[str, list[str]]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table
