"""A side of ``olm diff``: a spec, a state, or the only state in a checkpoint in JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, NamedTuple

from olm.cli.axis_units import axes_lacking, counts_at
from olm.cli.files.search import STDIN, is_there
from olm.cli.input import BINARY
from olm.fields.durations import Duration
from olm.problem import OlmError, Path, SpecError, dotted, listed
from olm.schedule.schedule import Schedule
from olm.spec.differences import Difference
from olm.spec.spec import Spec
from olm.text.document import Document, read
from olm.text.source import MAX_BYTES

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.spec.targets import Target

Identity = tuple[str, str, tuple[str, ...]]
"""What tells a target from the other targets of a spec."""


class Lasting(NamedTuple):
    """A duration of a side."""

    path: Path
    written: Duration
    steps: int | None
    """The duration in steps, if known."""
    unit: str = "step"
    """What `steps` counts, in the singular: along an axis, samples or tokens."""


Durations = tuple[list[Lasting], list[Lasting]]
"""The durations of both sides."""


@dataclass(frozen=True)
class Side:
    """One of the two sides: its name and its spec."""

    name: str
    spec: Spec
    counted: Spec | None
    """The spec in optimizer steps, if there is a clock for it."""
    durations: tuple[Lasting, ...] = ()
    """The values that are written as durations."""
    needs: tuple[str, ...] = ()
    """The fields of a clock that are missing to convert the schedule to steps."""

    @property
    def schedule(self) -> Schedule | None:
        """The schedule in optimizer steps, if there is a clock for it."""
        return None if self.counted is None else self.counted.schedule

    def in_steps(self, target: Target | None) -> Target | None:
        """A target of its spec in optimizer steps, where there is a clock for it."""
        if target is None or self.counted is None:
            return target
        return self.counted.also[self.spec.also.index(target)]

    def durations_of(self, identity: Identity | None) -> list[Lasting]:
        """The durations of a target by their paths in it, or those of the root for None."""
        found: list[Lasting] = []
        for item in self.durations:
            path = item.path
            is_root = path[:1] != ("also",)
            of = None if is_root else self.spec.also[int(path[1])].identity
            if of == identity:
                found.append(item if is_root else item._replace(path=path[2:]))
        return found


def counts(a: Side, b: Side, identity: Identity | None = None) -> Iterator[Difference]:
    """The durations that are written alike, but are different numbers of steps."""
    others = {(item.path, item.written): item.steps for item in b.durations_of(identity)}
    for path, written, mine, _ in a.durations_of(identity):
        theirs = others.get((path, written))
        if None not in (mine, theirs) and mine != theirs:
            yield Difference(path, mine, theirs)


def side(name: str, spec: Spec, clock: Clock | None) -> Side:
    """A spec as one of the two sides.

    Args:
        name: its name.
        spec: the spec.
        clock: the clock of the options, which overrides that of the spec.

    Raises:
        SpecError: the spec is invalid in steps.
    """
    waiting = spec.durations_there()
    if all(schedule.is_counted for _, schedule in spec.placed_schedules()):
        there = spec.written.durations_there()
        known = (
            Lasting(path, text, spec.at(path), counts_at(spec, path).removesuffix("s"))
            for path, text in there
        )
        return Side(name, spec, spec, tuple(known))
    try:
        plan = spec.plan(clock)
    except SpecError as error:
        if any(problem.code != "clock" for problem in error.problems):
            raise
        lacking = {problem.path for problem in error.problems}
        own = spec.clock_for(clock)
        needs = dict.fromkeys(own.lacks(written) for path, written in waiting if path in lacking)
        needs |= {field: None for _, _, field in axes_lacking(spec, own, lacking)}
        unknown = tuple(Lasting(*duration, None) for duration in waiting)
        return Side(name, spec, None, unknown, tuple(needs))
    counted = (Lasting(item.path, item.written, item.steps, item.unit) for item in plan.counted)
    # What a spec expects is not compared, and may need a clock that the curves do not.
    resolved = spec.model_copy(update={"expect": None}).resolve(clock)
    return Side(name, spec, resolved, tuple(counted))


def text_of(path: str) -> bytes:
    """The content of a text file, or standard input.

    Raises:
        OSError: the file cannot be read.
        OlmError: the file does not exist, or is a binary checkpoint.
    """
    if path == STDIN:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    if not is_there(path):
        raise OlmError(f"no such file: {path}")
    if FilePath(path).is_dir():
        raise OlmError(f"{path} is a folder{_first_convert(path)}")
    with FilePath(path).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if data.startswith(BINARY):
        raise OlmError(f"{path} is not text{_first_convert(path)}")
    return data


def state_in(document: Document) -> Document:
    """The document itself or, for a checkpoint, the olm state in it.

    Raises:
        OlmError: the checkpoint has several states, or only states of other libraries.
    """
    value, name = document.value, document.text.file
    if not document.readable or not isinstance(value, dict) or {"kind", "digest"} & set(value):
        return document
    from olm.foreign.checkpoints import has_step, is_ours, states_of

    states = states_of(value, is_ours)
    if len(states) > 1:
        places = listed(dotted(state.path) for state in states)
        how = f"olm state {name} --at PLACE --out state.json"
        raise OlmError(f"{name} has several states, {places}: write one of them, with {how}")
    if states:
        return _inside(document, states[0].path)
    if states_of(value, has_step):
        raise OlmError(f"{name} contains no state of olm's{_first_convert(name)}")
    return document


def _inside(document: Document, path: Path) -> Document:
    """The document at a path of a document; the rest is ignored."""
    value, name = document.value, document.text.file
    for depth, key in enumerate(path, start=1):
        value = value[key]
        if isinstance(value, str):
            # A leaf of JSON text is a document of its own.
            return read(value, f"{name}: {dotted(path[:depth])}", path[depth:])
    return read(document.text.content, name, path)


def _first_convert(path: str) -> str:
    return f": write its state as JSON first, with olm state {path} --out state.json"
