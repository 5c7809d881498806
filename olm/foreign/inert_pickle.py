"""Pickles read without importing, building or calling anything that they name."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from types import MappingProxyType
from typing import IO, Any, Self
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from olm.problem import StateError

LARGEST = 8 << 20
"""The most bytes of a pickle that the unpickler in Python reads in a few seconds."""

DEEPEST = 16
"""How deep nested values are read."""


class StandIn:
    """A value of a class that is not built: what a pickle passes to it, and the fields it has.

    Every class that a pickle names is replaced by a new class of that name, so that what the
    pickle does to it reaches nothing else.
    """

    args: tuple[Any, ...] = ()
    fields: Mapping[str, Any] = MappingProxyType({})

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """An object that keeps the arguments."""
        made = super().__new__(cls)
        made.args = args
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.fields = state if isinstance(state, dict) else {}


class _Items(StandIn, dict[Any, Any]):
    """The mapping that a pickle makes of an OrderedDict, a Counter or a defaultdict."""

    def __init__(self, *args: Any) -> None:
        for items in args:
            if isinstance(items, dict | list):
                self.update(items)


_MAPPINGS = frozenset({"OrderedDict", "Counter", "defaultdict"})


def stand_in(module: str, name: str) -> type[StandIn]:
    """A new class in place of one that a pickle names."""
    base = _Items if module == "collections" and name in _MAPPINGS else StandIn
    return type(name, (base,), {})


# The unpickler in C reserves memory for as many objects as the largest number that a pickle gives
# to one of them; the one in Python keeps them in a dict.
class _Inert(pickle._Unpickler):
    """Reads a pickle; every class that it names is a stand-in, and so is every tensor."""

    def find_class(self, module: str, name: str) -> Any:
        return stand_in(module, name)

    def persistent_load(self, pid: Any) -> Any:
        return StandIn()


def inert_values(file: IO[bytes]) -> Any:
    """The values in a file that torch saved, with stand-ins for objects and tensors.

    Raises:
        StateError: it is no such file, or is damaged.
    """
    try:
        with ZipFile(file) as parts:
            [part] = [each for each in parts.infolist() if each.filename.endswith("data.pkl")]
            if part.compress_type != ZIP_STORED or part.file_size > LARGEST:
                raise StateError(f"its values are compressed, or take over {LARGEST >> 20} MiB")
            content = parts.read(part)
        return _Inert(io.BytesIO(content)).load()
    except StateError:
        raise
    except (BadZipFile, OSError):
        raise StateError("this is not what torch saves") from None
    except Exception as error:  # A damaged pickle can raise anything.
        raise StateError(f"this is damaged: {error!r:.80}") from None


def plain(value: Any, levels: int = DEEPEST) -> Any:
    """The plain values in what was read; None in place of what has none.

    A member of an enumeration is the string of its value, and an object is its fields.
    """
    if levels == 0 or value is None or isinstance(value, bool | int | float | str):
        return value if levels else None
    if isinstance(value, dict):
        return {str(key): plain(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, levels - 1) for item in value]
    if isinstance(value, StandIn):
        return plain(dict(value.fields), levels - 1) if value.fields else _member(value.args)
    return None


def _member(args: tuple[Any, ...]) -> str | None:
    """The value of a member of an enumeration, which some versions of Python save by its name."""
    if len(args) == 1 and isinstance(args[0], str):
        return args[0]
    if len(args) == 2 and isinstance(args[0], type) and isinstance(args[1], str):
        return args[1].lower()
    return None
