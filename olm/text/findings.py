"""What is found to be wrong with a text while it is read, each with its place."""

from __future__ import annotations

from typing import NoReturn

from yaml.events import CollectionStartEvent, Event, ScalarEvent

from olm.problem import MAX_PROBLEMS, Path, Place, Problem, clipped
from olm.text.source import Text


class Unreadable(Exception):
    """There is no reading on from here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class Findings:
    """The problems of one text.

    `refused` has the paths of the values that are not as they were written, so that nobody
    complains about them again.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.refused: set[Path] = set()

    def note(self, code: str, message: str, event: Event, *also: Place) -> None:
        """Remember a problem.

        Raises:
            Unreadable: there were many before; nobody would read on.
        """
        place = place_of(self.text, event, event)
        problem = Problem(code, message, place=place, also_places=also)
        if len(self.problems) >= MAX_PROBLEMS:
            raise Unreadable(problem)
        self.problems.append(problem)

    def refuse(self, code: str, message: str, event: Event, path: Path | None) -> None:
        """Remember a problem with the value at `path`; with None, one with a key."""
        self.note(code, message, event)
        if path is not None:
            self.refused.add(path)

    def properties(self, event: ScalarEvent | CollectionStartEvent, path: Path | None) -> None:
        """Remember the anchor and the tag of what stands at `path`, or of a key."""
        if event.anchor:
            message = f"a spec has no anchors: leave &{clipped(event.anchor)} out"
            self.note("anchor", message, event)
        if event.tag:
            tag = clipped(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self.refuse("tag", f"a spec has no tags: leave {tag} out", event, path)

    def stop(self, code: str, message: str, event: Event) -> NoReturn:
        """Give up.

        Raises:
            Unreadable: with the problem.
        """
        place = place_of(self.text, event, event)
        raise Unreadable(Problem(code, message, place=place))


def place_of(text: Text, first: Event, last: Event) -> Place:
    """Where what begins with one event and ends with another is to be seen."""
    start, end = first.start_mark, last.end_mark
    if start is None or end is None:
        return text.place_at(0)
    return text.place(start.line, start.column, end.line, end.column)
