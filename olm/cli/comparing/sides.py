"""What ``olm diff`` compares: a spec, a state, or the one state in a checkpoint's JSON."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, NamedTuple

from olm.cli.files.search import STDIN, is_there
from olm.cli.input import BINARY
from olm.fields.durations import Duration
from olm.problem import OlmError, Path, SpecError, dotted, listed
from olm.schedule.schedule import Schedule
from olm.spec.spec import Spec
from olm.text.document import Document, read
from olm.text.source import MAX_BYTES

if TYPE_CHECKING:
    from olm.schedule.clock import Clock


class Lasting(NamedTuple):
    """A duration in a side."""

    path: Path
    written: Duration
    steps: int | None
    """How many steps it is, if that is known."""


@dataclass(frozen=True)
class Side:
    """One of the two: what it is called, and what it says."""

    name: str
    spec: Spec
    schedule: Schedule | None
    """The schedule in optimizer steps, if it is known what these are."""
    durations: tuple[Lasting, ...] = ()
    """What was written in other units."""
    needs: tuple[str, ...] = ()
    """What a clock must say besides what is known, so that the schedule is in steps."""


def side(name: str, spec: Spec, clock: Clock | None) -> Side:
    """A spec as one of the two.

    Args:
        name: what it is called.
        spec: what it says.
        clock: what the run is, which wins over what the spec says of it.

    Raises:
        SpecError: in steps, it is not valid.
    """
    waiting = spec.schedule.durations()
    if not waiting:
        there = spec.written.durations()
        known = (Lasting(*one, spec.schedule.at(one[0])) for one in there)
        return Side(name, spec, spec.schedule, tuple(known))
    try:
        plan = spec.plan(clock)
    except SpecError as error:
        if any(problem.code != "clock" for problem in error.problems):
            raise
        lacking = {problem.path for problem in error.problems}
        needs = dict.fromkeys(one.needs for path, one in waiting if path in lacking)
        unknown = tuple(Lasting(*one, None) for one in waiting)
        return Side(name, spec, None, unknown, tuple(needs))
    counted = (Lasting(one.path, one.written, one.steps) for one in plan.counted)
    return Side(name, spec, plan.schedule, tuple(counted))


def text_of(path: str) -> bytes:
    """What is in a text file, or comes from standard input.

    Raises:
        OSError: it cannot be read.
        OlmError: it is not there, or no text but what a trainer saved.
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


def said_by(document: Document) -> Document:
    """The document itself, or of a checkpoint's the state of ours in it.

    Raises:
        OlmError: there are several states in it, or only those of other libraries.
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
    """What is at a path of a document, the rest of which may be anything."""
    value, name = document.value, document.text.file
    for depth, key in enumerate(path, start=1):
        value = value[key]
        if isinstance(value, str):
            # A leaf of JSON text is a document of its own.
            return read(value, f"{name}: {dotted(path[:depth])}", path[depth:])
    return read(document.text.content, name, path)


def _first_convert(path: str) -> str:
    return f": write its state as JSON first, with olm state {path} --out state.json"
