"""Print the difference between the rates of olm and those of each peer.

    python3 tools/compare.py

The rates of the peers are in tests/peers, each with the equivalent spec; `python3 tools/peers`
writes them. The last column counts the configurations in which the peer is wrong and olm differs.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Any

from environment import ROOT, enter

HEAD = ("peer", "version", "configurations", "curves", "worst difference", "allowed", "olm differs")

WRAPPERS = {"compile_composer_scheduler"}
"""Functions around a schedule, with which a configuration may start."""


@dataclass(frozen=True)
class Compared:
    """A peer's file in tests/peers."""

    file: str
    """The name of the file, without its suffix."""
    peer: str
    """The package, and its part if that has its own file."""
    version: str
    tolerance: float
    rows: list[dict[str, Any]]
    """The curves, as in `tests/peers`."""
    refused: list[dict[str, Any]]
    """The configurations that olm refuses, each with the reason."""

    @property
    def configurations(self) -> set[str]:
        """The configurations as users of the peer write them; each may have several curves."""
        return {row["peer"] for row in self.rows}

    @property
    def wrong(self) -> set[str]:
        """The configurations in which the peer is wrong."""
        return {row["peer"] for row in self.rows if "instead" in row}

    def worst(self) -> float:
        """The largest relative difference where the peer is right."""
        right = (row for row in self.rows if "instead" not in row)
        return max((_difference(row) for row in right), default=0.0)


def all_compared() -> list[Compared]:
    """Every peer, by name."""
    files = sorted((ROOT / "tests" / "peers").glob("*.json"))
    return [_read(path) for path in files]


def schedule_of(configuration: str) -> str:
    """The name of the schedule in a configuration of a peer.

    >>> schedule_of("compile_composer_scheduler(StepScheduler(step_size='3ba'), state)")
    'StepScheduler'
    """
    called: list[str] = re.findall(r"([A-Za-z_]\w*)[\w.]*\(", configuration)
    return next(name for name in called if name not in WRAPPERS)


def main(args: list[str]) -> int:
    """Print the table."""
    if args:
        print(__doc__.strip())
        return 0 if args[0] in ("-h", "--help") else 2
    if find_spec("pydantic") is None:
        enter()
    sys.path.insert(0, str(ROOT))
    from olm.kinds import KINDS

    compared = all_compared()
    rows = [HEAD, *map(_row, compared)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(
            "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        )
    configurations = sum(len(peer.configurations) for peer in compared)
    print(f"{len(KINDS)} kinds, {len(compared)} peers, {configurations} configurations")
    return 0


def _read(path: Path) -> Compared:
    file = json.loads(path.read_text(encoding="utf-8"))
    package, part = file["peer"], path.stem.removeprefix(f"{file['peer']}_")
    name = package if part == path.stem else f"{package}/{part}"
    return Compared(
        path.stem, name, *(file[key] for key in ("version", "tolerance", "rows", "refused"))
    )


def _row(peer: Compared) -> tuple[str, ...]:
    return (
        peer.peer,
        peer.version,
        str(len(peer.configurations)),
        str(len(peer.rows)),
        f"{peer.worst():.1e}",
        f"{peer.tolerance:.0e}" if peer.tolerance else "none",
        str(len(peer.wrong)),
    )


def _difference(row: dict[str, Any]) -> float:
    return max(_relative(*pair) for pair in zip(rates_in(row), row["values"], strict=True))


def rates_in(row: dict[str, Any]) -> list[float]:
    """The rates of a row's spec at its steps, after the metrics of the row if it has any."""
    import olm

    spec = olm.parse(row["olm"])
    if "metrics" not in row:
        rates: list[float] = spec.lr(row["steps"], row["base_lr"]).tolist()
        return rates
    after = accumulate(row["metrics"], lambda s, metric: s.observe(metric), initial=spec.schedule)
    return [schedule.lr(step, row["base_lr"]) for step, schedule in enumerate(after)]


def _relative(ours: float, theirs: float) -> float:
    return abs(ours - theirs) / max(abs(ours), abs(theirs)) if ours != theirs else 0.0


def kinds_in(spec: Any) -> Iterator[str]:
    """The kinds in a spec, outer before inner.

    >>> list(kinds_in({"kind": "TimeLR", "scheduler": {"kind": "HoldLR"}}))
    ['TimeLR', 'HoldLR']
    """
    if isinstance(spec, dict):
        if "kind" in spec:
            yield spec["kind"]
        spec = list(spec.values())
    if isinstance(spec, list):
        for item in spec:
            yield from kinds_in(item)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
