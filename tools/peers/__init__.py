"""The peers: libraries with schedules that olm reproduces. A file is a peer and defines `PEER`.

`python3 tools/peers` installs each peer into its own environment, steps its schedulers, and writes
their rates to `tests/peers/<file>.json`; the tests compare olm with them. To add a peer, copy a
file: the runner and the tests list the folder. A file imports its peer inside `rates`, since only
the environment of the peer has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Curves = list[list[float | None]]
"""The rates at some steps, a list for each base rate; None from where the peer raises an error."""

Answers = list[str | float | None]
"""The steps that a peer computes for durations; None where it raises an error."""

Groups = list[dict[str, Any]]
"""The param groups that a peer makes of a model, with the names of the parameters."""


@dataclass(frozen=True)
class Row:
    """One configuration of a peer, and the spec with the same rates."""

    peer: str
    """The configuration as users of the peer write it: a Python expression for its scheduler."""
    olm: dict[str, Any]
    """The spec, as a document."""
    base_lrs: tuple[float, ...]
    """The base rates, each a param group of one optimizer and a row of the file."""
    steps: tuple[int, ...]
    """The steps whose rates are stored, ascending."""
    instead: str = ""
    """Only where the peer is wrong: what it does, and what olm does instead."""
    metrics: tuple[float, ...] = ()
    """Only where metrics change the rates: those observed after each step, from step 0 on."""


@dataclass(frozen=True)
class Refused:
    """A configuration that a peer accepts or fails on, and that olm rejects."""

    peer: str
    """The configuration as users of the peer write it. It is not evaluated."""
    olm: dict[str, Any]
    """The same as a spec, which is invalid."""
    argument: str
    """The field that the error names."""
    instead: str
    """What the peer does, and what olm requires."""


@dataclass(frozen=True)
class Durations:
    """Durations in one run of a peer, and the same durations in olm."""

    peer: str
    """How the peer counts a duration: a Python expression with the variable `duration`."""
    clock: dict[str, Any]
    """The same run as a clock of olm."""
    written: Sequence[tuple[str | float, str | int | None]]
    """Each as the peer and as a spec writes it; None if a spec cannot or should not have it."""


@dataclass(frozen=True)
class Grouped:
    """A model, and the rules for its param groups in a peer and in olm."""

    shapes: dict[str, tuple[int, ...]]
    """The parameters of the model, by their names."""
    arguments: dict[str, Any]
    """The arguments of the peer."""
    olm: dict[str, Any]
    """The arguments of `olm.train.param_groups` about names."""
    matcher: dict[str, Any]
    """What the model returns as its `group_matcher`."""
    frozen: Sequence[str] = ()
    """The parameters that require no gradient."""


@dataclass(frozen=True)
class Run:
    """A run of a peer whose batch grows, trained until every sample was seen."""

    name: str
    """Who trained it, or where it is described."""
    samples: int
    """The samples of the whole run."""
    batches: dict[str, Any]
    """The arguments of what computes the batch of a step."""
    rates: dict[str, Any] | None = None
    """The arguments of the scheduler, which counts samples, if the rates are recorded."""


@dataclass(frozen=True)
class Peer:
    """A library at one version, and what is compared with it."""

    distribution: str
    """The name of the distribution."""
    version: str
    """The version whose rates are stored."""
    tolerance: float
    """The largest relative difference between its rates and olm's; 0 is equality to the bit."""
    rows: Sequence[Row]
    """The configurations that are compared."""
    rates: Callable[[Row], Curves]
    """The rates of a row, computed by the code of the peer."""
    refused: Sequence[Refused] = ()
    """The configurations that olm rejects."""
    needs: Sequence[str] = ()
    """Other packages to install, in the versions in `tools/constraints.txt`."""
    durations: Sequence[Durations] = ()
    """The durations that are compared, if the peer has any."""
    answers: Callable[[Durations], Answers] | None = None
    """The steps of durations, computed by the code of the peer."""
    grouped: Sequence[Grouped] = ()
    """The models whose param groups are compared, if the peer makes any."""
    groups: Callable[[Grouped], Groups] | None = None
    """The param groups of a model, made by the code of the peer."""
    runs: Sequence[Run] = ()
    """The runs with a growing batch that are compared, if the peer has any."""
    trained: Callable[[Run], dict[str, Any]] | None = None
    """The batches, and the rates, of a run, computed by the code of the peer."""
    exported: Callable[[str, int], list[float]] | None = None
    """The rates of the first steps by a text that `olm export` wrote, computed by the peer. The
    texts are in `tests/exports`, each beside its spec."""
    dependencies: bool = True
    """Whether to install the requirements of the peer; otherwise, only those in `needs`."""


def steps_around(marks: Iterable[int], end: int, every: int = 1) -> tuple[int, ...]:
    """Steps to store of a long curve: six on either side of each mark, and one in every `every`.

    >>> steps_around([0, 100], end=104, every=50)
    (0, 1, 2, 3, 4, 5, 50, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104)
    """
    kept = {step for mark in marks for step in range(mark - 6, mark + 6)}
    return tuple(sorted(step for step in kept | {*range(0, end, every)} if 0 <= step <= end))
