"""A module that defines its kind and then raises, with a message of several lines."""

from typing import Literal

from broken_schedules import Constant


class Raises(Constant):
    """A kind that would be valid."""

    kind: Literal["broken.Raises"] = "broken.Raises"


raise RuntimeError("the licence server\n  does not answer")
