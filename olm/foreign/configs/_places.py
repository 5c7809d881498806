"""Places by path, for readers that note the line of each key."""

from __future__ import annotations

from dataclasses import dataclass, field

from olm.problem import Path, Place
from olm.text.source import Text


@dataclass
class NotedPlaces:
    """The places of keys and values, as a reader notes them."""

    text: Text
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)

    def note(self, path: Path, key: Place | None, value: Place) -> None:
        """Note where the value at a path is, and its key."""
        self.values[path] = value
        self.keys[path] = key or value

    def __call__(self, path: Path, at_key: bool) -> Place:
        """The place of a value or of its key, else of what contains it."""
        places = self.keys if at_key else self.values
        while path and path not in places:
            path = path[:-1]
        return places.get(path, Place(self.text.file, 1, 1, 1))
