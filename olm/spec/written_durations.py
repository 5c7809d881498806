"""The durations of a state as they were written, before they were steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from olm.fields.durations import SUCH_AS, duration, pattern
from olm.fields.errors import at, invalid, quoted
from olm.problem import Path, dotted, found, path_of
from olm.schedule.schedule import Schedule

if TYPE_CHECKING:
    from olm.spec.root_keys import Root

Durations = tuple[tuple[str, str], ...]
"""Durations as they were written, each after its path."""


def durations(value: Any) -> Durations:
    """The pairs of a path and a duration that a document has."""
    if not isinstance(value, list | tuple):
        raise invalid("type", f"must be a list, found {found(value)}")
    for pair in value:
        two = isinstance(pair, list | tuple) and len(pair) == 2
        if not (two and all(isinstance(text, str) for text in pair) and duration(pair[1])):
            raise invalid("type", f"must be pairs of a path and a duration, found {found(pair)}")
    seen: set[Path | str] = set()
    for text, _ in value:
        path = _path(text) or text
        if path in seen:
            message = f"must have one duration for each path, found two for {quoted(text)}"
            raise invalid("durations", message)
        seen.add(path)
    return tuple((path, text) for path, text in value)


def schema() -> dict[str, Any]:
    """The JSON Schema of pairs of a path and a duration."""
    text = {
        "type": "string",
        "pattern": pattern(negative=True),
        "errorMessage": f"must be a duration such as {SUCH_AS}",
    }
    pair = {"type": "array", "items": [{"type": "string"}, text], "minItems": 2, "maxItems": 2}
    return {"type": "array", "items": pair}


def misplaced(root: Root, written: Durations) -> Iterator[InitErrorDetails]:
    """The durations at paths without a number of steps, at one path twice, or that are invalid."""
    from olm.schedule.step_fields import places

    known = {place + path for place, part in root.placed_schedules() for path in places(part)}
    for index, pair in enumerate(written):
        if _path(pair[0]) not in known:
            error = invalid("durations", f"there is no number of steps at {quoted(pair[0])}")
            yield at(("durations", index), list(pair), error)
            return
    try:
        for place, schedule in root.placed_schedules():
            as_written(schedule, below(written, place))
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"]
        yield at(("durations",), written, invalid("durations", message))


def below(written: Durations, place: Path) -> Durations:
    """The durations of one of a document's schedules, by their paths in it.

    >>> written = (("total_steps", "2ep"), ("also[0].schedule.total_steps", "3%"))
    >>> below(written, ("also", 0, "schedule"))
    (('total_steps', '3%'),)
    """
    if not written:
        return ()
    if not place:
        return tuple(pair for pair in written if not pair[0].startswith("also["))
    start = f"{dotted(place)}."
    return tuple(
        (path.removeprefix(start), text) for path, text in written if path[: len(start)] == start
    )


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
