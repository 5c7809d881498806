"""Where two specs say something else: the fields by their paths, with both values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from olm.fields.durations import Duration
from olm.fields.types import memory_fields
from olm.problem import Path
from olm.schedule.per_step import PerStep
from olm.schedule.schedule import Schedule
from olm.spec.root_keys import KEYS
from olm.spec.spec import Spec

_LISTS = (tuple, list)
"""Lists of a schedule, and those of a document."""

_NOTHING = object()
"""What a list has where it has ended; null is a value."""


@dataclass(frozen=True)
class Difference:
    """A field that two specs do not have in common; its values are plain, as in a document."""

    path: Path
    a: Any
    b: Any
    only_in: str | None = None
    """The side that has it, ``a`` or ``b``, if the other one has no such item."""
    memory: bool = False
    """Whether it is what a metric-driven schedule remembers: where it stands, not which it is."""
    target: str = ""
    """The target, in words, in which the path leads to the field; empty for the root."""


def differences(a: Spec, b: Spec) -> list[Difference]:
    """The fields that two specs do not have in common; of two states the base rates, too.

    A default is the same whether it is written or not. Where kinds differ, the fields of one name
    are compared. Neither the steps at which they stand nor their digests are fields. Durations are
    compared as they were written, also those of a state.

    >>> from olm.spec.spec import parse
    >>> ours = parse({"kind": "LinearLR", "total_steps": 10, "end_lr": 0})
    >>> differences(ours, parse({"kind": "LinearLR", "total_steps": 20}))
    [Difference(path=('total_steps',), a=10, b=20, only_in=None, memory=False, target='')]
    """
    found = list(_between(a.written.schedule, b.written.schedule, ()))
    for name, mine, other in _compared(a, b, "spec"):
        if mine is not None and other is not None:
            found += _between(mine, other, (name,))
    return found + list(_of_targets(a.written, b.written))


def differences_in_steps(a: Spec, b: Spec) -> list[Difference]:
    """The fields that two specs in steps do not have in common, and the base rates.

    Nothing is compared within schedules of two kinds, nor within lists of two lengths.
    """
    found = list(_between(a.schedule, b.schedule, (), within=False))
    for name, mine, other in _compared(a, b, "spec"):
        # There may be thousands of base rates, which are nearly always the same.
        if mine != other:
            found += _between(mine or (), other or (), (name,), within=False)
    return found + list(_of_targets(a, b, within=False))


def run_differences(a: Spec, b: Spec) -> list[Difference]:
    """What two specs do not have in common of the run that they were written for.

    >>> from olm.spec.spec import parse
    >>> ours = {"kind": "LinearLR", "total_steps": 10, "clock": {"total_steps": 10}}
    >>> run_differences(parse(ours), parse({"kind": "ConstantLR"}))
    [Difference(path=('clock', 'total_steps'), a=10, b=None, only_in='a', memory=False, target='')]
    """
    found: list[Difference] = []
    for name, mine, other in _compared(a, b, "run"):
        write = KEYS[name].write
        ours, theirs = ({} if value is None else write(value) for value in (mine, other))
        found += _between(ours, theirs, (name,))
    return found


def _compared(a: Spec, b: Spec, what: str) -> Iterator[tuple[str, Any, Any]]:
    """The keys of the root that tell two specs or two runs apart, with both values."""
    names = (name for name, key in KEYS.items() if key.compared == what)
    return ((name, getattr(a, name), getattr(b, name)) for name in names)


def _of_targets(a: Spec, b: Spec, within: bool = True) -> Iterator[Difference]:
    """What the targets of two specs do not have in common. Their order means nothing."""
    ours, theirs = ({target.identity: target for target in spec.also} for spec in (a, b))
    for identity in {**ours, **theirs}:
        mine, other = ours.get(identity), theirs.get(identity)
        if mine is not None and other is not None:
            for name in ("schedule", "scaled_by", "base", "metric", "bases"):
                values = getattr(mine, name), getattr(other, name)
                if name == "bases" and None in values:
                    continue
                for one in _between(*values, (name,), within):
                    yield replace(one, target=mine.label)
        elif mine is not None:
            yield Difference((), mine.as_document(), None, "a", target=mine.label)
        elif other is not None:
            yield Difference((), None, other.as_document(), "b", target=other.label)


def _between(a: Any, b: Any, path: Path, within: bool = True) -> Iterator[Difference]:
    if a is b:
        return
    if isinstance(a, Schedule) and isinstance(b, Schedule):
        yield from _of_schedules(a, b, path, within)
    elif isinstance(a, _LISTS) and isinstance(b, _LISTS) and (within or len(a) == len(b)):
        # There may be thousands of numbers, which are nearly always the same. Schedules are not
        # compared here: those inside them would be compared again at every level.
        if a and not isinstance(a[0], Schedule) and a == b:
            return
        for index, (mine, other) in enumerate(zip_longest(a, b, fillvalue=_NOTHING)):
            yield from _between(mine, other, (*path, index), within)
    elif isinstance(a, dict) and isinstance(b, dict):
        for name in {**a, **b}:
            mine, other = a.get(name, _NOTHING), b.get(name, _NOTHING)
            yield from _between(mine, other, (*path, name), within)
    elif a is _NOTHING:
        yield Difference(path, None, _plain(b), "b")
    elif b is _NOTHING:
        yield Difference(path, _plain(a), None, "a")
    elif isinstance(a if b is None else b, PerStep) and (a is None or b is None):
        # One of the two is not counted yet: its axis has no steps to compare.
        return
    elif a != b:
        yield Difference(path, _plain(a), _plain(b))


def _of_schedules(a: Schedule, b: Schedule, path: Path, within: bool) -> Iterator[Difference]:
    if type(a) is not type(b):
        yield Difference((*path, "kind"), a.kind, b.kind)
        if not within:
            return
    memory = memory_fields(type(a))
    for name in type(a).model_fields:
        if name == "kind" or name not in type(b).model_fields:
            continue
        for one in _between(getattr(a, name), getattr(b, name), (*path, name), within):
            yield replace(one, memory=True) if name in memory else one


def _plain(value: Any) -> Any:
    if isinstance(value, Schedule):
        return value.model_dump(mode="json")
    if isinstance(value, Duration):
        return value.text
    if isinstance(value, PerStep):
        return value.as_document()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
