"""A module that defines its kind and then fails, in more than one line."""

from typing import Literal

from broken_schedules import Constant


class Raises(Constant):
    """One that would be right."""

    kind: Literal["broken.Raises"] = "broken.Raises"


raise RuntimeError("the licence server\n  does not answer")
