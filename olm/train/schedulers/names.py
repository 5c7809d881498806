"""Looks up the torch class of a kind by its name, with a namespace for each prefix of a plugin.

`olm.train.schedulers.acme.Rex` is the class of the kind ``acme.Rex``, and is pickled by that path.
"""

from __future__ import annotations

from typing import Any

from olm.schedule.plugins import PluginError, offers
from olm.schedule.schedule import KINDS
from olm.train.schedulers.factory import torch_class
from olm.train.schedulers.schedule_lr import ScheduleLR

PACKAGE = "olm.train.schedulers"


def named(name: str) -> type[ScheduleLR] | Namespace:
    """The class of a kind, or the namespace of the kinds whose names start with `name` and a dot.

    Raises:
        AttributeError: there is no such kind, or its plugin cannot be used; the message says why.
    """
    # Python and its tools look up private names on every module.
    if name.rpartition(".")[2].startswith("_"):
        raise _missing(name)
    if model := KINDS.get(name):
        return torch_class(model)
    if _kinds_below(name):
        return Namespace(name)
    try:
        KINDS.plugin(name)
    except PluginError as refusal:
        raise _missing(name, f": {refusal}") from refusal
    except KeyError:
        pass
    raise _missing(name)


class Namespace:
    """The kinds whose names have a common prefix, such as ``acme`` with the kind ``acme.Rex``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return named(f"{self._name}.{name}")

    def __dir__(self) -> list[str]:
        rests = (kind.removeprefix(f"{self._name}.") for kind in _kinds_below(self._name))
        return sorted({*super().__dir__(), *(rest.partition(".")[0] for rest in rests)})

    def __repr__(self) -> str:
        return f"<namespace {PACKAGE}.{self._name}>"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return named, (self._name,)


def _kinds_below(name: str) -> list[str]:
    return [kind for kind in {*KINDS, *offers()} if kind.startswith(f"{name}.")]


def _missing(name: str, why: str = "") -> AttributeError:
    return AttributeError(f"module {PACKAGE!r} has no attribute {name!r}{why}")
