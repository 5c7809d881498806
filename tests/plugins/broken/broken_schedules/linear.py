"""A module that gives the name of one of olm's kinds to a kind of its own."""

from typing import Literal

from broken_schedules import Constant


class Linear(Constant):
    """One that is there already."""

    kind: Literal["LinearLR"] = "LinearLR"
