"""What became of the configurations in tests/imports, and how exact the imported rates are.

The configurations are the samples, `*.expect.yaml` with a file beside each, and those that
`python3 tools/imports` drew, `drawn.json`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, log10
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

import olm
from environment import ROOT
from olm.problem import SpecError

FOLDER = ROOT / "tests" / "imports"
SMALLEST = 1e-15
"""The difference of rates that are equal but for the rounding of floats."""


@dataclass
class Tried:
    """What became of the configurations of a format."""

    keys: int = 0
    """How many keys of the framework are known."""
    exact: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """The codes of the refusals."""
    difference: float = 0.0
    """The largest difference of a rate, as a share of the base rate."""

    @property
    def bound(self) -> str:
        """The power of ten that no difference exceeds."""
        return f"{10.0 ** ceil(log10(max(self.difference, SMALLEST)) - 1e-9):.0e}".replace(
            "-0", "-"
        )


def tried(name: str) -> Tried:
    """Import every configuration of a format, and compare its rates."""
    found = Tried(len(_keys(name)))
    for path in sorted((FOLDER / name).glob("*.expect.yaml")):
        expected = yaml.safe_load(path.read_text(encoding="utf-8"))
        stem = path.name.removesuffix(".expect.yaml")
        (file,) = (each for each in path.parent.glob(f"{stem}.*") if each != path)
        options = {**expected.get("given", {}), "nearest": expected["verdict"] == "near"}
        watched = "observations" in expected.get("checks_are", "")
        _try(found, file, options, expected.get("checks", []), watched)
    with TemporaryDirectory() as folder:
        for drawn, file in _drawn(name, Path(folder)):
            _try(found, file, drawn["given"], [*enumerate(drawn.get("rates", []))])
    return found


def _drawn(name: str, folder: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """The drawn configurations of a format, each written to a file."""
    path = FOLDER / name / "drawn.json"
    if path.is_file():
        recorded = json.loads(path.read_text(encoding="utf-8"))
        file = folder / f"config{recorded['suffix']}"
        for drawn in recorded["configurations"]:
            file.write_text(drawn["text"], encoding="utf-8")
            yield drawn, file


def _try(
    found: Tried, file: Path, options: Mapping[str, Any], checks: list[Any], watched: bool = False
) -> None:
    """Import a configuration, and count what became of it.

    Args:
        found: the counts.
        file: the configuration.
        options: those of the import.
        checks: steps with their rates.
        watched: whether the steps are observations of a metric that never changes.
    """
    try:
        spec = olm.import_config(file, **options).spec
    except SpecError as error:
        found.refused[error.problems[0].code] += 1
        return
    found.exact += 1
    base = dict(spec.optimizer)["lr"]
    if watched:
        ours = [_observed(spec.schedule, step).lr(0, base) for step, _ in checks]
    else:
        ours = [*map(float, spec.lr([step for step, _ in checks], base))] if checks else []
    differences = [abs(one - rate) / base for one, (_, rate) in zip(ours, checks, strict=True)]
    found.difference = max(found.difference, *differences, 0.0)


def _observed(schedule: Any, times: int) -> Any:
    """A schedule that observed a metric that never changes."""
    for _ in range(times):
        schedule = schedule.observe(1.0)
    return schedule


def _keys(name: str) -> set[str]:
    """The keys of the framework, of which each is translated, harmless or refused."""
    path = FOLDER / name / "keys.json"
    places = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    lists = ("defaults", "others", "flags")
    return {key.replace("-", "_") for place in places for each in lists for key in place[each]}
