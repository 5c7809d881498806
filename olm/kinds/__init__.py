"""The catalogue: every file here is a family of schedules. To add a kind, copy a file."""

from importlib import import_module
from pkgutil import iter_modules

from olm.schedule import KINDS

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

GROUPS = ("warm-up", "decay", "cyclic", "building block", "composition", "metric-driven")
"""What people look for, in the order in which it is shown. Every kind is in one of them."""

__all__ = ["GROUPS", "KINDS"]
