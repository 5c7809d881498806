"""Stand-ins for modules of a peer, so that its schedules load without the rest of it."""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from types import ModuleType
from typing import Any


def stub_packages(installed: str, *names: str) -> None:
    """Replace the packages of a distribution by packages whose `__init__` does nothing.

    Args:
        installed: the name of the distribution.
        names: its packages, outer before inner.
    """
    files = distribution(installed)
    for name in names:
        package = ModuleType(name)
        package.__path__ = [str(files.locate_file(name.replace(".", "/")))]
        sys.modules[name] = package


def stub_module(name: str, **contents: Any) -> None:
    """Create a module with only these names, or add them to a package that exists."""
    module = sys.modules.setdefault(name, ModuleType(name))
    vars(module).update(contents)
