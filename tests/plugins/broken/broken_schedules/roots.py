"""A module whose kind takes a key of the root for a field of its own."""

from typing import Literal

from broken_schedules import Constant


class Rooted(Constant):
    """One that would be right."""

    kind: Literal["broken.Rooted"] = "broken.Rooted"
    expect: float = 0.0
