"""The catalogue: every file here is a family of schedules. To add a kind, copy a file."""

from importlib import import_module
from pkgutil import iter_modules

from olm.schedule import KINDS

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["KINDS"]
