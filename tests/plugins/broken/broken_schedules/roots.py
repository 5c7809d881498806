"""A module whose kind has a field with the name of a root key."""

from typing import Literal

from broken_schedules import Constant


class Rooted(Constant):
    """A kind that would be valid."""

    kind: Literal["broken.Rooted"] = "broken.Rooted"
    expect: float = 0.0
