"""Keep pydantic from looking for plugins of its own, none of which has a part in the command."""

from __future__ import annotations

import sys
from types import ModuleType

LOADER = "pydantic.plugin._loader"


def skip_pydantic_plugins() -> None:
    """Put a loader that finds no plugins in the place of pydantic's.

    Pydantic's own loader imports `importlib.metadata`, which takes 8 % of the processor time of a
    check of one file; with the variable PYDANTIC_DISABLE_PLUGINS it still does. The loader is
    private: a test fails once pydantic has another one, or no longer needs this. Only for a
    process that ends with the command: nothing in it will look for pydantic's plugins again.
    """
    loader = ModuleType(LOADER)
    loader.__dict__["get_plugins"] = tuple
    sys.modules.setdefault(LOADER, loader)
