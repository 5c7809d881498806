"""What lets the command start sooner. It changes nothing that the command does."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

METADATA, LOADER = "importlib.metadata", "pydantic.plugin._loader"


def skip_plugins_of_pydantic() -> None:
    """Keep pydantic from looking for plugins, none of which has a part in a check.

    Its loader of plugins would import what it looks with even so, which takes as long as a tenth of
    a check of one file: something stands in for it until the loader is there.
    """
    if os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__") != "__all__":
        return
    if {METADATA, LOADER}.isdisjoint(sys.modules):
        sys.modules[METADATA] = _StandIn(METADATA)
        try:
            # The loader is not public. Should there be none, there is nothing to skip.
            with suppress(ImportError):
                import_module(LOADER)
        finally:
            del sys.modules[METADATA]


class _StandIn(ModuleType):
    """A module that is imported when something that is taken from it is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **options: getattr(import_module(METADATA), name)(*args, **options)
