"""The keys that the configuration of a framework can have, read from its own code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KEYS = "<KEYS>"
"""Where the keys are in the text of a configuration."""


@dataclass(frozen=True)
class Keys:
    """The keys of a class, a function or a parser."""

    defaults: dict[str, Any]
    """The keys whose defaults are constants."""
    others: tuple[str, ...] = ()
    """The keys that have no default, or one that is computed."""
    flags: tuple[str, ...] = ()
    """The options of a command line without a value."""

    def __or__(self, other: Keys) -> Keys:
        return Keys(
            self.defaults | other.defaults,
            (*self.others, *other.others),
            (*self.flags, *other.flags),
        )

    def without(self, names: frozenset[str]) -> Keys:
        """The keys but for some, in alphabetical order."""
        left = sorted(self.defaults.items())
        return Keys(
            {name: value for name, value in left if name not in names},
            tuple(sorted({*self.others} - names - self.defaults.keys())),
            tuple(sorted({*self.flags} - names)),
        )


@dataclass(frozen=True)
class Package:
    """A distribution on PyPI, whose files are read without installing it."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub, of frameworks whose script or package is not on PyPI."""

    name: str
    """Owner and name, such as ``google-research/t5x``."""
    commit: str

    def __str__(self) -> str:
        return f"{self.name} at {self.commit}"


@dataclass(frozen=True)
class Place:
    """Where the keys of some code are in a configuration."""

    origin: Package | Repository
    code: str
    """What is read: ``fields``, ``arguments``, ``signature``, ``constants`` or ``yaml``, the file,
    and what in the file, such as ``fields litgpt/args.py TrainArgs``. Several are joined by ``;``.
    """
    file: str
    """The name of the configuration, whose ending is that of its format."""
    text: str
    """A complete configuration with a place for the keys."""
    without: str = ""
    """The parameters that no configuration has, such as the optimizer."""
