"""The peers: libraries that have schedules of olm's, one file each, which says it all in `PEER`.

`python3 tools/peers` installs each into an environment of its own, steps its schedulers, and writes
`tests/peers/<file>.json`, to which the tests hold olm. To add a peer, copy a file: the runner and
the tests find it by listing. A file imports its peer inside `rates`, where it is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Curves = list[list[float | None]]
"""The rates at some steps, a list for each base rate; None from where the peer raises an error."""

Answers = list[str | float | None]
"""What a peer makes of some durations; None where it raises an error."""


@dataclass(frozen=True)
class Row:
    """One configuration of a peer, and the spec that says the same to olm."""

    peer: str
    """The configuration as one writes it there: Python that is evaluated to make its curve."""
    olm: dict[str, Any]
    """The spec, as a document."""
    base_lrs: tuple[float, ...]
    """The base rates. Each is a param group of one optimizer, and becomes a row of the file."""
    steps: tuple[int, ...]
    """The steps whose rates are kept, ascending."""
    instead: str = ""
    """Where the peer is wrong, and only there: what it does, and what olm gives instead."""


@dataclass(frozen=True)
class Refused:
    """A configuration that a peer takes or fails on, and that olm refuses."""

    peer: str
    """The configuration as one writes it there. It is not run."""
    olm: dict[str, Any]
    """What it would be as a spec, which is not valid."""
    argument: str
    """The field that the error names."""
    instead: str
    """What the peer does, and what olm asks for."""


@dataclass(frozen=True)
class Durations:
    """How long something lasts in one run of a peer's, and the same to olm."""

    peer: str
    """What the peer makes of each: Python that is evaluated with the `duration` at hand."""
    clock: dict[str, Any]
    """What the run is, as olm's clock."""
    written: Sequence[tuple[str | float, str | int | None]]
    """Each as the peer takes it, and as a spec says it; None if a spec cannot, or should not."""


@dataclass(frozen=True)
class Peer:
    """A library, pinned, and what is compared with it."""

    distribution: str
    """What pip calls it."""
    version: str
    """The version whose curves are kept."""
    tolerance: float
    """The largest relative difference between its rates and olm's; 0 is equality to the bit."""
    rows: Sequence[Row]
    """What is compared."""
    rates: Callable[[Row], Curves]
    """The peer's own rates for a row, from its own code."""
    refused: Sequence[Refused] = ()
    """What olm refuses."""
    needs: Sequence[str] = ()
    """What else to install, at the versions in `tools/constraints.txt`."""
    durations: Sequence[Durations] = ()
    """What it counts, if it takes durations."""
    answers: Callable[[Durations], Answers] | None = None
    """What the peer's own code makes of them."""
    dependencies: bool = True
    """Whether to install what the peer asks for; if not, `needs` is all that it gets."""


def steps_around(marks: Iterable[int], end: int, every: int = 1) -> tuple[int, ...]:
    """The steps worth keeping of a long curve: six on either side of each mark, and every so many.

    >>> steps_around([0, 100], end=104, every=50)
    (0, 1, 2, 3, 4, 5, 50, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104)
    """
    kept = {step for mark in marks for step in range(mark - 6, mark + 6)}
    return tuple(sorted(step for step in kept | {*range(0, end, every)} if 0 <= step <= end))
