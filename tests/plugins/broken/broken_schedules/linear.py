"""A module whose kind has the name of a kind of olm."""

from typing import Literal

from broken_schedules import Constant


class Linear(Constant):
    """A kind whose name is taken."""

    kind: Literal["LinearLR"] = "LinearLR"
