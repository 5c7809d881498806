"""Random configurations of other frameworks. A file is a format and defines `FRAMEWORK`.

`python3 tools/imports` installs each framework into its own environment, draws configurations,
builds the framework's own schedulers from them, and writes their rates at every step to
`tests/imports/<format>/drawn.json`; a test imports them and compares. To add a format, copy a file.
A file imports its framework inside `rates`, since only the environment of the framework has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True)
class Configuration:
    """A configuration as users of a framework write it."""

    text: str
    """The file."""
    given: dict[str, Any] = field(default_factory=dict)
    """The options of the import: what the file does not say."""
    arguments: Any = None
    """The same for `rates`. It is not stored."""


@dataclass(frozen=True)
class Framework:
    """A framework at one version, and how its configurations are drawn."""

    distribution: str
    """The name of the distribution."""
    version: str
    """The version whose rates are stored, which the format follows."""
    suffix: str
    """The end of the name of a file, such as `.yaml`."""
    draw: Callable[[Random], Configuration]
    """A random configuration, of a run of at most about 80 steps."""
    rates: Callable[[Configuration], Sequence[float]]
    """The rates from step 0 to a few steps past the end, computed by the framework's own code.

    Raises:
        Exception: the framework rejects the configuration.
    """
    tolerance: float = 1e-12
    """The largest difference of a rate, as a share of the base rate."""
    count: int = 60
    """How many configurations are drawn."""
    needs: Sequence[str] = ()
    """Other packages to install, in the versions in `tools/constraints.txt`."""
    dependencies: bool = True
    """Whether to install the requirements of the distribution; otherwise, only those in `needs`."""
