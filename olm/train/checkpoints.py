"""What torch saves, without its tensors: files, and folders of distributed checkpoints."""

from __future__ import annotations

import io
import pickle
import re
from enum import EnumMeta
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Any

import torch

from olm.problem import StateError, clipped

_GLOBAL = re.compile(r"GLOBAL ([\w.]+)|Can only build Tensor, .*: ([\w.]+)")


def load(path: FilePath) -> Any:
    """A file that torch saved, or a folder of torch's distributed checkpoints, without its tensors.

    No code that is in it is run.

    Raises:
        OSError: it cannot be read.
        StateError: it is damaged, or there is code in it.
    """
    if path.is_dir():
        return _distributed(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"
        # Without reading the tensors of a large model, where the format allows it.
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise _unreadable(error) from None
    except (RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StateError(f"this is not what torch saves, or is damaged: {_short(error)}") from None


def _unreadable(error: Exception) -> StateError:
    match = _GLOBAL.search(str(error))
    if not match:
        return StateError(f"this is not what torch saves, or is damaged: {_short(error)}")
    name = match[1] or match[2]
    return StateError(
        f"there is pickled code in it, `{clipped(name)}`, which is not run: save the state_dict() "
        "of the scheduler, and with plain values"
    )


def _short(error: Exception) -> str:
    return clipped(str(error).partition("\n")[0]) or type(error).__name__


def _distributed(folder: FilePath) -> dict[str, Any]:
    """What of a distributed checkpoint is no tensor, as the nested values that were saved."""
    try:
        with (folder / ".metadata").open("rb") as file:
            metadata = _Metadata(file).load()
        tree: dict[Any, Any] = {}
        for index, place in metadata.storage_data.items():
            kind = type(metadata.state_dict_metadata[index.fqn]).__name__
            keys = (metadata.planner_data or {}).get(index.fqn, (index.fqn,))
            if kind == "BytesStorageMetadata" and "optimizer" not in str(keys[0]):
                inner = tree
                for key in keys[:-1]:
                    inner = inner.setdefault(key, {})
                inner[keys[-1]] = _leaf(folder, place)
    except (pickle.UnpicklingError, EOFError, LookupError, TypeError, AttributeError) as error:
        raise _unreadable(error) from None
    return {key: _with_lists(inner) for key, inner in tree.items()}


def _with_lists(tree: Any) -> Any:
    """The nested values with lists where keys are numbers; those of mappings are saved as text."""
    if not isinstance(tree, dict):
        return tree
    inner = {key: _with_lists(it) for key, it in tree.items()}
    if inner and all(isinstance(key, int) for key in inner):
        return [inner[index] for index in sorted(inner)]
    return inner


def _leaf(folder: FilePath, place: Any) -> Any:
    path = folder / place.relative_path
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StateError(f"its part {clipped(str(place.relative_path))} is outside of the folder")
    with path.open("rb") as file:
        file.seek(place.offset)
        data = file.read(place.length)
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        # Something else than a scheduler: its code is not run, and it is not shown.
        return None


class _Metadata(pickle.Unpickler):
    """Reads the list of contents of a distributed checkpoint, and builds nothing else."""

    ALLOWED = {
        "torch.distributed.checkpoint.metadata": (
            "Metadata",
            "MetadataIndex",
            "BytesStorageMetadata",
            "TensorStorageMetadata",
            "ChunkStorageMetadata",
            "TensorProperties",
            "StorageMeta",
            "_MEM_FORMAT_ENCODING",
        ),
        "torch.distributed.checkpoint.filesystem": ("_StorageInfo",),
        "torch.serialization": ("_get_layout",),
        "torch": ("Size", "device"),
        "collections": ("OrderedDict",),
    }

    def find_class(self, module: str, name: str) -> Any:
        if module in ("pathlib", "pathlib._local"):
            # Where it was saved. A path of another system cannot be one of this system's.
            return PurePosixPath
        if (module, name) == ("builtins", "getattr"):
            # How some versions of Python save a member of an enumeration.
            return _member
        allowed = name in self.ALLOWED.get(module, ())
        if allowed or (module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"GLOBAL {module}.{name}")


def _member(kind: Any, name: str) -> Any:
    """A member of an enumeration, which is all that `getattr` may be asked for."""
    if isinstance(kind, EnumMeta):
        return kind[name]
    raise pickle.UnpicklingError("GLOBAL builtins.getattr")
