"""Modules that stand in for a peer's own, so that its schedules load without the rest of it."""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from types import ModuleType
from typing import Any


def stub_packages(installed: str, *names: str) -> None:
    """Put packages whose `__init__` does nothing before the modules of a distribution.

    Args:
        installed: what pip calls the distribution.
        names: its packages, the outer before the inner.
    """
    files = distribution(installed)
    for name in names:
        package = ModuleType(name)
        package.__path__ = [str(files.locate_file(name.replace(".", "/")))]
        sys.modules[name] = package


def stub_module(name: str, **contents: Any) -> None:
    """Put a module that has some names and no more, or give a package that is there these names."""
    module = sys.modules.setdefault(name, ModuleType(name))
    vars(module).update(contents)
