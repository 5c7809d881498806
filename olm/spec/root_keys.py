"""What only the root of a document says: how its keys are read, and whether they fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from olm.fields.durations import duration
from olm.fields.errors import at, mistake, quoted
from olm.problem import Path, found, path_of
from olm.schedule.schedule import ROOT_KEYS, STATE_KEYS, Schedule

if TYPE_CHECKING:
    from olm.schedule.clock import Clock
    from olm.spec.expectation import Expectation

DIGEST = re.compile("^sha256:[0-9a-f]{64}$")
"""How the digest of a state is written."""

Durations = tuple[tuple[str, str], ...]
"""Durations as they were written, each after its path."""


def parted(data: Any) -> Any:
    """A document as the fields of a Spec; what is no document stays as it is.

    Raises:
        ValidationError: `$schema` is no string.
    """
    if not isinstance(data, Mapping) or isinstance(data.get("schedule"), Schedule):
        return data
    rest = dict(data)
    root = {key: rest.pop(key) for key in ROOT_KEYS[1:] if key in rest}
    schema = rest.pop("$schema", "")
    if not isinstance(schema, str):
        error = mistake("type", f"must be a string, found {found(schema)}")
        raise ValidationError.from_exception_data("Spec", [at(("$schema",), schema, error)])
    return {"schedule": rest, **root}


def there(value: Any) -> Any:
    """What stands at a key of the root, unless that is nothing."""
    if value is None:
        raise mistake("type", "must be left out rather than null")
    return value


def expectation(value: Any) -> Expectation:
    """What `expect` says."""
    from olm.spec.expectation import expected

    return expected(there(value))


def clock(value: Any) -> Clock:
    """What `clock` says."""
    from olm.schedule.clock import clock_of

    return clock_of(there(value))


def durations(value: Any) -> Durations:
    """What `durations` says: pairs of a path and a duration."""
    if not isinstance(value, list | tuple):
        raise mistake("type", f"must be a list, found {found(value)}")
    for pair in value:
        two = isinstance(pair, list | tuple) and len(pair) == 2
        if not (two and all(isinstance(text, str) for text in pair) and duration(pair[1])):
            raise mistake("type", f"must be pairs of a path and a duration, found {found(pair)}")
    return tuple((path, text) for path, text in value)


def digest_text(value: Any) -> str:
    """What `digest` says."""
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return value
    raise mistake("type", f"must be `sha256:` and 64 hexadecimal digits, found {found(value)}")


def half_state(data: Mapping[str, Any]) -> list[InitErrorDetails]:
    """That some of the keys of a state are there, but not all."""
    there = [key for key in STATE_KEYS if key in data]
    if len(there) in (0, len(STATE_KEYS)):
        return []
    missing = ", ".join(f"`{key}`" for key in STATE_KEYS if key not in there)
    text = f"{there[0]} needs {missing} beside it: a state has them all, a spec none"
    return [at((there[0],), data[there[0]], mistake("half-state", text))]


def mixed_state(schedule: Schedule, said: str | None) -> Iterator[InitErrorDetails]:
    """That the digest is not that of the schedule, or that this is no schedule of a state."""
    from olm.spec.digest import digest

    if not schedule.is_counted:
        hint = "`durations` says what its steps were before"
        for path, one in schedule.durations():
            text = f"must be in optimizer steps in a state, found {found(one.text)}"
            yield at(path, one.text, mistake("durations", text, hint=hint))
    elif said != digest(schedule):
        text = f"this is not the digest of the schedule, which is {digest(schedule)}"
        hint = "the state mixes two schedules, or was edited: a spec has no digest"
        yield at(("digest",), said, mistake("digest", text, hint=hint))


def misplaced(schedule: Schedule, written: Durations) -> Iterator[InitErrorDetails]:
    """That there are durations where there are no steps, or that cannot stand there."""
    from olm.schedule.step_fields import places

    known = places(schedule)
    for index, pair in enumerate(written):
        if _path(pair[0]) not in known:
            error = mistake("durations", f"there is no number of steps at {quoted(pair[0])}")
            yield at(("durations", index), list(pair), error)
            return
    try:
        as_written(schedule, written)
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"]
        yield at(("durations",), written, mistake("durations", message))


def as_written(schedule: Schedule, written: Durations) -> Schedule:
    """The schedule with durations in place of the steps that they are.

    Raises:
        ValidationError: no schedule can have these.
    """
    from olm.schedule.step_fields import rewritten

    texts = ((_path(path), duration(text)) for path, text in written)
    return rewritten(schedule, {path: text for path, text in texts if path and text})


def _path(text: str) -> Path | None:
    try:
        return path_of(text)
    except ValueError:
        return None
