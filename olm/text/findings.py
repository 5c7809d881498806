"""The problems of a text that are found while it is read, each with its place."""

from __future__ import annotations

from typing import NoReturn

from yaml.events import CollectionStartEvent, Event, ScalarEvent

from olm.problem import MAX_PROBLEMS, Path, Place, Problem, clipped
from olm.text.source import Text


class Unreadable(Exception):
    """The text cannot be read beyond this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class Findings:
    """The problems of one text.

    `refused` has the paths of values that differ from the text because of a problem, so that no
    second problem is reported for them.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.refused: set[Path] = set()

    def note(self, code: str, message: str, event: Event, *also: Place) -> None:
        """Record a problem.

        Raises:
            Unreadable: there are too many problems already.
        """
        place = place_of(self.text, event, event)
        problem = Problem(code, message, place=place, also_places=also)
        if len(self.problems) >= MAX_PROBLEMS:
            raise Unreadable(problem)
        self.problems.append(problem)

    def refuse(self, code: str, message: str, event: Event, path: Path | None) -> None:
        """Record a problem of the value at `path` or, with None, of a key."""
        self.note(code, message, event)
        if path is not None:
            self.refused.add(path)

    def properties(self, event: ScalarEvent | CollectionStartEvent, path: Path | None) -> None:
        """Report the anchor and the tag of the value at `path`, or of a key."""
        if event.anchor:
            message = f"YAML anchors are not allowed in a spec: remove &{clipped(event.anchor)}"
            self.note("anchor", message, event)
        if event.tag:
            tag = clipped(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self.refuse("tag", f"YAML tags are not allowed in a spec: remove {tag}", event, path)

    def stop(self, code: str, message: str, event: Event) -> NoReturn:
        """Stop reading.

        Raises:
            Unreadable: always, with the problem.
        """
        place = place_of(self.text, event, event)
        raise Unreadable(Problem(code, message, place=place))


def place_of(text: Text, first: Event, last: Event) -> Place:
    """The place of a value that starts with one event and ends with another."""
    start, end = first.start_mark, last.end_mark
    if start is None or end is None:
        return text.place_at(0)
    return text.place(start.line, start.column, end.line, end.column)
