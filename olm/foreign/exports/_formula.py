"""A schedule as a formula in plain Python: functions of the step and the base rate."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

HELPERS = {
    "ramp": '''
def ramp(step, over):
    """The progress: 0 at step 0, 1 from `over` on."""
    return min(max(step / over, 0.0), 1.0) if over > 0 else 1.0
''',
    "line": '''
def line(start, end, done):
    """A straight line by the progress `done`."""
    return start * (1 - done) + end * done
''',
    "cosine": '''
def cosine(done):
    """Half a cosine wave that rises from 0 to 1."""
    return (1 - math.cos(math.pi * done)) / 2
''',
    "geometric": '''
def geometric(start, end, done):
    """A straight line between logarithms."""
    return start ** (1 - done) * end**done if done <= 1 else start * (end / start) ** done
''',
    "harmonic": '''
def harmonic(start, end, done):
    """A straight line between inverses."""
    return 1 / ((1 - done) / start + done / end)
''',
    "cycle": '''
def cycle(step, period, growth, count):
    """The number of the cycle, and the step in it, in steps of the first cycle."""
    number, start, length = 0, 0, period
    while step >= start + length and number + 1 < count:
        number, start, length = number + 1, start + length, length * growth
    return number, min((step - start) / growth**number, period)
''',
}
"""The functions that formulas may call."""


class Functions:
    """The functions of a file, and what they call."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._counts: dict[str, int] = {}

    def define(self, schedule: Schedule, name: str = "") -> str:
        """Write the function of a schedule; its name is returned.

        Raises:
            KeyError: the kind has no formula.
        """
        body = formulas()[schedule.kind](schedule, self)
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", schedule.kind.removesuffix("LR")).lower()
        # No other name in the file ends in this.
        name = name or f"{words}_rate"
        self._counts[name] = number = self._counts.get(name, 0) + 1
        name = name if number == 1 else f"{name}_{number}"
        *statements, value = body.split("\n")
        lines = [*statements, f"return {value}"]
        self.texts.append(f"\ndef {name}(step, base):\n" + "".join(f"    {li}\n" for li in lines))
        return name

    def text(self) -> str:
        """The functions, each below those that it calls."""
        code = "\n".join(self.texts)
        helpers = [text for name, text in HELPERS.items() if re.search(rf"\b{name}\(", code)]
        return "\n".join([*helpers, *self.texts])


Formula = Callable[[Any, Functions], str]
"""Statements, then an expression of the `step` and the `base` rate in a last line."""


def formulas() -> dict[str, Formula]:
    """The formula of each kind that has one."""
    found: dict[str, Formula] = import_module("olm.foreign.exports._formulas").FORMULAS
    return found


def eased(ease: str, done: str, power: float = 1.0, steps: int = 1) -> str:
    """A progress along a curve."""
    match ease:
        case "cosine":
            return f"cosine({done})"
        case "polynomial":
            return f"1 - (1 - {done}) ** {power}" if power else f"float({done} >= 1)"
        case "power":
            return f"({done}) ** {power}" if power else f"float({done} > 0)"
        case "logarithmic":
            return f"math.log1p({done} * {steps}) / math.log1p({steps})"
    return done


def between(start: str, end: str, done: str, space: str) -> str:
    """From one rate to another, linearly in a space."""
    name = {"log": "geometric", "inverse": "harmonic"}.get(space, "line")
    return f"{name}({start}, {end}, {done})"


def ramp(steps: Any, start: Any = 0) -> str:
    """The progress over a number of steps."""
    return f"ramp(step - {start}, {steps})" if start else f"ramp(step, {steps})"


def times(factor: float) -> str:
    """A share of the base rate."""
    if factor == 1:
        return "base"
    return f"base * {factor!r}" if factor else "0.0"


def counted(count: int | None) -> str:
    """The number of cycles."""
    return "math.inf" if count is None or count == inf else str(count)
