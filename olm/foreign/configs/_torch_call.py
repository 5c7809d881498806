"""A call of a scheduler class in a configuration, as its translation reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from olm.foreign.configs._config import REQUIRED, Config, Refusal
from olm.foreign.configs._documents import Document
from olm.problem import Path, found, listed

Child = Callable[[Config, Path], tuple[str, Path]]
"""Reads the class of a scheduler at a path, and where its arguments are."""


@dataclass(frozen=True)
class Tick:
    """How much lies between two moves of a scheduler: steps or epochs.

    >>> Tick().times(30), Tick(unit="ep").times(30), Tick(2, "ep").times(5)
    (30, '30ep', '10ep')
    """

    count: int = 1
    unit: str = ""

    def times(self, number: int) -> int | str:
        """The duration of some moves."""
        amount = self.count * number
        return f"{amount}{self.unit}" if self.unit and amount else amount

    @property
    def is_a_step(self) -> bool:
        """Whether the scheduler moves at every optimizer step."""
        return self.count == 1 and not self.unit


@dataclass(frozen=True)
class Call:
    """A call of a scheduler class in a configuration."""

    config: Config
    name: str
    """The name of the class, without its module."""
    path: Path
    """Where its arguments are."""
    child: Child
    """How a scheduler among the arguments is read."""
    tick: Tick = Tick()
    """When the scheduler moves."""
    moves: int | None = None
    """How many rates of it are used, if that is known."""
    lr: float | None = None
    """The base rate, if it is known."""
    at_milestone: bool = False
    """Whether the scheduler starts at a milestone of a sequence."""

    def number(self, key: str, default: Any = REQUIRED) -> Any:
        """The number of an argument."""
        self._check_null(key, default)
        return self.config.number(*self.path, key, default=default)

    def count(self, key: str, default: Any = REQUIRED, *, least: int = 1) -> Any:
        """The whole number of an argument."""
        self._check_null(key, default)
        value = self.config.whole(*self.path, key, default=default)
        if value is not None and value < least:
            text = f"`{key}` must be at least {least}, found {value}"
            raise self.refusal("type", text, key)
        return value

    def factor(self, key: str, default: float, *, zero: bool = True) -> float:
        """The number of an argument that torch wants between 0 and 1, perhaps above 0."""
        value: float = self.number(key, default)
        if not 0 <= value <= 1 or (value == 0 and not zero):
            text = f"`{key}` must be between 0 and 1, found {value}"
            if not zero:
                text = f"`{key}` must be above 0 and at most 1, found {value}"
            raise self.refusal("type", text, key)
        return value

    def word(self, key: str, *words: str) -> str:
        """The word of an argument, by default the first."""
        value: str = self.config.text(*self.path, key, default=words[0])
        if value not in words:
            text = f"`{key}` must be {listed(words, 'or')}, found {found(value)}"
            raise self.refusal("type", text, key)
        return value

    def _check_null(self, key: str, default: Any) -> None:
        """Refuse null for an argument that torch computes with."""
        if default is not None and self.config.is_null(*self.path, key):
            raise self.refusal("type", f"`{key}` is null, and torch needs a number", key)

    def refusal(self, code: str, text: str, key: str = "") -> Refusal:
        """The refusal of the call, at an argument."""
        return self.config.refusal(code, text, (*self.path, key) if key else self.path)

    def slowed(self, schedule: Document) -> Document:
        """A schedule that only changes when the scheduler moves."""
        if self.tick.is_a_step:
            return schedule
        return {"kind": "TimeLR", "scheduler": schedule, "every": self.tick.times(1)}
